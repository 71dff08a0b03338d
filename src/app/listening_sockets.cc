#include "app/listening_sockets.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/shortage.h"
#include "loop/descriptor.h"

namespace doorward::app {
namespace {

constexpr int kBacklog = 4096;

std::string way_out(int error, const loop::Address& address) {
  switch (error) {
    case EADDRINUSE:
      return address.is_unix() ? "another program listens there: stop it, or choose another path"
                               : "another program listens there: stop it, or choose another port";
    case ENOENT:
      return "make its folder first";
    case EACCES:
      return address.is_unix()
                 ? "the folder is not writable for this user"
                 : "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher port";
    case EADDRNOTAVAIL:
      return "no interface of this machine has that address";
    case EMFILE:
    case ENFILE:
      return shortage_hint(error);
    default:
      return {};
  }
}

Failure cannot_listen(int error, const loop::Address& address) {
  const std::string way = way_out(error, address);
  return fail(ErrorKind::system,
              fmt::format("cannot listen on {}: {}{}{}", address.text(), std::strerror(error),
                          way.empty() ? "" : "; ", way),
              error);
}

std::string where(int fd) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return {};
  return loop::Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size).text();
}

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// A socket file that nobody listens on any more is in the way; one in use is not touched.
void remove_dead_socket_file(const loop::Address& address) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  if (connect(probe, address.raw(), address.size()) != 0 && errno == ECONNREFUSED) {
    unlink(reinterpret_cast<const sockaddr_un*>(address.raw())->sun_path);
  }
  ::close(probe);
}

}  // namespace

ListeningSockets::~ListeningSockets() {
  for (auto* groups : {&sockets_, &inherited_}) {
    for (auto& [name, group] : *groups) {
      close_group(group);
    }
  }
}

void ListeningSockets::close_group(Group& group) {
  for (const int fd : group.fds) ::close(fd);
  remove_file(group);
}

void ListeningSockets::remove_file(const Group& group) {
  if (group.shared || group.fds.empty()) return;
  const Result<loop::Address> address = loop::Address::parse(group.address);
  if (!address || !address->is_unix()) return;
  unlink(reinterpret_cast<const sockaddr_un*>(address->raw())->sun_path);
}

void ListeningSockets::hand_over() {
  for (auto& [name, group] : sockets_) group.shared = true;
}

Result<int> ListeningSockets::open_one(const loop::Address& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return cannot_listen(errno, address);
  if (!address.is_unix()) {
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // inherited by accepted connections
    if (address.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  } else {
    remove_dead_socket_file(address);
  }
  if (bind(fd, address.raw(), address.size()) != 0 || ::listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return cannot_listen(error, address);
  }
  return fd;
}

// With SO_REUSEPORT a second gateway of the same user could bind the same port unnoticed and take
// half of the connections: so the first socket is tried without sharing.
static Result<void> check_free(const loop::Address& address) {
  if (address.is_unix() || address.port() == 0) return {};
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_listen(errno, address);
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  const int error = bind(fd, address.raw(), address.size()) != 0 ? errno : 0;
  ::close(fd);
  if (error != 0) return cannot_listen(error, address);
  return {};
}

Result<void> ListeningSockets::fill(Group& group, const std::string& name, loop::Address address,
                                    unsigned count) {
  if (const auto old = inherited_.find(name);
      old != inherited_.end() && old->second.address == group.address) {
    group.fds = std::move(old->second.fds);
    group.shared = true;
    inherited_.erase(old);
  } else if (!leaving_.contains(name)) {
    if (Result<void> is_free = check_free(address); !is_free) return is_free;
  }
  if (address.is_unix() && !group.fds.empty()) count = 1;
  while (group.fds.size() < count) {
    if (!group.fds.empty() && address.port() == 0 && !address.is_unix()) {
      address = *loop::Address::parse(where(group.fds.front()));
    }
    if (address.is_unix() && !group.fds.empty()) {
      group.fds.push_back(dup(group.fds.front()));  // no SO_REUSEPORT there: one queue for all
      continue;
    }
    Result<int> fd = open_one(address);
    if (!fd) return Failure(std::move(fd.error()));
    group.fds.push_back(*fd);
  }
  group.bound = where(group.fds.front());
  return {};
}

Result<void> ListeningSockets::open(const std::string& name, const std::string& address,
                                    unsigned count) {
  Result<loop::Address> parsed = loop::Address::parse(address);
  if (!parsed) return Failure(std::move(parsed.error()));
  Group group;
  group.address = address;
  Result<void> filled = fill(group, name, *parsed, count);
  if (!filled) {
    for (const int fd : group.fds) ::close(fd);
    return filled;
  }
  sockets_[name] = std::move(group);
  return {};
}

void ListeningSockets::close(const std::string& name) {
  const auto at = sockets_.find(name);
  if (at == sockets_.end()) return;
  close_group(at->second);
  sockets_.erase(at);
}

void ListeningSockets::give_up(const std::string& name, bool lent) {
  const auto at = sockets_.find(name);
  if (at == sockets_.end()) return;
  remove_file(at->second);
  if (!lent && !at->second.shared) {
    for (const int fd : at->second.fds) loop::hear_no_newcomers(fd);
  }
  sockets_.erase(at);
  leaving_.insert(name);
}

std::string ListeningSockets::describe() const {
  std::string text;
  for (const auto& [name, group] : sockets_) {
    text += fmt::format("{} {} {};", name, group.address, fmt::join(group.fds, ","));
  }
  return text;
}

std::vector<int> ListeningSockets::descriptors() const {
  std::vector<int> all;
  for (const auto& [name, group] : sockets_)
    all.insert(all.end(), group.fds.begin(), group.fds.end());
  return all;
}

void ListeningSockets::inherit(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    if (end == std::string_view::npos) return;
    const std::string_view entry = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t first = entry.find(' ');
    const std::size_t second = entry.rfind(' ');
    if (first == std::string_view::npos || second == first) continue;
    Group group;
    group.shared = true;
    group.address = entry.substr(first + 1, second - first - 1);
    const char* at = entry.data() + second + 1;
    const char* stop = entry.data() + entry.size();
    int fd = -1;
    while (at < stop) {
      const auto [next, error] = std::from_chars(at, stop, fd);
      if (error != std::errc()) break;
      if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) group.fds.push_back(fd);
      at = next + 1;
    }
    inherited_[std::string(entry.substr(0, first))] = std::move(group);
  }
}

void ListeningSockets::close_unclaimed() {
  for (auto& [name, group] : inherited_) {
    for (const int fd : group.fds) ::close(fd);
  }
  inherited_.clear();
  for (auto& [name, group] : sockets_) group.shared = false;
}

}  // namespace doorward::app
