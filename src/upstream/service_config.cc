#include "upstream/service_config.h"

#include <charconv>
#include <fmt/format.h>

namespace doorward::upstream {
namespace {

constexpr std::uint16_t default_port(bool tls) { return tls ? 443 : 80; }

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

// Both give what is wrong, or nothing.
std::string read_unix(EndpointConfig& endpoint) {
  const std::string_view path = std::string_view(endpoint.url).substr(5);
  if (!path.starts_with('/')) {
    return fmt::format("'{}' needs an absolute path: unix:/run/app.sock", endpoint.url);
  }
  if (path.size() > 107) {
    return fmt::format("the socket path of '{}' is longer than 107 bytes", endpoint.url);
  }
  endpoint.unix_path = path;
  return {};
}

std::string read_tcp(EndpointConfig& endpoint) {
  endpoint.tls = endpoint.url.starts_with("https://");
  endpoint.port = default_port(endpoint.tls);
  const std::string_view scheme = endpoint.tls ? "https" : "http";
  std::string_view rest = std::string_view(endpoint.url).substr(scheme.size() + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    return fmt::format(
        "'{}' has a path: an endpoint is only {}://HOST:PORT (use the rewrite policy for paths)",
        endpoint.url, scheme);
  }
  if (split_authority(rest, endpoint.host, endpoint.port)) return {};
  return fmt::format("'{}' is not {}://HOST:PORT", endpoint.url, scheme);
}

}  // namespace

std::string EndpointConfig::authority() const {
  if (!unix_path.empty()) return "localhost";
  const bool v6 = host.find(':') != std::string::npos;
  std::string text = v6 ? fmt::format("[{}]", host) : host;
  if (port != default_port(tls)) text += fmt::format(":{}", port);
  return text;
}

EndpointUrl parse_endpoint(std::string url) {
  EndpointUrl result;
  EndpointConfig& endpoint = result.endpoint;
  endpoint.url = std::move(url);
  if (endpoint.url.starts_with("unix:")) {
    result.error = read_unix(endpoint);
  } else if (endpoint.url.starts_with("https://") || endpoint.url.starts_with("http://")) {
    result.error = read_tcp(endpoint);
  } else {
    result.error = fmt::format("'{}' must begin with http://, https:// or unix:", endpoint.url);
  }
  return result;
}

}  // namespace doorward::upstream
