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

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// "1.2.3.4", "1.2.3.4:5", "2001:db8::1", "[2001:db8::1]:5", also in double quotes.
bool parse_node(std::string_view node, loop::Address& to) {
  node = unquoted(node);
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

// Where the first pair of a Forwarded element ends; a ";" in a quoted string is part of a value
// (RFC 7239 §4), which a client may have chosen.
std::size_t pair_end(std::string_view element) {
  bool quoted = false;
  for (std::size_t i = 0; i < element.size(); ++i) {
    if (quoted && element[i] == '\\') {
      ++i;
    } else if (element[i] == '"') {
      quoted = !quoted;
    } else if (element[i] == ';' && !quoted) {
      return i;
    }
  }
  return element.size();
}

// The value of a parameter of a Forwarded element, as written; `name` with its "=".
std::string_view parameter(std::string_view element, std::string_view name) {
  while (!element.empty()) {
    const std::size_t end = pair_end(element);
    const std::string_view pair = http::trim(element.substr(0, end));
    if (pair.size() > name.size() && http::equal_ignore_case(pair.substr(0, name.size()), name)) {
      return pair.substr(name.size());
    }
    element.remove_prefix(std::min(end + 1, element.size()));
  }
  return {};
}

std::string_view for_parameter(std::string_view element) { return parameter(element, "for="); }

bool is_unix(const ForwardedFacts& facts) { return facts.peer_ip.starts_with("unix"); }

// All fields of that name as one list.
std::string_view joined(const HeaderList& headers, HeaderName name, Arena& arena) {
  std::string_view all;
  for (const http::Header& header : headers.values(name)) {
    all = all.empty() ? header.value : arena.join(all, ", ", header.value);
  }
  return all;
}

// RFC 7239 §6: an address of IPv6 in brackets and quotes; "unknown" for what is no address.
std::string_view node_of(std::string_view text, Arena& arena) {
  loop::Address address;
  if (!parse_node(text, address)) return "unknown";
  const std::string ip = address.host();
  return ip.contains(':') ? arena.join("\"[", ip, "]\"") : arena.copy(ip);
}

// "for=…", with what the client asked for where that can be written without escapes.
std::string_view element_of(std::string_view node, std::string_view host, std::string_view proto,
                            Arena& arena) {
  std::string_view element = arena.join("for=", node);
  const bool plain = !host.empty() && host.find_first_of("\"\\") == std::string_view::npos;
  if (plain) element = arena.join(element, ";host=\"", host, "\"");
  if (http::is_token(proto)) element = arena.join(element, ";proto=", proto);
  return element;
}

// What a trusted proxy said in X-Forwarded-*, as Forwarded says it: host and protocol are those
// that the first one was asked for. In `both` the list ends already with our own peer.
std::string_view from_x_forwarded(const HeaderList& headers, const ForwardedFacts& facts,
                                  Arena& arena) {
  const std::string_view host = headers.value(HeaderName::x_forwarded_host);
  const std::string_view proto = headers.value(HeaderName::x_forwarded_proto);
  std::vector<std::string_view> nodes;
  for (const http::Header& header : headers.values(HeaderName::x_forwarded_for)) {
    for (const std::string_view node : http::ListElements(header.value)) nodes.push_back(node);
    const bool ours = header.line_size == 0;
    if (ours && !nodes.empty() && nodes.back() == facts.peer_ip) nodes.pop_back();
  }
  if (nodes.empty()) {
    const bool told = !proto.empty() && !http::equal_ignore_case(proto, facts.scheme);
    return told ? element_of("unknown", host, proto, arena) : std::string_view();
  }
  std::string_view all = element_of(node_of(nodes[0], arena), host, proto, arena);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    all = arena.join(all, ", for=", node_of(nodes[i], arena));
  }
  return all;
}

// What a trusted proxy said in Forwarded, as X-Forwarded-* say it.
struct XForwarded {
  std::string_view nodes, host, proto;
};

XForwarded from_forwarded(const HeaderList& headers, Arena& arena) {
  XForwarded x;
  for (const http::Header& header : headers.values(HeaderName::forwarded)) {
    for (const std::string_view element : http::ListElements(header.value)) {
      loop::Address address;
      const bool known = parse_node(for_parameter(element), address);
      const std::string node = known ? address.host() : "unknown";
      if (x.nodes.empty()) {
        const std::string_view host = unquoted(parameter(element, "host="));
        if (!host.contains('\\')) x.host = host;
        x.proto = unquoted(parameter(element, "proto="));
      }
      x.nodes = x.nodes.empty() ? arena.copy(node) : arena.join(x.nodes, ", ", node);
    }
  }
  return x;
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

constexpr http::HeaderNames kXForwarded = {
    HeaderName::x_forwarded_for, HeaderName::x_forwarded_host, HeaderName::x_forwarded_port,
    HeaderName::x_forwarded_prefix, HeaderName::x_forwarded_proto};

}  // namespace

