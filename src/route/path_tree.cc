#include "route/path_tree.h"

#include <algorithm>

#ifdef __SSE2__
#include <bit>
#include <emmintrin.h>
#endif

namespace doorward::route {

// begin_[i] is where segment i begins; a path has as many segments as slashes. Stops when there are
// more than any pattern has.
void SegmentList::split(std::string_view path) {
  base_ = path.data();
  if (path.empty() || path[0] != '/') return;
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i slash = _mm_set1_epi8('/');
  for (; at + 16 <= path.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(path.data() + at));
    auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, slash)));
    for (; found != 0; found &= found - 1) {
      if (count_ == kRoom) return;
      begin_[count_++] =
          static_cast<std::uint32_t>(at + static_cast<unsigned>(std::countr_zero(found)) + 1);
    }
  }
#endif
  for (; at < path.size(); ++at) {
    if (path[at] != '/') continue;
    if (count_ == kRoom) return;
    begin_[count_++] = static_cast<std::uint32_t>(at + 1);
  }
  begin_[count_] = static_cast<std::uint32_t>(path.size() + 1);
}

PathTree::NodeId PathTree::add_node() {
  nodes_.emplace_back();
  drafts_.emplace_back();
  return static_cast<NodeId>(nodes_.size() - 1);
}

PathTree::NodeId PathTree::add_root() { return add_node(); }

PathTree::NodeId PathTree::glob_child(NodeId node, std::string_view text) {
  for (const Glob& glob : drafts_[node].globs) {
    if (glob.text == text) return glob.child;
  }
  const NodeId child = add_node();
  drafts_[node].globs.push_back({std::string(text), child});
  return child;
}

void PathTree::remember_only_child(NodeId id, std::string_view text, NodeId child) {
  Node& node = nodes_[id];
  const bool only = ++node.literals == 1 && text.size() <= kInlineText;
  node.only = only ? child : kNone;
  if (!only) return;
  node.only_size = static_cast<std::uint32_t>(text.size());
  std::ranges::copy(text, node.only_text);
}

PathTree::NodeId PathTree::child_for(NodeId node, const Segment& segment) {
  switch (segment.kind) {
    case Segment::Kind::literal: {
      const NodeId there = literals_.find(node, segment.text);
      if (there != kNone) return there;
      const NodeId child = literals_.add(node, segment.text, add_node());
      remember_only_child(node, segment.text, child);
      return child;
    }
    case Segment::Kind::param: {
      if (nodes_[node].param != kNone) return nodes_[node].param;
      const NodeId child = add_node();
      nodes_[node].param = child;
      return child;
    }
    case Segment::Kind::glob:
      return glob_child(node, segment.text);
  }
  return kNone;
}

void PathTree::add(NodeId root, const PathPattern& pattern, const Candidate& candidate) {
  const auto touch = [&](NodeId id) {
    nodes_[id].best_rank = std::min(nodes_[id].best_rank, candidate.rank);
  };
  NodeId at = root;
  touch(at);
  for (const Segment& segment : pattern.segments) {
    at = child_for(at, segment);
    touch(at);
  }
  (pattern.rest ? drafts_[at].rest : drafts_[at].exact).push_back(candidate);
}

void PathTree::seal() {
  const auto append = [](auto& to, auto& from) {
    const Range range{static_cast<std::uint32_t>(to.size()),
                      static_cast<std::uint32_t>(from.size())};
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    return range;
  };
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].globs = append(globs_, drafts_[i].globs);
    nodes_[i].exact = append(candidates_, drafts_[i].exact);
    nodes_[i].rest = append(candidates_, drafts_[i].rest);
  }
  drafts_.clear();
  drafts_.shrink_to_fit();
}

}  // namespace doorward::route
