// The request's side of head parsing: what comes before, the request line, and the rules over
// the finished head. See head_scanner.cc for the lines themselves.
#include "codec/h1/request_parser.h"

#include "codec/h1/authority.h"
#include "codec/h1/message_fields.h"
#include "http/field.h"

namespace doorward::codec::h1 {
namespace {

using http::HeaderName;

constexpr std::uint8_t kMostEmptyLines = 2;
constexpr char kTlsHandshake = 0x16;         // a TLS record's first byte
constexpr std::uint32_t kAroundTarget = 64;  // method, spaces and version around a target
constexpr std::size_t kMethodRoom = 33;      // the longest method and its space

}  // namespace

Progress RequestParser::parse(std::string_view bytes, const ParseLimits& limits,
                              http::RequestHead& out) {
  bytes = bytes.substr(0, limits.head_bytes);
  if (base_ != bytes.data()) follow(bytes, out);
  seen_ = bytes.size();
  const Progress progress = step(bytes, limits, out);
  if (progress == Progress::need_more && bytes.size() == limits.head_bytes) {
    return refuse(Refusal::head_too_large);
  }
  return progress;
}

// The bytes lie elsewhere than at the last call: the views given so far follow them.
void RequestParser::follow(std::string_view bytes, http::RequestHead& out) {
  if (base_ != nullptr) {
    rebase(out.method_text, base_, seen_, bytes.data());
    rebase(out.target, base_, seen_, bytes.data());
    out.headers.rebase(base_, seen_, bytes.data());
  }
  base_ = bytes.data();
}

Progress RequestParser::step(std::string_view bytes, const ParseLimits& limits,
                             http::RequestHead& out) {
  if (state_ == State::before) {
    const Progress skipped = skip_empty_lines(bytes);
    if (skipped != Progress::done) return skipped;
    state_ = State::first_line;
  }
  if (state_ == State::first_line) {
    const Progress first = first_line(bytes, limits, out);
    if (first != Progress::done) return first;
    state_ = State::headers;
  }
  const Progress headers = scanner_.headers(bytes, limits, out.headers);
  if (headers == Progress::refused) return refuse(scanner_.refusal());
  if (headers == Progress::need_more) return headers;
  consumed_ = scanner_.position();
  const Refusal refusal = finish(out);
  return refusal == Refusal::none ? Progress::done : refuse(refusal);
}

// RFC 9112 §2.2: a server should ignore at least one empty line before the request line.
Progress RequestParser::skip_empty_lines(std::string_view bytes) {
  for (;; ++empty_lines_) {
    const std::uint32_t at = empty_lines_ * 2u;
    if (at >= bytes.size()) return Progress::need_more;
    if (bytes[at] != '\r') {
      if (bytes[at] == kTlsHandshake) return refuse(Refusal::tls_on_cleartext);
      scanner_.reset(at);
      return Progress::done;
    }
    if (at + 1 == bytes.size()) return Progress::need_more;
    if (bytes[at + 1] != '\n') return refuse(Refusal::bare_cr);
    if (empty_lines_ == kMostEmptyLines) return refuse(Refusal::too_many_empty_lines);
  }
}

Progress RequestParser::first_line(std::string_view bytes, const ParseLimits& limits,
                                   http::RequestHead& out) {
  std::string_view line;
  const std::uint32_t start = scanner_.position();
  const Progress progress = scanner_.first_line(bytes, limits.target_length + kAroundTarget,
                                                Refusal::target_too_long, line);
  if (progress == Progress::need_more) return progress;
  if (progress == Progress::refused) {
    const bool long_method = scanner_.refusal() == Refusal::target_too_long &&
                             bytes.substr(start, kMethodRoom).find(' ') == std::string_view::npos;
    return refuse(long_method ? Refusal::method_too_long : scanner_.refusal());
  }
  const Refusal refusal = read_request_line(line, limits, out);
  return refusal == Refusal::none ? Progress::done : refuse(refusal);
}

Refusal RequestParser::finish(const http::RequestHead& head) {
  Refusal refusal = read_target(head.target, head.method, target_);
  if (refusal != Refusal::none) return refusal;
  refusal = read_host(head);
  if (refusal != Refusal::none) return refusal;

  BodyFields body;
  refusal = read_body_fields(head.headers, head.version, body);
  if (refusal != Refusal::none) return refusal;
  if (body.chunked) framing_ = {Body::chunked, 0};
  if (body.length > 0) framing_ = {Body::length, body.length};
  // RFC 9110 §9.3.8: a TRACE request has no content.
  if (head.method == http::Method::trace && framing_.kind != Body::none) {
    return Refusal::body_not_allowed;
  }

  ConnectionOptions connection;
  refusal = read_connection(head.headers, connection);
  if (refusal != Refusal::none) return refusal;
  keep_alive_ = persists(head.version, connection);
  if (connection.upgrade) read_upgrade(head);
  return head.headers.has(HeaderName::expect) ? read_expect(head) : Refusal::none;
}

// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0.
Refusal RequestParser::read_host(const http::RequestHead& head) {
  const std::size_t count = head.headers.count(HeaderName::host);
  if (count > 1) return Refusal::host_doubled;
  if (count == 0) {
    host_ = target_.authority;
    return head.version == http::Version::http10 ? Refusal::none : Refusal::host_missing;
  }
  host_ = head.headers.find(HeaderName::host)->value;
  if (!is_authority(host_)) return Refusal::bad_host;
  if (target_.authority.empty()) return Refusal::none;
  if (!same_authority(host_, target_.authority, target_.https ? "443" : "80")) {
    return Refusal::host_differs;
  }
  host_ = target_.authority;
  return Refusal::none;
}

// RFC 9110 §10.1.1; an HTTP/1.0 request's expectation is ignored.
Refusal RequestParser::read_expect(const http::RequestHead& head) {
  if (head.version == http::Version::http10) return Refusal::none;
  for (const http::Header& header : head.headers.values(HeaderName::expect)) {
    if (!http::equal_ignore_case(header.value, "100-continue")) return Refusal::unknown_expectation;
  }
  expect_continue_ = framing_.kind != Body::none;
  return Refusal::none;
}

void RequestParser::read_upgrade(const http::RequestHead& head) {
  if (head.version == http::Version::http10) return;
  if (head.headers.count(HeaderName::upgrade) != 1) return;
  const std::string_view value = head.headers.value(HeaderName::upgrade);
  if (is_protocol_list(value)) upgrade_ = value;
}

}  // namespace doorward::codec::h1
