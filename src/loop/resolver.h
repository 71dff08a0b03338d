// Resolver: host names to addresses on the loop, by c-ares: /etc/hosts, then the servers and
// search domains of /etc/resolv.conf.
//
// Owner: a core. It may go while somebody waits in resolve(), who then wakes with `cancelled`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "loop/address.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace doorward::loop {

struct Resolved {
  std::vector<Address> addresses;  // never empty; in order of preference (RFC 6724)
  // How long the answer may be used: the least TTL. 0 for names of /etc/hosts (ask again when
  // convenient: callers put a floor under it), Duration::max() for literal addresses.
  Duration ttl{};
};

struct ResolverOptions {
  std::string servers;     // "127.0.0.1:53,[::1]:53"; empty: the system's
  Duration timeout{2000};  // of the first try; later tries wait longer
  int tries = 3;
};

class Resolver {
 public:
  explicit Resolver(Loop& loop, ResolverOptions options = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Literal IP addresses (IPv6 with or without brackets) are answered at once, without a frame.
  // Errors name the host: "resolve orders.internal: no such name" (unresolved, timeout).
  Task<Result<Resolved>> resolve(std::string host, std::uint16_t port, Deadline deadline);
  // Ends all that is under way with ErrorKind::cancelled.
  void cancel_all();

 private:
  class Channel;
  class Lookup;
  static Task<Result<Resolved>> look_up(Channel& channel, std::string host, std::uint16_t port,
                                        Deadline deadline);

  Channel* channel_;  // frees itself when the last wait for its descriptors has ended
};

}  // namespace doorward::loop
