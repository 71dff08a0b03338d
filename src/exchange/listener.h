// One core's part of a listener: it accepts, counts against the limits, and knows its connections
// so that they can be drained.
// Owner: the Core.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "codec/h1/server_connection.h"
#include "codec/h2/server_settings.h"
#include "exchange/listener_config.h"
#include "loop/acceptor.h"
#include "observe/metrics.h"

namespace doorward::exchange {

class Core;
class ClientConnection;

struct IpHash {
  std::size_t operator()(const std::array<std::uint8_t, 16>& ip) const;
};

using IpKey = std::array<std::uint8_t, 16>;

struct ListenerState {
  ListenerState(Core& core, const ListenerEntry& entry, unsigned cores);

  // Settings of the configuration; connections take them over at their next request. Under a new
  // name it counts there, its open connections too.
  void use(const ListenerEntry& entry);
  // From one more descriptor; there are several when fewer cores than before share them.
  void accept_from(int listening_fd);
  // Accepts no more and closes the descriptors, but serves who was connected by then.
  loop::Task<void> stop();
  void drain();
  void cut();
  // Nobody comes or is served here any more.
  bool is_done() const { return stopped && open == 0; }
  // Its limit leaves no place for another connection of this client.
  bool ip_full(const loop::Address& client) const;

  Core& core;
  observe::Slot slot;
  observe::ListenerSeries series;
  std::shared_ptr<const ListenerConfig> config;
  std::unique_ptr<const policy::HttpsRedirect> https_redirect;  // null: cleartext is served
  std::unique_ptr<const std::string> hsts;                      // the field's value; null: none
  std::shared_ptr<const codec::h1::ServerSettings> http1;
  std::shared_ptr<const codec::h2::ServerSettings> http2;
  std::shared_ptr<const tls::ServerContext> tls;  // null: cleartext
  struct Accepting {
    int listening_fd;
    std::unique_ptr<loop::Acceptor> acceptor;
  };
  std::vector<Accepting> accepting;
  const unsigned cores;  // that share the limit of connections
  std::uint32_t connection_limit = 0;
  std::uint32_t open = 0;
  std::uint32_t http2_streams = 0;  // open
  std::unordered_map<IpKey, std::uint32_t, IpHash> per_ip;
  ClientConnection* connections = nullptr;  // an intrusive list
  bool stopped = false;

 private:
  void rename(observe::Slot to);
};

// A connection's place in the count of its client's address.
class IpSeat {
 public:
  IpSeat(ListenerState& listener, const loop::Address& client);
  IpSeat(const IpSeat&) = delete;
  IpSeat& operator=(const IpSeat&) = delete;
  ~IpSeat();

 private:
  ListenerState& listener_;
  const IpKey ip_;
  const bool counted_;  // a reload may set or lift the limit while the connection is open
};

// Counts and logs the refusal; the answer that a client without a place gets, in cleartext.
std::string refuse_connection(ListenerState& listener, observe::RefusedBecause why);
// The whole answer to a connection on which no exchange begins; its request id is in no log.
std::string last_words(Core& core, std::uint16_t status, std::string_view code,
                       std::string_view detail);

}  // namespace doorward::exchange
