#include "loop/uring_loop.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/prefetch.h"
#include "loop/descriptor.h"
#include "loop/uring_acceptor.h"
#include "loop/uring_operation.h"
#include "loop/uring_socket.h"

namespace doorward::loop {
namespace {

constexpr std::uint64_t kRoleMask = 7;

std::uint64_t user_data_of(const void* target, UringRole role) {
  return reinterpret_cast<std::uintptr_t>(target) | static_cast<std::uint64_t>(role);
}

std::string_view why_no_ring(int error) {
  switch (error) {
    case ENOSYS:
      return "this kernel has no io_uring";
    case EPERM:
    case EACCES:
      return "io_uring is forbidden here (sysctl kernel.io_uring_disabled, or a seccomp filter "
             "as container runtimes set it)";
    case EINVAL:
      return "this kernel's io_uring is too old (Linux 6.1 or later is needed)";
    case ENOMEM:
      return "there is too little memory (or locked memory, ulimit -l) for io_uring";
    case EMFILE:
    case ENFILE:
      return "too many files are open for io_uring's descriptor (ulimit -n)";
    default:
      return "io_uring cannot be set up";
  }
}

}  // namespace

Result<std::unique_ptr<Loop>> create_uring_loop(const LoopOptions& options) {
  auto loop = std::make_unique<UringLoop>(options);
  if (auto ready = loop->set_up(); !ready) return Failure(std::move(ready.error()));
  return loop;
}

UringLoop::UringLoop(const LoopOptions& options)
    : buffers_(ring_, 0, options.buffer_size, options.buffer_count_max),
      bulk_buffers_(ring_, 1, options.bulk_buffer_size, options.bulk_buffer_count_max) {
  choice_reason_ = "the system offers everything that the io_uring loop needs";
}

UringLoop::~UringLoop() {
  if (!has_ring_) return;
  while (leaving_ > 0) turn();
  buffers_.publish();
  io_uring_submit(&ring_);
  io_uring_queue_exit(&ring_);
}

Result<void> UringLoop::set_up() {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
  params.cq_entries = kCompletionEntries;
  const int result = io_uring_queue_init_params(kEntries, &ring_, &params);
  if (result < 0) return system_failure(-result, why_no_ring(-result));
  has_ring_ = true;
  io_uring_register_ring_fd(&ring_);  // saves a descriptor look-up per turn; works without
  if (auto enrolled = buffers_.enroll(); !enrolled) return enrolled;
  if (auto enrolled = bulk_buffers_.enroll(); !enrolled) return enrolled;
  buffers_.grow();
  buffers_.publish();
  if (auto checked = check_multishot(); !checked) return checked;
  wake_.arm();
  return {};
}

// Does a multishot recv into provided buffers work? Tried on a socket pair, since sandboxes that
// imitate io_uring refuse it only when it is used.
Result<void> UringLoop::check_multishot() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return system_failure(errno, "io_uring's check needs a socket pair");
  }
  io_uring_sqe& entry = begin(IORING_OP_RECV, pair[0], nullptr, UringRole::completion);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.ioprio |= IORING_RECV_MULTISHOT;
  const bool sent = send(pair[1], "x", 1, MSG_NOSIGNAL) == 1;
  bool works = sent;
  shutdown(pair[1], SHUT_RDWR);
  for (bool first = true, more = true; more; first = false) {  // the byte, then the end
    io_uring_cqe* completion = nullptr;
    __kernel_timespec limit{1, 0};
    if (io_uring_submit_and_wait_timeout(&ring_, &completion, 1, &limit, nullptr) < 0) {
      works = false;
      break;
    }
    more = (completion->flags & IORING_CQE_F_MORE) != 0;
    if (first) works = works && completion->res == 1 && more;
    if ((completion->flags & IORING_CQE_F_BUFFER) != 0) {
      buffers_.picked(completion->flags >> 16, 0).discard();
    }
    io_uring_cqe_seen(&ring_, completion);
  }
  close(pair[0]);
  close(pair[1]);
  if (works) return {};
  return fail(ErrorKind::system, "this io_uring has no multishot recv (Linux 6.1 or later does)");
}

