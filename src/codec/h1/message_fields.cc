// Framing and connection fields. Smuggling lives here: when in doubt, refuse.
// Hot: usual messages leave each function after one or two comparisons.
#include "codec/h1/message_fields.h"

#include <limits>

#include "http/field.h"

namespace doorward::codec::h1 {
namespace {

using http::Header;
using http::HeaderName;

// One decimal number without sign, list or leading zero, up to 2^63-1.
bool parse_length(std::string_view text, std::uint64_t& length) {
  if (text.empty() || text.size() > 19 || (text[0] == '0' && text.size() > 1)) return false;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  length = value;
  return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

Refusal read_content_length(const http::HeaderList& headers, std::uint64_t& length) {
  const Header* first = headers.find(HeaderName::content_length);
  for (const Header& header : headers.values(HeaderName::content_length)) {
    if (&header == first) continue;
    return header.value == first->value ? Refusal::content_length_doubled
                                        : Refusal::content_length_differs;
  }
  return parse_length(first->value, length) ? Refusal::none : Refusal::bad_content_length;
}

// Everything but exactly "chunked" is refused; this finds out with which code.
Refusal judge_codings(std::string_view value) {
  int chunked = 0;
  bool last_is_chunked = false;
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t comma = std::min(value.find(',', at), value.size());
    const std::string_view element = http::trim(value.substr(at, comma - at));
    const std::string_view coding = http::trim(element.substr(0, element.find(';')));
    if (!http::is_token(coding)) return Refusal::bad_transfer_encoding;
    last_is_chunked = http::equal_ignore_case(coding, "chunked");
    if (last_is_chunked && coding.size() != element.size()) return Refusal::bad_transfer_encoding;
    chunked += last_is_chunked ? 1 : 0;
    at = comma + 1;
  }
  if (chunked > 1) return Refusal::transfer_encoding_doubled;
  if (!last_is_chunked) return Refusal::transfer_encoding_not_chunked;
  return Refusal::transfer_encoding_unsupported;
}

Refusal read_transfer_encoding(const http::HeaderList& headers, http::Version version) {
  if (version == http::Version::http10) return Refusal::transfer_encoding_on_http10;
  if (headers.count(HeaderName::transfer_encoding) > 1) return Refusal::transfer_encoding_doubled;
  const std::string_view value = headers.value(HeaderName::transfer_encoding);
  if (http::equal_ignore_case(value, "chunked")) return Refusal::none;
  return judge_codings(value);
}

// May a Connection field name it? Known fields that are meant for the far end must not vanish.
bool may_be_named(HeaderName name) {
  switch (name) {
    case HeaderName::other:
    case HeaderName::connection:
    case HeaderName::keep_alive:
    case HeaderName::proxy_connection:
    case HeaderName::proxy_authenticate:
    case HeaderName::proxy_authorization:
    case HeaderName::te:
    case HeaderName::trailer:
    case HeaderName::transfer_encoding:
    case HeaderName::upgrade:
    case HeaderName::http2_settings:
      return true;
    default:
      return false;
  }
}

Refusal read_options(std::string_view value, ConnectionOptions& out) {
  if (http::classify(value) == HeaderName::keep_alive) {  // the usual one
    out.keep_alive = true;
    return Refusal::none;
  }
  for (std::string_view option : http::ListElements(value)) {
    if (!http::is_token(option)) return Refusal::bad_connection;
    if (http::equal_ignore_case(option, "close")) {
      out.close = true;
      continue;
    }
    const HeaderName name = http::classify(option);
    out.keep_alive |= name == HeaderName::keep_alive;
    out.upgrade |= name == HeaderName::upgrade;
    if (!may_be_named(name)) return Refusal::connection_names_essential;
  }
  return Refusal::none;
}

}  // namespace

Refusal read_body_fields(const http::HeaderList& headers, http::Version version, BodyFields& out) {
  out.has_length = headers.has(HeaderName::content_length);
  out.chunked = headers.has(HeaderName::transfer_encoding);
  if (out.has_length && out.chunked) return Refusal::content_length_with_transfer_encoding;
  if (out.has_length) return read_content_length(headers, out.length);
  if (out.chunked) return read_transfer_encoding(headers, version);
  return Refusal::none;
}

Refusal read_connection(const http::HeaderList& headers, ConnectionOptions& out) {
  if (!headers.has(HeaderName::connection)) return Refusal::none;
  for (const Header& header : headers.values(HeaderName::connection)) {
    const Refusal refusal = read_options(header.value, out);
    if (refusal != Refusal::none) return refusal;
  }
  return Refusal::none;
}

bool persists(http::Version version, const ConnectionOptions& options) {
  return !options.close && (version == http::Version::http11 || options.keep_alive);
}

bool is_protocol_list(std::string_view value) {
  bool any = false;
  for (std::string_view protocol : http::ListElements(value)) {
    const std::size_t slash = protocol.find('/');
    if (!http::is_token(protocol.substr(0, slash))) return false;
    if (slash != std::string_view::npos && !http::is_token(protocol.substr(slash + 1))) {
      return false;
    }
    any = true;
  }
  return any;
}

TrailerRule trailer_rule(HeaderName name) {
  switch (name) {
    case HeaderName::other:
    case HeaderName::content_digest:
    case HeaderName::content_md5:
    case HeaderName::date:
    case HeaderName::etag:
    case HeaderName::expires:
    case HeaderName::grpc_status:
    case HeaderName::last_modified:
    case HeaderName::link:
    case HeaderName::retry_after:
    case HeaderName::server:
    case HeaderName::server_timing:
    case HeaderName::warning:
    case HeaderName::x_request_id:
      return TrailerRule::pass;
    case HeaderName::connection:
    case HeaderName::content_length:
    case HeaderName::expect:
    case HeaderName::host:
    case HeaderName::keep_alive:
    case HeaderName::max_forwards:
    case HeaderName::proxy_connection:
    case HeaderName::te:
    case HeaderName::trailer:
    case HeaderName::transfer_encoding:
    case HeaderName::upgrade:
      return TrailerRule::refuse;
    default:
      return TrailerRule::drop;
  }
}

}  // namespace doorward::codec::h1
