// HeadReader: a header block, field by field as HPACK gives it, into a head or trailers, under the
// rules of RFC 9113 §8. nghttp2's own checks are off (they end the stream without a word): what
// these refuse gets a stable code and an answer. Rules that are not HTTP/2's own (methods, targets,
// hosts, Content-Length) are those of h1, so that both versions agree about what a message is.
//
// The first rule that is broken is remembered; what comes after it is skipped, not kept, so that a
// list of any length costs no memory. Views live in the arena.
// Owner: a stream; one block at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "codec/h1/framing.h"
#include "codec/h1/target.h"
#include "codec/h2/refusal.h"
#include "http/head.h"

namespace doorward::codec::h2 {

class HeadReader {
 public:
  enum class Kind : std::uint8_t { request, response, trailers };

  void begin(Kind kind, Arena& arena, http::HeaderList& into, const h1::ParseLimits& limits);
  void field(std::string_view name, std::string_view value);
  // The block is complete. False: refused, see why().
  bool finish(http::RequestHead& head);
  bool finish(http::ResponseHead& head);
  bool finish_trailers();

  bool refused() const { return why_.status != 200; }
  const BadRequest& why() const { return why_; }
  // Far beyond the limit on header bytes: no mistake any more.
  bool is_bomb() const { return bytes_ > kBombFactor * std::uint64_t{limits_.head_bytes}; }
  std::uint32_t fields() const { return count_; }

  // Of a request that was not refused:
  bool extended_connect() const { return !pseudo_[kProtocol].empty(); }
  bool expects_continue() const { return expects_continue_; }
  // Content-Length of either.
  bool has_length() const { return has_length_; }
  std::uint64_t length() const { return length_; }

 private:
  static constexpr std::uint64_t kBombFactor = 4;
  enum Pseudo : std::uint8_t { kMethod, kScheme, kAuthority, kPath, kProtocol, kStatus, kNone };

  template <class Why>
  void refuse(Why why) {
    if (!refused()) why_ = bad_request(why);
  }
  static Pseudo pseudo_of(std::string_view name);
  void pseudo_field(std::string_view name, std::string_view value);
  void ordinary_field(std::string_view name, std::string_view value);
  void check_name(std::string_view name, http::HeaderName id);
  void read_request_line(http::RequestHead& head);
  void read_connect(http::RequestHead& head);
  void read_host(http::RequestHead& head);
  void read_length(http::Version version);
  void read_expect();
  void check_pseudo();
  void join_cookies();
  bool has(Pseudo pseudo) const { return (seen_ & (1u << pseudo)) != 0; }

  Arena* arena_ = nullptr;
  http::HeaderList* headers_ = nullptr;
  h1::ParseLimits limits_;  // a copy: settings may go with a reload
  std::string_view pseudo_[kNone];
  BadRequest why_{200, {}, {}, 0};
  std::uint64_t bytes_ = 0;
  std::uint64_t length_ = 0;
  std::uint32_t count_ = 0;
  std::uint8_t seen_ = 0;
  Kind kind_ = Kind::request;
  bool has_length_ = false;
  bool expects_continue_ = false;
};

}  // namespace doorward::codec::h2
