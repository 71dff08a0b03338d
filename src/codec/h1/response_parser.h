// ResponseParser: a backend's bytes -> ResponseHead, incremental, zero-copy and as strict as the
// request parser (RFC 9112 §4-§6). Framing depends on the request: reset() is told about it.
// Owner: a connection to a backend; one response at a time, interim (1xx) heads included.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/h1/framing.h"
#include "codec/h1/head_scanner.h"
#include "codec/h1/refusal.h"
#include "http/head.h"

namespace doorward::codec::h1 {

class ResponseParser {
 public:
  ResponseParser() = default;
  // `method`: the request's. `upgrade_sent`: the request had an Upgrade field, so 101 may come.
  void reset(http::Method method, bool upgrade_sent = false);
  // After an interim response (1xx but 101): the next head of the same exchange comes.
  void next_head();

  // As RequestParser::parse. No empty line may come before the status line. A status line that
  // ends right after the code (no space, no reason) is accepted.
  Progress parse(std::string_view bytes, const ParseLimits& limits, http::ResponseHead& out);

  std::size_t consumed() const { return consumed_; }
  Refusal refusal() const { return refusal_; }
  // RFC 9112 §6.3. None for HEAD, 1xx, 204, 304 and a 2xx to CONNECT.
  Framing framing() const { return framing_; }
  // May the connection be used again once the content has been read? Never with until_close,
  // nor after 101.
  bool keep_alive() const { return keep_alive_; }
  bool interim() const { return interim_; }    // 1xx but 101: another head follows
  bool switched() const { return switched_; }  // 101, or 2xx to CONNECT: a tunnel follows

 private:
  Progress refuse(Refusal why) {
    refusal_ = why;
    return Progress::refused;
  }
  Progress step(std::string_view bytes, const ParseLimits& limits, http::ResponseHead& out);
  void follow(std::string_view bytes, http::ResponseHead& out);
  Refusal finish(const http::ResponseHead& head);
  Refusal choose_framing(const http::ResponseHead& head);

  enum class State : std::uint8_t { first_line, headers };

  http::Method method_ = http::Method::get;
  bool upgrade_sent_ = false;
  State state_ = State::first_line;
  Refusal refusal_ = Refusal::none;
  bool keep_alive_ = false;
  bool interim_ = false;
  bool switched_ = false;
  std::uint8_t interim_count_ = 0;
  HeadScanner scanner_;
  std::uint32_t consumed_ = 0;
  Framing framing_;
  const char* base_ = nullptr;
  std::size_t seen_ = 0;
};

}  // namespace doorward::codec::h1
