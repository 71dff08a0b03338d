#include "exchange/listener.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/shortage.h"
#include "exchange/client_connection.h"
#include "exchange/core.h"
#include "exchange/problems.h"
#include "http/status.h"
#include "observe/json_escape.h"
#include "observe/request_id.h"

namespace doorward::exchange {
namespace {

using observe::Metric;
using observe::RefusedBecause;

constexpr std::string_view kTooMany = "too_many_connections";

IpKey ip_of(const loop::Address& peer) {
  std::uint8_t raw[16];
  peer.ip_bytes(raw);
  IpKey ip;
  std::memcpy(ip.data(), raw, sizeof raw);
  return ip;
}

// One connection's place in the counts of its listener.
class Seat {
 public:
  explicit Seat(ListenerState& listener) : listener_(listener) {
    ++listener_.open;
    listener_.series.add(Metric::connections_accepted);
    listener_.series.raise(Metric::connections_open);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() {
    --listener_.open;
    listener_.series.lower(Metric::connections_open);
  }

 private:
  ListenerState& listener_;
};

// The limit that leaves no place for another connection, if one does. Behind the PROXY protocol
// the client's address is not known yet.
std::optional<RefusedBecause> limit_reached(const ListenerState& listener,
                                            const loop::Address& peer) {
  if (listener.open >= listener.connection_limit) return RefusedBecause::connections;
  if (listener.config->proxy_protocol || !listener.ip_full(peer)) return std::nullopt;
  return RefusedBecause::connections_per_ip;
}

void refuse(ListenerState& listener, RefusedBecause why, int fd) {
  const std::string text = refuse_connection(listener, why);
  if (listener.tls == nullptr) {
    [[maybe_unused]] const ssize_t sent =
        ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  ::close(fd);
}

codec::h1::ParseLimits parse_limits(const ListenerConfig& config) {
  codec::h1::ParseLimits limits;
  limits.head_bytes = static_cast<std::uint32_t>(config.limits.header_bytes.count);
  limits.header_count = config.limits.header_count;
  limits.target_length = static_cast<std::uint32_t>(config.limits.target_length.count);
  limits.line_length = limits.head_bytes;
  return limits;
}

// What both codecs call the same.
template <class Settings>
std::shared_ptr<Settings> server_settings(const ListenerConfig& config) {
  auto made = std::make_shared<Settings>();
  made->parse = parse_limits(config);
  made->requests_per_connection = config.limits.requests_per_connection;
  made->header_timeout = config.timeouts.header;
  made->body_timeout = config.timeouts.body;
  made->idle_timeout = config.timeouts.idle;
  made->send_timeout = config.timeouts.send;
  made->min_data_rate = config.min_data_rate.bytes_per_second;
  return made;
}

std::shared_ptr<const codec::h1::ServerSettings> http1_settings(const ListenerConfig& config) {
  return server_settings<codec::h1::ServerSettings>(config);
}

std::shared_ptr<const codec::h2::ServerSettings> http2_settings(const ListenerConfig& config) {
  auto made = server_settings<codec::h2::ServerSettings>(config);
  made->session.max_concurrent_streams = config.http2.max_concurrent_streams;
  made->session.stream_window = static_cast<std::uint32_t>(config.http2.stream_window.count);
  made->session.connection_window =
      static_cast<std::uint32_t>(config.http2.connection_window.count);
  return made;
}

}  // namespace

std::size_t IpHash::operator()(const std::array<std::uint8_t, 16>& ip) const {
  std::uint64_t high, low;
  std::memcpy(&high, ip.data(), 8);
  std::memcpy(&low, ip.data() + 8, 8);
  std::uint64_t mixed = (high ^ low * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
  return static_cast<std::size_t>(mixed ^ mixed >> 32);
}

loop::Task<void> serve_client(ListenerState& listener, int fd, const loop::Address& peer) {
  if (const auto why = limit_reached(listener, peer)) {
    refuse(listener, *why, fd);
    co_return;
  }
  const Seat seat(listener);
  ClientConnection connection(listener, fd, peer);
  co_await connection.serve();
}

std::string refuse_connection(ListenerState& listener, RefusedBecause why) {
  listener.series.add_value(Metric::connections_refused, static_cast<unsigned>(why));
  listener.core.metrics().add_value(Metric::replies,
                                    static_cast<unsigned>(problem_number(kTooMany)));
  return last_words(
      listener.core, 503, kTooMany,
      fmt::format(
          "The listener has no place for another connection now: its limit \"{}\" is reached.",
          why == RefusedBecause::connections ? "connections" : "connections_per_ip"));
}

std::string last_words(Core& core, std::uint16_t status, std::string_view code,
                       std::string_view detail) {
  char id[observe::kHexIdLength];
  observe::write_hex_id(core.loop().random(), id);
  const std::string_view title = http::reason_phrase(status);
  std::string body = fmt::format(
      "{{\"type\":\"https://doorward.dev/problems/{0}\",\"title\":\"{1}\",\"status\":{2},"
      "\"code\":\"{0}\",\"detail\":",
      code, title, status);
  observe::append_json_string(body, detail);
  body += fmt::format(",\"request_id\":\"{}\"}}\n", std::string_view(id, sizeof id));
  return fmt::format(
      "HTTP/1.1 {} {}\r\ncontent-type: application/problem+json\r\n"
      "date: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
      status, title, core.date(), body.size(), body);
}

IpSeat::IpSeat(ListenerState& listener, const loop::Address& client)
    : listener_(listener),
      ip_(ip_of(client)),
      counted_(listener.config->limits.connections_per_ip != 0) {
  if (counted_) ++listener_.per_ip[ip_];
}

IpSeat::~IpSeat() {
  if (!counted_) return;
  const auto at = listener_.per_ip.find(ip_);
  if (--at->second == 0) listener_.per_ip.erase(at);
}

bool ListenerState::ip_full(const loop::Address& client) const {
  const std::uint32_t limit = config->limits.connections_per_ip;
  if (limit == 0 || client.is_unix()) return false;
  const auto at = per_ip.find(ip_of(client));
  return at != per_ip.end() && at->second >= limit;
}

ListenerState::ListenerState(Core& c, const ListenerEntry& entry, unsigned n_cores)
    : core(c), slot(entry.slot), series(core.metrics().listener(slot)), cores(n_cores) {
  use(entry);
}

void ListenerState::rename(observe::Slot to) {
  series.lower(Metric::connections_open, open);
  series.lower(Metric::http2_streams_open, http2_streams);
  slot = to;
  series = core.metrics().listener(to);
  series.raise(Metric::connections_open, open);
  series.raise(Metric::http2_streams_open, http2_streams);
}

void ListenerState::use(const ListenerEntry& entry) {
  if (entry.slot != slot) rename(entry.slot);
  config = entry.config;
  https_redirect = config->https_redirect
                       ? std::make_unique<policy::HttpsRedirect>(*config->https_redirect)
                       : nullptr;
  hsts = config->hsts ? std::make_unique<std::string>(policy::hsts_value(*config->hsts)) : nullptr;
  http1 = http1_settings(*config);
  http2 = http2_settings(*config);
  tls = entry.tls.empty() ? nullptr : entry.tls[core.index()];
  connection_limit = std::max(1u, config->limits.connections / cores);
}

void ListenerState::accept_from(int listening_fd) {
  auto on_accept = [this](Result<int> fd, const loop::Address& peer) {
    if (!fd) {
      series.add_value(Metric::connections_refused,
                       static_cast<unsigned>(RefusedBecause::descriptors));
      core.events().error("accept_failed", {{"listener", config->name},
                                            {"error", fd.error().cause},
                                            {"hint", shortage_hint(fd.error().code)}});
      return;
    }
    core.gate().spawn(serve_client(*this, *fd, peer));
  };
  accepting.push_back({listening_fd, core.loop().accept(listening_fd, std::move(on_accept))});
}

loop::Task<void> ListenerState::stop() {
  for (const auto& [fd, acceptor] : accepting) {
    co_await acceptor->drain();
    ::close(fd);  // here and now: who connects in between would be reset
  }
}

void ListenerState::drain() {
  // A connection that was idle ends here and now and leaves the list: take its successor first.
  for (ClientConnection* at = connections; at != nullptr;) {
    ClientConnection* next = at->next();
    at->drain();
    at = next;
  }
}

void ListenerState::cut() {
  for (ClientConnection* at = connections; at != nullptr;) {
    ClientConnection* next = at->next();
    at->cut();
    at = next;
  }
}

}  // namespace doorward::exchange
