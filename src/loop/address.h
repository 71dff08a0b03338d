// Address: an IPv4, IPv6 or unix socket address as one value. An IPv4-mapped IPv6 address
// (::ffff:a.b.c.d, RFC 4291 §2.5.5.2), as dual-stack sockets name their IPv4 peers, becomes the
// IPv4 address that it stands for: rules, logs and headers know one form of it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

namespace doorward::loop {

class Address {
 public:
  Address() = default;
  // "127.0.0.1:80", "[::1]:80", ":8080" (all interfaces, dual stack), "unix:/run/x.sock".
  // No names: those go to the Resolver.
  static Result<Address> parse(std::string_view text);
  static Address from_raw(const sockaddr* address, socklen_t size);

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.family; }
  bool is_unix() const { return family() == AF_UNIX; }
  std::uint16_t port() const;  // 0 for unix sockets
  void set_port(std::uint16_t port);
  // Host without port: "127.0.0.1", "::1"; "unix:" and the path for unix sockets, "unix" for those
  // without one, as the clients of a unix listener mostly are.
  std::string host() const;
  // As parse() reads it.
  std::string text() const;
  // The 16 bytes of IPv6 (IPv4 mapped), for IP matching. All ones for unix sockets, which no host
  // can have and text::Cidr reads "unix" as.
  void ip_bytes(std::uint8_t (&to)[16]) const;

  bool operator==(const Address& other) const;

 private:
  void unmap();

  struct {
    sa_family_t family = AF_UNSPEC;
    char rest[sizeof(sockaddr_un) - sizeof(sa_family_t)] = {};
  } storage_;
  socklen_t size_ = 0;
};

}  // namespace doorward::loop
