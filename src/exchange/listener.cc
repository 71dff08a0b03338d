#include "exchange/listener.h"

#include <fmt/format.h>
#include <unistd.h>

#include "exchange/client_connection.h"
#include "exchange/core.h"
#include "exchange/problems.h"
#include "observe/request_id.h"

namespace doorward::exchange {
namespace {

using observe::Metric;
using observe::RefusedBecause;

constexpr std::string_view kTooMany = "too_many_connections";

// Nothing was read of the connection, so the answer needs no exchange and is sent only once.
void answer_too_many(Core& core, RefusedBecause why, int fd) {
  char id[observe::kHexIdLength];
  observe::write_hex_id(core.loop().random(), id);
  const std::string body = fmt::format(
      "{{\"type\":\"https://doorward.dev/problems/{0}\",\"title\":\"Service Unavailable\","
      "\"status\":503,\"code\":\"{0}\",\"detail\":\"The listener has no place for another "
      "connection now: its limit \\\"{1}\\\" is reached.\",\"request_id\":\"{2}\"}}\n",
      kTooMany, why == RefusedBecause::connections ? "connections" : "connections_per_ip",
      std::string_view(id, sizeof id));
  const std::string text = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n"
      "date: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
      core.date(), body.size(), body);
  [[maybe_unused]] const ssize_t sent =
      ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::array<std::uint8_t, 16> ip_of(const loop::Address& peer) {
  std::uint8_t raw[16];
  peer.ip_bytes(raw);
  std::array<std::uint8_t, 16> ip;
  std::memcpy(ip.data(), raw, sizeof raw);
  return ip;
}

// One connection's place in the counts of its listener.
class Seat {
 public:
  Seat(ListenerState& listener, const std::array<std::uint8_t, 16>& ip)
      : listener_(listener),
        ip_(ip),
        counted_per_ip_(listener.config->limits.connections_per_ip != 0) {
    ++listener_.open;
    if (counted_per_ip_) ++listener_.per_ip[ip_];
    listener_.series.add(Metric::connections_accepted);
    listener_.series.raise(Metric::connections_open);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() {
    --listener_.open;
    listener_.series.lower(Metric::connections_open);
    if (!counted_per_ip_) return;
    const auto at = listener_.per_ip.find(ip_);
    if (--at->second == 0) listener_.per_ip.erase(at);
  }

 private:
  ListenerState& listener_;
  const std::array<std::uint8_t, 16> ip_;
  const bool counted_per_ip_;  // a reload may set or lift the limit while the connection is open
};

// The limit that leaves no place for another connection, if one does.
std::optional<RefusedBecause> limit_reached(const ListenerState& listener,
                                            const loop::Address& peer,
                                            const std::array<std::uint8_t, 16>& ip) {
  if (listener.open >= listener.connection_limit) return RefusedBecause::connections;
  const std::uint32_t limit = listener.config->limits.connections_per_ip;
  if (limit == 0 || peer.is_unix()) return std::nullopt;
  const auto at = listener.per_ip.find(ip);
  if (at == listener.per_ip.end() || at->second < limit) return std::nullopt;
  return RefusedBecause::connections_per_ip;
}

void refuse(ListenerState& listener, RefusedBecause why, int fd) {
  listener.series.add_value(Metric::connections_refused, static_cast<unsigned>(why));
  listener.core.metrics().add_value(Metric::replies,
                                    static_cast<unsigned>(problem_number(kTooMany)));
  answer_too_many(listener.core, why, fd);
  ::close(fd);
}

}  // namespace

std::size_t IpHash::operator()(const std::array<std::uint8_t, 16>& ip) const {
  std::uint64_t high, low;
  std::memcpy(&high, ip.data(), 8);
  std::memcpy(&low, ip.data() + 8, 8);
  std::uint64_t mixed = (high ^ low * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
  return static_cast<std::size_t>(mixed ^ mixed >> 32);
}

loop::Task<void> serve_client(ListenerState& listener, int fd, loop::Address peer) {
  const std::array<std::uint8_t, 16> ip = ip_of(peer);
  if (const auto why = limit_reached(listener, peer, ip)) {
    refuse(listener, *why, fd);
    co_return;
  }
  const Seat seat(listener, ip);
  ClientConnection connection(listener, fd, peer);
  co_await connection.serve();
}

ListenerState::ListenerState(Core& c, const ListenerEntry& entry, unsigned n_cores)
    : core(c), slot(entry.slot), series(core.metrics().listener(slot)), cores(n_cores) {
  use(entry);
}

void ListenerState::rename(observe::Slot to) {
  series.lower(Metric::connections_open, open);
  slot = to;
  series = core.metrics().listener(to);
  series.raise(Metric::connections_open, open);
}

void ListenerState::use(const ListenerEntry& entry) {
  if (entry.slot != slot) rename(entry.slot);
  const std::shared_ptr<const ListenerConfig>& now = entry.config;
  auto fresh = std::make_shared<codec::h1::ServerSettings>();
  fresh->parse.head_bytes = static_cast<std::uint32_t>(now->limits.header_bytes.count);
  fresh->parse.header_count = now->limits.header_count;
  fresh->parse.target_length = static_cast<std::uint32_t>(now->limits.target_length.count);
  fresh->parse.line_length = fresh->parse.head_bytes;
  fresh->requests_per_connection = now->limits.requests_per_connection;
  fresh->header_timeout = now->timeouts.header;
  fresh->body_timeout = now->timeouts.body;
  fresh->idle_timeout = now->timeouts.idle;
  fresh->send_timeout = now->timeouts.send;
  fresh->min_data_rate = now->min_data_rate.bytes_per_second;
  connection_limit = std::max(1u, now->limits.connections / cores);
  settings = std::move(fresh);
  config = now;
}

void ListenerState::accept_from(int listening_fd) {
  auto on_accept = [this](Result<int> fd, const loop::Address& peer) {
    if (!fd) {
      series.add_value(Metric::connections_refused,
                       static_cast<unsigned>(RefusedBecause::descriptors));
      core.events().error("accept_failed",
                          {{"listener", config->name}, {"error", fd.error().cause}});
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
