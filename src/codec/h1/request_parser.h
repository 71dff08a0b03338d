// RequestParser: bytes -> RequestHead, incremental and zero-copy (RFC 9112 §2-§6). Everything
// that two parsers could read differently is refused with a code; nothing is repaired.
// Owner: a client's HTTP/1.x connection; one head at a time, reset() in between.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/h1/framing.h"
#include "codec/h1/head_scanner.h"
#include "codec/h1/refusal.h"
#include "codec/h1/target.h"
#include "http/head.h"

namespace doorward::codec::h1 {

class RequestParser {
 public:
  void reset() { *this = RequestParser(); }

  // `bytes` starts at the head's first byte each time and only ever grows; it may lie elsewhere
  // at the next call (views already given follow it). Up to two empty lines before the request
  // line are skipped (RFC 9112 §2.2). After `done` or `refused`, reset() before the next call.
  // `out` is a fresh head at the first call and the same one afterwards; its views point into
  // `bytes`. Everything below is valid after `done` only, save refusal().
  Progress parse(std::string_view bytes, const ParseLimits& limits, http::RequestHead& out);

  std::size_t consumed() const { return consumed_; }  // the head, skipped and last empty lines too
  Refusal refusal() const { return refusal_; }
  Framing framing() const { return framing_; }
  // May the connection be used again (RFC 9112 §9.3)? `Connection: close` wins over keep-alive.
  bool keep_alive() const { return keep_alive_; }
  // `Expect: 100-continue` in an HTTP/1.1 request that has content (RFC 9110 §10.1.1).
  bool expect_continue() const { return expect_continue_; }
  // The Upgrade field's value, only when Connection names it too and the request is HTTP/1.1;
  // else empty. Always a valid protocol list. (RFC 9110 §7.8)
  std::string_view upgrade() const { return upgrade_; }
  // host[:port] of the request: the target's in absolute form, else Host's; empty only in
  // HTTP/1.0 without Host. A Host that differs from an absolute target (ignoring case
  // and the scheme's default port) is refused: RFC 9112 §3.2.2 would have the target win, but a
  // backend that looks at Host would then see another one.
  std::string_view host() const { return host_; }
  // The target's path and query: the target itself in origin form; behind the authority in
  // absolute form ("/" when it has none; "?…" when it has a query only); "*".
  std::string_view path_and_query() const { return target_.path_and_query; }
  bool target_is_https() const { return target_.https; }  // absolute form with https

 private:
  Progress refuse(Refusal why) {
    refusal_ = why;
    return Progress::refused;
  }
  Progress step(std::string_view bytes, const ParseLimits& limits, http::RequestHead& out);
  Progress skip_empty_lines(std::string_view bytes);
  Progress first_line(std::string_view bytes, const ParseLimits& limits, http::RequestHead& out);
  void follow(std::string_view bytes, http::RequestHead& out);
  Refusal finish(const http::RequestHead& head);
  Refusal read_host(const http::RequestHead& head);
  Refusal read_expect(const http::RequestHead& head);
  void read_upgrade(const http::RequestHead& head);

  enum class State : std::uint8_t { before, first_line, headers };

  State state_ = State::before;
  Refusal refusal_ = Refusal::none;
  bool keep_alive_ = false;
  bool expect_continue_ = false;
  std::uint8_t empty_lines_ = 0;
  HeadScanner scanner_;
  std::uint32_t consumed_ = 0;
  Framing framing_;
  const char* base_ = nullptr;  // where the bytes lay at the last call
  std::size_t seen_ = 0;        // and how many there were
  Target target_;
  std::string_view host_;
  std::string_view upgrade_;
};

}  // namespace doorward::codec::h1
