// A bare TCP relay on io_uring: the least that a proxy on this machine can cost. One thread,
// multishot accept and recv into provided buffers, one submission per turn; bytes are sent on
// from the buffer they came in. Subtle: a side is freed when its last completion has come; one
// send at a time per socket, so the order of bytes never depends on the kernel's retries.
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <liburing.h>
#include <utility>
#include <vector>

#include "floor.h"

namespace {

using namespace doorward::floor_relay;

constexpr int kBuffers = 512;
constexpr std::size_t kBufferSize = 16 * 1024;
constexpr unsigned kGroup = 0;

enum Operation : std::uint64_t { kAccept = 0, kRecv = 1, kSend = 2 };

struct Received {
  int buffer;
  int size;
};

struct Side {
  int fd = -1;
  Side* peer = nullptr;
  std::deque<Received> unsent;  // bytes for this socket, the first `sending` of them on their way
  unsigned sending = 0;
  std::array<iovec, 16> pieces{};
  msghdr message{};
  int pending = 0;  // completions that will still come
  bool receiving = false;
  bool ended = false;  // no more will be received
};

class Relay {
 public:
  Relay(const char* port, const char* backend_port) : backend_(loopback(backend_port)) {
    io_uring_params parameters{};
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    parameters.cq_entries = 8192;
    errno = -io_uring_queue_init_params(1024, &ring_, &parameters);
    must(-errno, "io_uring_setup");
    provide_buffers();
    io_uring_prep_multishot_accept(next_sqe(kAccept, nullptr), listen_on(loopback(port), 0),
                                   nullptr, nullptr, 0);
  }

  [[noreturn]] void run() {
    std::vector<io_uring_cqe> turn(8192);
    for (;;) {
      const int submitted = io_uring_submit_and_wait(&ring_, 1);
      if (submitted < 0 && submitted != -EINTR && submitted != -EBUSY) {
        errno = -submitted;
        must(-1, "io_uring_enter");
      }
      unsigned head = 0, count = 0;
      io_uring_cqe* entry = nullptr;
      io_uring_for_each_cqe(&ring_, head, entry) {
        if (count == turn.size()) break;
        std::memcpy(&turn[count++], entry, sizeof *entry);
      }
      io_uring_cq_advance(&ring_, count);
      for (unsigned i = 0; i < count; ++i) complete(turn[i]);
    }
  }

