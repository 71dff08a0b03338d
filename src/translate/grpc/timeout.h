// The header grpc-timeout: at most eight digits and a unit (H, M, S, m, u, n), how long the client
// waits for the whole call. Source: gRPC over HTTP2, "Requests". Pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string_view>

namespace doorward::translate::grpc {

using Timeout = std::chrono::microseconds;

// Longer ones are as good as none, and are read as this.
inline constexpr Timeout kLongestTimeout = std::chrono::hours(10 * 365 * 24);

// Rounded up to whole microseconds; the error is a sentence for people.
std::expected<Timeout, std::string_view> parse_timeout(std::string_view text);

inline constexpr std::size_t kTimeoutSize = 9;
// Writes at most kTimeoutSize bytes to `to`; returns their end. Rounded down to what eight digits
// can say, so that nobody is promised more than there is. `timeout` is not negative.
char* write_timeout(Timeout timeout, char* to);

}  // namespace doorward::translate::grpc
