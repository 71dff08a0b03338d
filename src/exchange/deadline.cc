#include "exchange/deadline.h"

#include <charconv>
#include <fmt/format.h>

#include "exchange/core.h"
#include "exchange/exchange.h"
#include "http/field.h"
#include "translate/grpc/timeout.h"

namespace doorward::exchange {
namespace {

namespace grpc = translate::grpc;
using Milliseconds = std::chrono::duration<std::uint32_t, std::milli>;

constexpr std::size_t kDigits = 9;  // eleven days, at most

std::optional<Milliseconds> parse_milliseconds(std::string_view text) {
  std::uint32_t count = 0;
  if (text.size() > kDigits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Milliseconds(count);
}

void set_grpc_timeout(Exchange& x, grpc::Timeout left) {
  char* const text = x.arena().bytes(grpc::kTimeoutSize);
  const char* const end = grpc::write_timeout(left, text);
  x.request().headers.set(http::HeaderName::grpc_timeout,
                          {text, static_cast<std::size_t>(end - text)});
}

// Rounded down: nobody is promised more than there is.
void set_deadline_header(Exchange& x, const std::string& name, grpc::Timeout left) {
  const fmt::format_int text(std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
  x.request().headers.set(name, x.arena().copy({text.data(), text.size()}));
}

}  // namespace

bool take_deadline_header(Exchange& x) {
  const std::string& name = x.service->config().timeouts.deadline_header;
  for (const http::Header& header : x.request().headers) {
    if (!http::equal_ignore_case(header.name, name)) continue;
    const auto time = parse_milliseconds(header.value);
    if (!time) {
      x.reply_with(400, "deadline_invalid",
                   x.arena().copy(fmt::format("The header {} must say in how many milliseconds the "
                                              "request's time is over: up to nine digits.",
                                              name)));
      return false;
    }
    x.set_client_deadline(Deadline(x.times.begun + *time));
  }
  return true;
}

bool pass_on_deadline(Exchange& x) {
  if (x.total_deadline().is_never()) [[likely]]
    return true;
  const auto left =
      std::chrono::duration_cast<grpc::Timeout>(x.total_deadline().at() - x.core.loop().now());
  if (left.count() <= 0) return false;
  const std::string& name = x.service->config().timeouts.deadline_header;
  if (!name.empty()) set_deadline_header(x, name, left);
  if (x.grpc.has_timeout) set_grpc_timeout(x, left);
  return true;
}

Error no_time_left() {
  return Error{ErrorKind::timeout, Side::backend,
               Retry::no,          0,
               "total_timeout",    "the request's time was over before a backend was asked"};
}

bool client_deadline_passed(const Exchange& x) {
  return x.client_deadline().passed(x.core.loop().now());
}

}  // namespace doorward::exchange
