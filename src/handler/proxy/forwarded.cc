#include "handler/proxy/forwarded.h"

#include <algorithm>
#include <vector>

#include "http/field.h"

namespace doorward::handler {

bool is_trusted(const loop::Address& address, std::span<const text::Cidr> trusted) {
  std::uint8_t ip[16];
  address.ip_bytes(ip);
  return std::any_of(trusted.begin(), trusted.end(),
                     [&](const text::Cidr& block) { return block.contains(ip); });
}

namespace {

using http::HeaderList;
using http::HeaderName;

// "1.2.3.4", "1.2.3.4:5", "2001:db8::1", "[2001:db8::1]:5", also in double quotes.
bool parse_node(std::string_view node, loop::Address& to) {
  if (node.size() >= 2 && node.front() == '"' && node.back() == '"') {
    node = node.substr(1, node.size() - 2);
  }
  const bool bare_v6 = !node.starts_with('[') && std::ranges::count(node, ':') > 1;
  std::string text = bare_v6 ? "[" + std::string(node) + "]" : std::string(node);
  const std::size_t host_end = text.starts_with('[') ? text.find(']') : 0;
  if (host_end == std::string::npos) return false;
  if (text.find(':', host_end) == std::string::npos) text += ":0";
  Result<loop::Address> parsed = loop::Address::parse(text);
  const bool no_host = !bare_v6 && node.starts_with(':');
  if (!parsed || parsed->is_unix() || no_host) return false;
  to = *parsed;
  return true;
}

std::string_view for_parameter(std::string_view element) {
  while (!element.empty()) {
    const std::size_t end = std::min(element.find(';'), element.size());
    const std::string_view pair = http::trim(element.substr(0, end));
    if (pair.size() > 4 && http::equal_ignore_case(pair.substr(0, 4), "for=")) {
      return pair.substr(4);
    }
    element.remove_prefix(std::min(end + 1, element.size()));
  }
  return {};
}

// Visits the nodes of a header from the last to the first, until `use` says stop.
template <class Pick>
loop::Address walk(const HeaderList& headers, HeaderName name, loop::Address from,
                   std::span<const text::Cidr> trusted, Pick pick) {
  std::vector<std::string_view> nodes;
  for (const http::Header& header : headers.values(name)) {
    for (const std::string_view element : http::ListElements(header.value)) {
      nodes.push_back(pick(element));
    }
  }
  for (auto node = nodes.rbegin(); node != nodes.rend() && is_trusted(from, trusted); ++node) {
    if (!parse_node(*node, from)) break;
  }
  return from;
}

}  // namespace

loop::Address find_client(const loop::Address& peer, const HeaderList& headers,
                          std::span<const text::Cidr> trusted) {
  if (trusted.empty() || !is_trusted(peer, trusted)) return peer;
  if (headers.has(HeaderName::x_forwarded_for)) {
    return walk(headers, HeaderName::x_forwarded_for, peer, trusted,
                [](std::string_view element) { return element; });
  }
  return walk(headers, HeaderName::forwarded, peer, trusted, for_parameter);
}

void drop_forwarded(HeaderList& headers) {
  for (const HeaderName name : {HeaderName::forwarded, HeaderName::x_forwarded_for,
                                HeaderName::x_forwarded_host, HeaderName::x_forwarded_port,
                                HeaderName::x_forwarded_prefix, HeaderName::x_forwarded_proto}) {
    if (headers.has(name)) headers.remove(name);
  }
}

void add_x_forwarded(HeaderList& headers, const ForwardedFacts& facts, Arena& arena) {
  std::string_view before;
  if (facts.trusted && headers.has(HeaderName::x_forwarded_for)) {
    for (const http::Header& header : headers.values(HeaderName::x_forwarded_for)) {
      before = before.empty() ? header.value : arena.join(before, ", ", header.value);
    }
  }
  headers.set(HeaderName::x_forwarded_for,
              before.empty() ? facts.peer_ip : arena.join(before, ", ", facts.peer_ip));
  if (!facts.trusted || !headers.has(HeaderName::x_forwarded_proto)) {
    headers.set(HeaderName::x_forwarded_proto, facts.scheme);
  }
  if (!facts.trusted || !headers.has(HeaderName::x_forwarded_host)) {
    headers.set(HeaderName::x_forwarded_host, facts.host);
  }
}

void add_forwarded(HeaderList& headers, const ForwardedFacts& facts, Arena& arena) {
  const bool v6 = facts.peer_ip.find(':') != std::string_view::npos;
  const std::string_view node =
      v6 ? arena.join("\"[", facts.peer_ip, "]\"") : facts.peer_ip;  // RFC 7239 §6
  std::string_view element =
      arena.join("for=", node, ";host=\"", facts.host, "\";proto=", facts.scheme);
  if (facts.trusted) {
    std::string_view before;
    for (const http::Header& header : headers.values(HeaderName::forwarded)) {
      before = before.empty() ? header.value : arena.join(before, ", ", header.value);
    }
    if (!before.empty()) element = arena.join(before, ", ", element);
  }
  headers.set(HeaderName::forwarded, element);
}

void add_via(HeaderList& headers, http::Version received, Arena& arena) {
  const std::string_view ours = received == http::Version::http10   ? "1.0 doorward"
                                : received == http::Version::http11 ? "1.1 doorward"
                                                                    : "2 doorward";
  const http::Header* before = headers.find(HeaderName::via);
  if (before == nullptr) return headers.add(HeaderName::via, ours);
  std::string_view all;
  for (const http::Header& header : headers.values(HeaderName::via)) {
    all = all.empty() ? header.value : arena.join(all, ", ", header.value);
  }
  headers.set(HeaderName::via, arena.join(all, ", ", ours));
}

}  // namespace doorward::handler
