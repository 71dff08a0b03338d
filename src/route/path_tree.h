// PathTree: the path patterns of all hosts of a table as one tree of segments, a root per host.
// Built in order of precedence, sealed, then only read. Owner: a RouteTable.
// Subtle: a node stands for one run of segment patterns from its root and is reached only through
// its parent, so a search enters each node at most once, at the one depth it has: the work of a
// request is bounded by the nodes whose patterns fit its path, never exponential in its length.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "route/name_index.h"
#include "route/path_pattern.h"
#include "route/request.h"
#include "text/glob.h"

namespace doorward::route {

// A route's claim on one host and path. Ranks number all claims of a table in order of precedence.
struct Candidate {
  std::uint32_t rank = 0;
  std::uint32_t conditions = kNoConditions;  // index in the table
  MethodSet methods = 0;                     // 0: any

  static constexpr std::uint32_t kNoConditions = UINT32_MAX;  // but methods
};

// Where the segments of a path lie; no more than a tree could look at.
class SegmentList {
 public:
  explicit SegmentList(std::string_view path) { split(path); }

  unsigned count() const { return count_; }
  std::string_view operator[](unsigned i) const {
    return {base_ + begin_[i], begin_[i + 1] - begin_[i] - 1};
  }

 private:
  static constexpr unsigned kRoom = kMaxSegments + 1;
  void split(std::string_view path);

  const char* base_;
  unsigned count_ = 0;
  std::uint32_t begin_[kRoom + 1];  // where each begins; the last one as if a slash followed
};

class PathTree {
 public:
  using NodeId = std::uint32_t;
  static constexpr NodeId kNone = UINT32_MAX;

  NodeId add_root();
  // `pattern` is of segments; candidates come with rising ranks.
  void add(NodeId root, const PathPattern& pattern, const Candidate& candidate);
  void seal();

  // Calls take(first candidate, how many) for each pattern that fits, more specific ones first
  // except that patterns which differ in their globs come in no order. `take` returns the rank
  // from which on candidates are of no more use.
  template <class Take>
  void search(NodeId root, const SegmentList& path, Take&& take) const {
    std::uint32_t limit = UINT32_MAX;
    visit(root, 0, path, limit, take);
  }

  // Calls take(candidate) for each pattern that certainly fits every path that `pattern` fits.
  template <class Take>
  void search_covering(NodeId root, const PathPattern& pattern, Take&& take) const {
    cover(root, 0, pattern, take);
  }

  std::size_t nodes() const { return nodes_.size(); }

 private:
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  // One cache line. A node's only literal child needs no look into the index.
  static constexpr std::uint32_t kInlineText = 20;
  struct alignas(64) Node {
    std::uint32_t best_rank = UINT32_MAX;  // of all below
    NodeId param = kNone;
    std::uint32_t literals = 0;   // how many
    NodeId only = kNone;          // the child when there is one literal, short enough
    std::uint32_t only_size = 0;  // of its text
    Range globs;                  // in globs_
    Range exact, rest;            // in candidates_: patterns that end here; that go on with **
    char only_text[kInlineText];
  };
  static_assert(sizeof(Node) == 64);
  struct Glob {
    std::string text;
    NodeId child;
  };
  struct Draft {
    std::vector<Glob> globs;
    std::vector<Candidate> exact, rest;
  };

  NodeId add_node();
  NodeId child_for(NodeId node, const Segment& segment);
  NodeId glob_child(NodeId node, std::string_view text);
  NodeId literal_child(NodeId id, const Node& node, std::string_view segment) const {
    if (node.only == kNone) return literals_.find(id, segment);
    const bool same = node.only_size == segment.size() &&
                      std::memcmp(node.only_text, segment.data(), segment.size()) == 0;
    return same ? node.only : kNone;
  }
  void remember_only_child(NodeId node, std::string_view text, NodeId child);

  template <class Take>
  void take_range(const Range& range, std::uint32_t& limit, Take& take) const {
    if (range.count != 0) limit = take(candidates_.data() + range.first, range.count);
  }
  template <class Take>
  void visit(NodeId id, unsigned depth, const SegmentList& path, std::uint32_t& limit,
             Take& take) const;
  template <class Take>
  void cover(NodeId id, std::size_t depth, const PathPattern& pattern, Take& take) const;
  template <class Take>
  void cover_globs(const Node& node, std::size_t depth, const PathPattern& pattern,
                   Take& take) const;

  NameIndex literals_;  // owner: the node
  std::vector<Node> nodes_;
  std::vector<Glob> globs_;
  std::vector<Candidate> candidates_;
  std::vector<Draft> drafts_;  // until sealed
};

template <class Take>
void PathTree::visit(NodeId id, unsigned depth, const SegmentList& path, std::uint32_t& limit,
                     Take& take) const {
  const Node& node = nodes_[id];
  if (node.best_rank >= limit) return;
  if (depth == path.count()) {
    take_range(node.exact, limit, take);
  } else {
    const std::string_view segment = path[depth];
    if (node.literals != 0) {
      const NodeId child = literal_child(id, node, segment);
      if (child != kNone) visit(child, depth + 1, path, limit, take);
    }
    if (!segment.empty()) {
      if (node.param != kNone) visit(node.param, depth + 1, path, limit, take);
      for (std::uint32_t i = 0; i < node.globs.count; ++i) {
        const Glob& glob = globs_[node.globs.first + i];
        if (text::glob_match(glob.text, segment)) {
          visit(glob.child, depth + 1, path, limit, take);
        }
      }
    }
  }
  take_range(node.rest, limit, take);
}

template <class Take>
void PathTree::cover(NodeId id, std::size_t depth, const PathPattern& pattern, Take& take) const {
  const Node& node = nodes_[id];
  for (std::uint32_t i = 0; i < node.rest.count; ++i) take(candidates_[node.rest.first + i]);
  if (depth == pattern.segments.size()) {
    if (pattern.rest) return;
    for (std::uint32_t i = 0; i < node.exact.count; ++i) take(candidates_[node.exact.first + i]);
    return;
  }
  const Segment& segment = pattern.segments[depth];
  const bool literal = segment.kind == Segment::Kind::literal;
  if (literal) {
    const NodeId child = literals_.find(id, segment.text);
    if (child != kNone) cover(child, depth + 1, pattern, take);
    if (segment.text.empty()) return;
  }
  if (node.param != kNone) cover(node.param, depth + 1, pattern, take);
  cover_globs(node, depth, pattern, take);
}

template <class Take>
void PathTree::cover_globs(const Node& node, std::size_t depth, const PathPattern& pattern,
                           Take& take) const {
  const Segment& segment = pattern.segments[depth];
  for (std::uint32_t i = 0; i < node.globs.count; ++i) {
    const Glob& glob = globs_[node.globs.first + i];
    const bool same = segment.kind == Segment::Kind::glob && glob.text == segment.text;
    const bool fits =
        segment.kind == Segment::Kind::literal && text::glob_match(glob.text, segment.text);
    if (same || fits || glob.text == "*") cover(glob.child, depth + 1, pattern, take);
  }
}

}  // namespace doorward::route