io_uring_sqe& UringLoop::next_entry() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {
    buffers_.publish();
    bulk_buffers_.publish();
    const int result = io_uring_submit(&ring_);
    DOORWARD_CHECK(result >= 0 || result == -EINTR || result == -EBUSY || result == -EAGAIN);
    if (result == -EBUSY) io_uring_get_events(&ring_);
    entry = io_uring_get_sqe(&ring_);
  }
  std::memset(entry, 0, sizeof *entry);
  return *entry;
}

io_uring_sqe& UringLoop::begin(std::uint8_t opcode, int fd, const void* target, UringRole role) {
  io_uring_sqe& entry = next_entry();
  entry.opcode = opcode;
  entry.fd = fd;
  entry.user_data = user_data_of(target, role);
  return entry;
}

io_uring_sqe& UringLoop::begin_unanswered(std::uint8_t opcode, int fd) {
  io_uring_sqe& entry = begin(opcode, fd, nullptr, UringRole::completion);
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
  return entry;
}

void UringLoop::cancel(const void* target, UringRole role) {
  begin_unanswered(IORING_OP_ASYNC_CANCEL, -1).addr = user_data_of(target, role);
}

void UringLoop::close_later(int fd) { begin_unanswered(IORING_OP_CLOSE, fd); }

void UringLoop::poll(TimePoint until) {
  feed_starving();
  buffers_.publish();
  bulk_buffers_.publish();
  enter(until);
  refresh_time();
  run_completions();
}

void UringLoop::enter(TimePoint until) {
  int result = 0;
  if (until == TimePoint::min() || io_uring_cq_ready(&ring_) > 0) {
    result = io_uring_submit_and_get_events(&ring_);
  } else {
    if (until != TimePoint::max()) alarm_.set(until);
    result = io_uring_submit_and_wait(&ring_, 1);
  }
  DOORWARD_CHECK(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
                 result == -EBUSY);
}

void UringLoop::run_completions() {
  if ((*ring_.sq.kflags & IORING_SQ_CQ_OVERFLOW) != 0) ++counters_.overflows;
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(&ring_, head, completion) {
    if (count == arrived_.size()) break;
    arrived_[count++] = {completion->user_data, completion->res, completion->flags};
  }
  io_uring_cq_advance(&ring_, count);
  counters_.completions += count;
  for (unsigned i = 0; i < count; ++i) {
    if (i + kFetchAhead < count) {
      prefetch(static_cast<const UringSocket*>(target_of(arrived_[i + kFetchAhead])));
    }
    run(arrived_[i], *this);
  }
}

void* UringLoop::target_of(const Arrived& arrived) {
  return reinterpret_cast<void*>(arrived.user_data & ~kRoleMask);
}

void UringLoop::run(const Arrived& arrived, UringLoop& loop) {
  void* const target = target_of(arrived);
  if (target == nullptr) return;  // something unanswered that failed: nothing to do about it
  switch (static_cast<UringRole>(arrived.user_data & kRoleMask)) {
    case UringRole::completion:
      return static_cast<Completion*>(target)->complete(arrived.result, arrived.flags);
    case UringRole::recv:
      return static_cast<UringSocket*>(target)->on_recv(loop.buffers_, arrived.result,
                                                        arrived.flags);
    case UringRole::recv_bulk:
      return static_cast<UringSocket*>(target)->on_recv(loop.bulk_buffers_, arrived.result,
                                                        arrived.flags);
    case UringRole::send:
      return static_cast<UringSocket*>(target)->on_send(arrived.result);
  }
}

// A buffer for each that waits, in order of waiting; more are made while the limit allows.
void UringLoop::feed_starving() {
  std::uint32_t promised = 0;
  while (!starving_.empty() && (promised < buffers_.available() || buffers_.grow())) {
    UringSocket& socket = *starving_.front();
    starving_.pop_front();
    ++promised;
    socket.receive_again();
  }
}

