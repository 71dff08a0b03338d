// The response's side of head parsing: the status line, and the framing that depends on the
// request (RFC 9112 §6.3).
#include "codec/h1/response_parser.h"

#include "codec/h1/message_fields.h"
#include "text/ascii.h"

namespace doorward::codec::h1 {
namespace {

constexpr std::uint8_t kMostInterim = 16;  // as the sentence of too_many_interim says

using text::is_digit;

// RFC 9112 §4: HTTP-version SP status-code SP [ reason-phrase ]
Refusal read_status_line(std::string_view line, http::ResponseHead& out) {
  if (line.size() < 9 || !line.starts_with("HTTP/") || !is_digit(line[5]) || line[6] != '.' ||
      !is_digit(line[7]) || line[8] != ' ') {
    return Refusal::bad_status_line;
  }
  if (line[5] != '1' || line[7] > '1') return Refusal::version_unsupported;
  out.version = line[7] == '1' ? http::Version::http11 : http::Version::http10;
  const std::string_view rest = line.substr(9);
  if (rest.size() < 3 || !is_digit(rest[0]) || !is_digit(rest[1]) || !is_digit(rest[2])) {
    return Refusal::bad_status;
  }
  if (rest.size() > 3 && is_digit(rest[3])) return Refusal::bad_status;
  if (rest.size() > 3 && rest[3] != ' ') return Refusal::bad_status_line;
  const int status = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
  if (status < 100 || status > 599) return Refusal::bad_status;
  out.status = static_cast<std::uint16_t>(status);
  out.reason = rest.size() > 4 ? rest.substr(4) : std::string_view();
  return Refusal::none;
}

}  // namespace

void ResponseParser::reset(http::Method method, bool upgrade_sent) {
  *this = ResponseParser();
  method_ = method;
  upgrade_sent_ = upgrade_sent;
}

void ResponseParser::next_head() {
  const std::uint8_t count = interim_count_;
  reset(method_, upgrade_sent_);
  interim_count_ = count;
}

Progress ResponseParser::parse(std::string_view bytes, const ParseLimits& limits,
                               http::ResponseHead& out) {
  bytes = bytes.substr(0, limits.head_bytes);
  if (base_ != bytes.data()) follow(bytes, out);
  seen_ = bytes.size();
  const Progress progress = step(bytes, limits, out);
  if (progress == Progress::need_more && bytes.size() == limits.head_bytes) {
    return refuse(Refusal::head_too_large);
  }
  return progress;
}

void ResponseParser::follow(std::string_view bytes, http::ResponseHead& out) {
  if (base_ != nullptr) {
    rebase(out.reason, base_, seen_, bytes.data());
    out.headers.rebase(base_, seen_, bytes.data());
  }
  base_ = bytes.data();
}

Progress ResponseParser::step(std::string_view bytes, const ParseLimits& limits,
                              http::ResponseHead& out) {
  if (state_ == State::first_line) {
    std::string_view line;
    const Progress first =
        scanner_.first_line(bytes, limits.line_length, Refusal::header_line_too_long, line);
    if (first == Progress::refused) return refuse(scanner_.refusal());
    if (first == Progress::need_more) return first;
    const Refusal refusal = read_status_line(line, out);
    if (refusal != Refusal::none) return refuse(refusal);
    state_ = State::headers;
  }
  const Progress headers = scanner_.headers(bytes, limits, out.headers);
  if (headers == Progress::refused) return refuse(scanner_.refusal());
  if (headers == Progress::need_more) return headers;
  consumed_ = scanner_.position();
  const Refusal refusal = finish(out);
  return refusal == Refusal::none ? Progress::done : refuse(refusal);
}

Refusal ResponseParser::finish(const http::ResponseHead& head) {
  const Refusal framing = choose_framing(head);
  if (framing != Refusal::none) return framing;
  ConnectionOptions connection;
  const Refusal refusal = read_connection(head.headers, connection);
  if (refusal != Refusal::none) return refusal;
  switched_ = head.status == 101 || (method_ == http::Method::connect && head.status / 100 == 2);
  interim_ = head.status / 100 == 1 && !switched_;
  if (head.status == 101 && !upgrade_sent_) return Refusal::unexpected_upgrade;
  if (interim_ && ++interim_count_ > kMostInterim) return Refusal::too_many_interim;
  keep_alive_ =
      !switched_ && framing_.kind != Body::until_close && persists(head.version, connection);
  return Refusal::none;
}

Refusal ResponseParser::choose_framing(const http::ResponseHead& head) {
  BodyFields body;
  const Refusal refusal = read_body_fields(head.headers, head.version, body);
  if (refusal != Refusal::none) return refusal;
  // RFC 9110 §8.6 and RFC 9112 §6.1: 1xx and 204 carry neither field. `Content-Length: 0` is
  // harmless and usual; anything else leaves open what the bytes behind the head are.
  if (head.status / 100 == 1 || head.status == 204) {
    return body.chunked || body.length > 0 ? Refusal::body_not_allowed : Refusal::none;
  }
  if (method_ == http::Method::head || head.status == 304) return Refusal::none;
  if (method_ == http::Method::connect && head.status / 100 == 2) return Refusal::none;
  if (body.chunked) {
    framing_ = {Body::chunked, 0};
  } else if (!body.has_length) {
    framing_ = {Body::until_close, 0};
  } else if (body.length > 0) {
    framing_ = {Body::length, body.length};
  }
  return Refusal::none;
}

}  // namespace doorward::codec::h1
