// A bare TCP relay on edge-triggered epoll: the least that an epoll proxy on this machine can
// cost. One thread; what is received is sent at once. Subtle: what the peer does not take is
// kept, its side then reads no more until it is written (EPOLLOUT); a pair is deleted at the end of
// the turn, because the same turn may still hold an event for it.
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <string>
#include <sys/epoll.h>
#include <vector>

#include "floor.h"

namespace {

using namespace doorward::floor_relay;

struct Side {
  int fd = -1;
  Side* peer = nullptr;
  std::string unsent;  // bytes for this socket that it did not take yet
  bool ended = false;
};

class Relay {
 public:
  Relay(const char* port, const char* backend_port)
      : epoll_(must(epoll_create1(0), "epoll_create1")),
        listener_(listen_on(loopback(port), SOCK_NONBLOCK)),
        backend_(loopback(backend_port)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    must(epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event), "epoll_ctl");
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      if (count < 0 && errno != EINTR) must(-1, "epoll_wait");
      for (int i = 0; i < count; ++i) {
        auto* side = static_cast<Side*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (side == nullptr)
          accept_all();
        else
          ready(side, events[static_cast<std::size_t>(i)].events);
      }
      for (Side* side : dead_) delete side;
      dead_.clear();
    }
  }

 private:
  void accept_all() {
    int fd = -1;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
      set_no_delay(fd);
      auto* client = new Side{.fd = fd};
      auto* backend = new Side{.fd = connect_to(backend_), .peer = client};
      client->peer = backend;
      must(fcntl(backend->fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
      watch(client);
      watch(backend);
    }
  }

  void watch(Side* side) {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data = {.ptr = side}};
    must(epoll_ctl(epoll_, EPOLL_CTL_ADD, side->fd, &event), "epoll_ctl");
  }

  void ready(Side* side, std::uint32_t events) {
    if (!side->ended && (events & EPOLLOUT) != 0 && !side->unsent.empty()) {
      if (flush(side)) relay_from(side->peer);
    }
    if (!side->ended && (events & ~EPOLLOUT) != 0 && side->peer->unsent.empty()) relay_from(side);
  }

  // Reads until the socket is empty or the peer takes no more. A short read is the last one.
  void relay_from(Side* side) {
    while (!side->ended && side->peer->unsent.empty()) {
      const ssize_t size = recv(side->fd, buffer_.data(), buffer_.size(), 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) return end(side);
      ssize_t taken =
          send(side->peer->fd, buffer_.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
      if (taken < 0 && errno != EAGAIN) return end(side);
      taken = std::max<ssize_t>(taken, 0);
      side->peer->unsent.assign(buffer_.data() + taken, static_cast<std::size_t>(size - taken));
      if (static_cast<std::size_t>(size) < buffer_.size()) return;
    }
  }

  // True when everything kept for this socket is written.
  bool flush(Side* side) {
    const ssize_t taken = send(side->fd, side->unsent.data(), side->unsent.size(), MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) end(side);
    if (taken > 0) side->unsent.erase(0, static_cast<std::size_t>(taken));
    return side->unsent.empty();
  }

  void end(Side* side) {
    for (Side* each : {side, side->peer}) {
      if (each->ended) continue;
      each->ended = true;
      close(each->fd);
      dead_.push_back(each);
    }
  }

  int epoll_;
  int listener_;
  sockaddr_in backend_;
  std::array<char, 64 * 1024> buffer_;
  std::vector<Side*> dead_;
};

}  // namespace

int main(int argc, char** argv) {
  require_arguments(argc, argv);
  Relay(argv[1], argv[2]).run();
}