loop::Address find_client(const loop::Address& peer, HeaderList& headers,
                          std::span<const text::Cidr> trusted) {
  if (trusted.empty() || !is_trusted(peer, trusted)) return peer;
  if (headers.has(HeaderName::x_forwarded_for)) {
    if (headers.has(HeaderName::forwarded)) headers.remove(HeaderName::forwarded);
    return walk(headers, HeaderName::x_forwarded_for, peer, trusted,
                [](std::string_view element) { return element; });
  }
  if (!headers.has(HeaderName::forwarded)) return peer;
  headers.remove_all(kXForwarded);
  return walk(headers, HeaderName::forwarded, peer, trusted, for_parameter);
}

std::string_view find_scheme(const HeaderList& headers, std::string_view ours) {
  std::string_view said;
  for (const http::Header& header : headers.values(HeaderName::x_forwarded_proto)) {
    for (const std::string_view element : http::ListElements(header.value)) said = element;
  }
  if (!headers.has(HeaderName::x_forwarded_proto)) {
    for (const http::Header& header : headers.values(HeaderName::forwarded)) {
      for (const std::string_view element : http::ListElements(header.value)) {
        said = unquoted(parameter(element, "proto="));
      }
    }
  }
  if (http::equal_ignore_case(said, "https")) return "https";
  return http::equal_ignore_case(said, "http") ? "http" : ours;
}

void drop_forwarded(HeaderList& headers) {
  if (headers.has(HeaderName::forwarded)) headers.remove(HeaderName::forwarded);
  headers.remove_all(kXForwarded);
}

void add_x_forwarded(HeaderList& headers, const ForwardedFacts& facts, Arena& arena) {
  XForwarded before;
  if (facts.trusted) {
    before = {joined(headers, HeaderName::x_forwarded_for, arena),
              headers.value(HeaderName::x_forwarded_host),
              headers.value(HeaderName::x_forwarded_proto)};
    if (before.nodes.empty() && headers.has(HeaderName::forwarded)) {
      before = from_forwarded(headers, arena);
    }
  }
  std::string_view nodes = before.nodes;
  if (!is_unix(facts)) {
    nodes = nodes.empty() ? facts.peer_ip : arena.join(nodes, ", ", facts.peer_ip);
  }
  if (nodes.empty()) {
    headers.remove(HeaderName::x_forwarded_for);
  } else {
    headers.set(HeaderName::x_forwarded_for, nodes);
  }
  headers.set(HeaderName::x_forwarded_proto, before.proto.empty() ? facts.scheme : before.proto);
  headers.set(HeaderName::x_forwarded_host, before.host.empty() ? facts.host : before.host);
}

void add_forwarded(HeaderList& headers, const ForwardedFacts& facts, Arena& arena) {
  const bool v6 = facts.peer_ip.contains(':');
  std::string_view node = v6 ? arena.join("\"[", facts.peer_ip, "]\"") : facts.peer_ip;
  if (is_unix(facts)) node = "unknown";  // RFC 7239 §6.2
  std::string_view all;
  if (facts.trusted) {
    all = headers.has(HeaderName::forwarded) ? joined(headers, HeaderName::forwarded, arena)
                                             : from_x_forwarded(headers, facts, arena);
  }
  const std::string_view ours =
      arena.join("for=", node, ";host=\"", facts.host, "\";proto=", facts.scheme);
  headers.set(HeaderName::forwarded, all.empty() ? ours : arena.join(all, ", ", ours));
}

void add_via(HeaderList& headers, http::Version received, Arena& arena) {
  const std::string_view ours = received == http::Version::http10   ? "1.0 doorward"
                                : received == http::Version::http11 ? "1.1 doorward"
                                                                    : "2 doorward";
  if (!headers.has(HeaderName::via)) return headers.add(HeaderName::via, ours);
  headers.set(HeaderName::via, arena.join(joined(headers, HeaderName::via, arena), ", ", ours));
}

}  // namespace doorward::handler
