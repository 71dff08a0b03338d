#include "upstream/service_config.h"

#include <charconv>
#include <fmt/format.h>

namespace doorward::upstream {
namespace {

bool parse_port(std::string_view text, std::uint16_t& port) {
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && at == end && port != 0;
}

// Splits "host", "host:port", "[v6]" and "[v6]:port"; false when it is none of them.
bool split_authority(std::string_view text, std::string& host, std::uint16_t& port) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    return text.empty() || (text[0] == ':' && parse_port(text.substr(1), port));
  }
  const std::size_t colon = text.find(':');
  host = text.substr(0, colon);
  if (host.empty() || host.find_first_of(" \t/@?#") != std::string::npos) return false;
  return colon == std::string_view::npos || parse_port(text.substr(colon + 1), port);
}

}  // namespace

std::string EndpointConfig::authority() const {
  if (!unix_path.empty()) return "localhost";
  const bool v6 = host.find(':') != std::string::npos;
  std::string text = v6 ? fmt::format("[{}]", host) : host;
  if (port != 80) text += fmt::format(":{}", port);
  return text;
}

EndpointUrl parse_endpoint(std::string url) {
  EndpointUrl result;
  EndpointConfig& endpoint = result.endpoint;
  endpoint.url = std::move(url);
  std::string_view rest = endpoint.url;
  if (rest.starts_with("unix:")) {
    rest.remove_prefix(5);
    if (!rest.starts_with('/')) {
      result.error = fmt::format("'{}' needs an absolute path: unix:/run/app.sock", endpoint.url);
    } else if (rest.size() > 107) {
      result.error = fmt::format("the socket path of '{}' is longer than 107 bytes", endpoint.url);
    }
    endpoint.unix_path = rest;
    return result;
  }
  if (rest.starts_with("https://")) {
    result.error = fmt::format("'{}': TLS to backends is not there yet; use http://", endpoint.url);
    return result;
  }
  if (!rest.starts_with("http://")) {
    result.error = fmt::format("'{}' must begin with http:// or unix:", endpoint.url);
    return result;
  }
  rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  endpoint.port = 80;
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    result.error = fmt::format(
        "'{}' has a path: an endpoint is only http://HOST:PORT (use the rewrite policy for paths)",
        endpoint.url);
  } else if (!split_authority(rest, endpoint.host, endpoint.port)) {
    result.error = fmt::format("'{}' is not http://HOST:PORT", endpoint.url);
  }
  return result;
}

}  // namespace doorward::upstream
