#include "loop/loop.h"

#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "loop/epoll_loop.h"
#include "loop/uring_loop.h"

namespace doorward::loop {
namespace {

constexpr std::chrono::milliseconds kWallClockReadEvery{100};

class Sleep final : private TimerTarget {
 public:
  Sleep(Loop& loop, Duration wait) : loop_(loop), wait_(wait) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    loop_.timers().arm(timer_, Deadline::after(loop_.now(), wait_));
  }
  void await_resume() const {}

 private:
  void on_timer(Timer&) override { loop_.resume_later(waiter_); }

  Loop& loop_;
  Duration wait_;
  Timer timer_{*this};
  std::coroutine_handle<> waiter_;
};

}  // namespace

Result<std::unique_ptr<Loop>> Loop::create(LoopOptions options) {
  if (options.backend == Backend::epoll) return create_epoll_loop(options, "epoll was asked for");
  auto uring = create_uring_loop(options);
  if (uring || options.backend == Backend::uring) return uring;
  return create_epoll_loop(options, uring.error().cause);
}

Loop::Loop() : timers_(std::chrono::steady_clock::now()) {
  wake_fd_ = eventfd(0, EFD_CLOEXEC);
  DOORWARD_CHECK(wake_fd_ >= 0);
  refresh_time();
}

Loop::~Loop() { close(wake_fd_); }

void Loop::run() {
  DOORWARD_CHECK(std::this_thread::get_id() == thread_);
  refresh_time();
  while (!stopping_) turn();
  stopping_ = false;
}

void Loop::turn() {
  ++counters_.turns;
  poll(resumable_.empty() ? timers_.next() : TimePoint::min());
  timers_.advance(now_);
  run_resumable();
  if (mail_waiting_) drain_mail();
}

void Loop::turn_without_waiting() {
  poll(TimePoint::min());
  timers_.advance(now_);
  run_resumable();
}

void Loop::refresh_time() {
  now_ = std::chrono::steady_clock::now();
  if (now_ - wall_read_at_ >= kWallClockReadEvery) {
    wall_read_ = std::chrono::system_clock::now();
    wall_read_at_ = now_;
  }
  wall_now_ = wall_read_ + (now_ - wall_read_at_);
}

void Loop::run_resumable() {
  if (resumable_.empty()) return;
  resuming_.swap(resumable_);
  for (const std::coroutine_handle<> waiter : resuming_) waiter.resume();
  resuming_.clear();
}

void Loop::post(std::function<void()> work) {
  bool wake = false;
  {
    const std::lock_guard lock(mail_mutex_);
    wake = mail_.empty();
    mail_.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  if (wake) DOORWARD_CHECK(write(wake_fd_, &one, sizeof one) == sizeof one);
}

void Loop::drain_mail() {
  mail_waiting_ = false;
  std::vector<std::function<void()>> mail;
  {
    const std::lock_guard lock(mail_mutex_);
    mail.swap(mail_);
  }
  for (const auto& work : mail) work();
}

Task<void> Loop::sleep(Duration wait) { co_await Sleep(*this, wait); }

}  // namespace doorward::loop