 private:
  io_uring_sqe* next_sqe(Operation operation, Side* side) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) {
      io_uring_submit(&ring_);
      sqe = io_uring_get_sqe(&ring_);
    }
    if (sqe == nullptr) std::abort();
    // liburing's prep functions leave user_data alone, so it can be set before them.
    sqe->user_data = reinterpret_cast<std::uint64_t>(side) | operation;
    if (side != nullptr) ++side->pending;
    return sqe;
  }

  void provide_buffers() {
    const std::size_t ring_bytes = kBuffers * sizeof(io_uring_buf);
    buffer_ring_ = static_cast<io_uring_buf_ring*>(std::aligned_alloc(4096, ring_bytes));
    memory_ = static_cast<char*>(std::aligned_alloc(4096, kBuffers * kBufferSize));
    if (buffer_ring_ == nullptr || memory_ == nullptr) std::abort();
    std::memset(static_cast<void*>(buffer_ring_), 0, ring_bytes);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(buffer_ring_);
    registration.ring_entries = kBuffers;
    registration.bgid = kGroup;
    errno = -io_uring_register_buf_ring(&ring_, &registration, 0);
    must(-errno, "io_uring_register_buf_ring");
    for (int id = 0; id < kBuffers; ++id) give_back(id);
  }

  char* memory_of(int id) { return memory_ + static_cast<std::size_t>(id) * kBufferSize; }

  void give_back(int id) {
    io_uring_buf_ring_add(buffer_ring_, memory_of(id), kBufferSize, static_cast<unsigned short>(id),
                          kBuffers - 1, 0);
    io_uring_buf_ring_advance(buffer_ring_, 1);
    ++free_;
  }

  void complete(const io_uring_cqe& entry) {
    auto* side = reinterpret_cast<Side*>(entry.user_data & ~std::uint64_t{3});
    switch (entry.user_data & 3) {
      case kAccept:
        return accepted(entry.res);
      case kRecv:
        return received(side, entry.res, entry.flags);
      default:
        return sent(side, entry.res);
    }
  }

  void accepted(int fd) {
    if (fd < 0) return;
    set_no_delay(fd);
    auto* client = new Side{.fd = fd};
    auto* backend = new Side{.fd = connect_to(backend_), .peer = client};
    client->peer = backend;
    receive(client);
    receive(backend);
  }

  void receive(Side* side) {
    io_uring_sqe* sqe = next_sqe(kRecv, side);
    io_uring_prep_recv(sqe, side->fd, nullptr, 0, 0);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = kGroup;
    side->receiving = true;
  }

  void received(Side* side, int result, unsigned flags) {
    if ((flags & IORING_CQE_F_MORE) == 0) {
      --side->pending;
      side->receiving = false;
    }
    const int buffer = static_cast<int>(flags >> IORING_CQE_BUFFER_SHIFT);
    if (result > 0) --free_;
    if (side->ended || (result <= 0 && result != -ENOBUFS)) {
      if (result > 0) give_back(buffer);
      return end(side);
    }
    if (result == -ENOBUFS) return starved_.push_back(side);
    side->peer->unsent.push_back({buffer, result});
    if (side->peer->sending == 0) send_unsent(side->peer);
    if (!side->receiving) receive(side);
  }

  // One send in flight per socket; what came meanwhile goes out together in the next.
  void send_unsent(Side* side) {
    const std::size_t count = std::min(side->unsent.size(), side->pieces.size());
    for (std::size_t i = 0; i < count; ++i) {
      const Received& piece = side->unsent[i];
      side->pieces[i] = {memory_of(piece.buffer), static_cast<std::size_t>(piece.size)};
    }
    side->sending = static_cast<unsigned>(count);
    io_uring_sqe* sqe = next_sqe(kSend, side);
    if (count == 1) {
      io_uring_prep_send(sqe, side->fd, side->pieces[0].iov_base, side->pieces[0].iov_len,
                         MSG_NOSIGNAL | MSG_WAITALL);
    } else {
      side->message = {.msg_iov = side->pieces.data(), .msg_iovlen = count};
      io_uring_prep_sendmsg(sqe, side->fd, &side->message, MSG_NOSIGNAL | MSG_WAITALL);
    }
  }

  void sent(Side* side, int result) {
    --side->pending;
    for (; side->sending > 0; --side->sending) {
      result -= side->unsent.front().size;
      give_back(side->unsent.front().buffer);
      side->unsent.pop_front();
    }
    wake_starved();
    if (side->ended || result != 0) return end(side);
    if (!side->unsent.empty()) send_unsent(side);
  }

  // Lets those receive again that found no buffer, once there are enough for more than a few
  // bytes each: woken one by one they would fail and wake again.
  void wake_starved() {
    if (free_ < kBuffers / 4) return;
    for (Side* waiting : std::exchange(starved_, {})) receive(waiting);
  }

  void end(Side* side) {
    for (Side* each : {side, side->peer}) {
      if (each->ended) continue;
      each->ended = true;
      shutdown(each->fd, SHUT_RDWR);
      std::erase(starved_, each);
    }
    free_when_done(side);
  }

  // Both sides of a pair go together, when neither has a completion to come.
  void free_when_done(Side* side) {
    if (!side->ended || side->pending > 0 || side->peer->pending > 0) return;
    for (Side* each : {side->peer, side}) {
      for (const Received& piece : each->unsent) give_back(piece.buffer);
      close(each->fd);
      delete each;
    }
    wake_starved();
  }

  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* memory_ = nullptr;
  sockaddr_in backend_;
  int free_ = 0;                // buffers that the kernel may fill
  std::vector<Side*> starved_;  // wait for a buffer to come back
};

}  // namespace

int main(int argc, char** argv) {
  require_arguments(argc, argv);
  Relay(argv[1], argv[2]).run();
}
