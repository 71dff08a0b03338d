#include "handler/proxy/max_forwards.h"

#include <charconv>
#include <fmt/format.h>

namespace doorward::handler {

MaxForwards count_forward(http::RequestHead& head, Arena& arena) {
  using http::HeaderName;
  if (!head.headers.has(HeaderName::max_forwards)) return MaxForwards::go_on;
  if (head.method != http::Method::options && head.method != http::Method::trace) {
    return MaxForwards::go_on;
  }
  const std::string_view value = head.headers.value(HeaderName::max_forwards);
  std::uint64_t left = 0;
  const char* end = value.data() + value.size();
  const auto [read, error] = std::from_chars(value.data(), end, left);
  if (error == std::errc::invalid_argument || read != end) return MaxForwards::go_on;
  if (error == std::errc() && left == 0) return MaxForwards::answer;
  // The largest that is supported, for one that is larger.
  const fmt::format_int text(error == std::errc() ? left - 1 : UINT64_MAX);
  head.headers.set(HeaderName::max_forwards, arena.copy({text.data(), text.size()}));
  return MaxForwards::go_on;
}

http::Reply* last_hop(const http::RequestHead& head, Arena& arena) {
  auto* reply = arena.make<http::Reply>();
  reply->headers = arena.make<http::ReplyHeader>(
      http::ReplyHeader{"allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"});
  if (head.method == http::Method::trace) {
    reply->status = 405;
    reply->code = "method_not_allowed";
    reply->detail = "TRACE is not answered here, where its Max-Forwards ends.";
  } else {
    reply->status = 200;
    reply->has_body = true;
  }
  return reply;
}

}  // namespace doorward::handler