Task<Result<std::unique_ptr<Socket>>> UringLoop::connect(Address to, Deadline deadline) {
  auto fd = open_stream(to);
  if (!fd) co_return Failure(std::move(fd.error()));
  UringOperation operation(*this, deadline);
  io_uring_sqe& entry = operation.begin(IORING_OP_CONNECT, *fd);
  entry.addr = reinterpret_cast<std::uintptr_t>(to.raw());
  entry.off = to.size();
  const int result = co_await operation;
  if (result == 0) co_return adopt(*fd);
  close_later(*fd);
  co_return connect_failure(to, -result);
}

std::unique_ptr<Socket> UringLoop::adopt(int fd) {
  set_blocking(fd, true);  // else the kernel would answer EAGAIN instead of waiting
  return std::make_unique<UringSocket>(*this, fd);
}

std::unique_ptr<Acceptor> UringLoop::accept(int listening_fd, OnAccept on_accept) {
  set_blocking(listening_fd, false);  // other processes may share it, with epoll
  set_no_delay(listening_fd);         // what is accepted inherits it
  return std::make_unique<UringAcceptor>(*this, listening_fd, std::move(on_accept));
}

Task<Result<void>> UringLoop::readable(int fd, Deadline deadline) {
  return wait_for(fd, POLLIN, deadline);
}

Task<Result<void>> UringLoop::writable(int fd, Deadline deadline) {
  return wait_for(fd, POLLOUT, deadline);
}

Task<Result<void>> UringLoop::wait_for(int fd, short events, Deadline deadline) {
  UringOperation operation(*this, deadline);
  operation.begin(IORING_OP_POLL_ADD, fd).poll32_events = static_cast<std::uint16_t>(events);
  waits_.push_back(&operation);
  const int result = co_await operation;
  std::erase(waits_, &operation);
  if (result >= 0) co_return Result<void>();
  co_return system_failure(result == -ETIME ? ETIMEDOUT : -result,
                           fmt::format("wait for descriptor {}", fd));
}

void UringLoop::cancel_waits(int fd) {
  for (UringOperation* operation : waits_) {
    if (operation->fd() == fd) operation->cancel();
  }
}

void UringLoop::Wake::arm() {
  io_uring_sqe& entry = loop_.begin(IORING_OP_READ, loop_.wake_fd(), static_cast<Completion*>(this),
                                    UringRole::completion);
  entry.addr = reinterpret_cast<std::uintptr_t>(&count_);
  entry.len = sizeof count_;
}

void UringLoop::Wake::complete(int, unsigned) {
  loop_.mail_has_come();
  arm();
}

void UringLoop::Alarm::set(TimePoint at) {
  if (at >= at_) return;
  const bool moves = at_ != TimePoint::max();
  const std::int64_t ns = at.time_since_epoch().count();
  time_ = {ns / 1'000'000'000, ns % 1'000'000'000};
  at_ = at;
  const auto* self = static_cast<Completion*>(this);
  if (moves) {  // one that rings just now cannot be moved: then its completion is there
    io_uring_sqe& entry = loop_.begin_unanswered(IORING_OP_TIMEOUT_REMOVE, -1);
    entry.addr = user_data_of(self, UringRole::completion);
    entry.off = reinterpret_cast<std::uintptr_t>(&time_);
    entry.timeout_flags = IORING_TIMEOUT_UPDATE | IORING_TIMEOUT_ABS;
    return;
  }
  io_uring_sqe& entry = loop_.begin(IORING_OP_TIMEOUT, -1, self, UringRole::completion);
  entry.addr = reinterpret_cast<std::uintptr_t>(&time_);
  entry.len = 1;
  entry.timeout_flags = IORING_TIMEOUT_ABS;
}

void UringLoop::Alarm::complete(int, unsigned) { at_ = TimePoint::max(); }

}  // namespace doorward::loop
