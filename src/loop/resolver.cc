#include "loop/resolver.h"

#include <algorithm>
#include <ares.h>
#include <fmt/format.h>
#include <netdb.h>
#include <unordered_map>

#include "base/check.h"

namespace doorward::loop {
namespace {

Failure resolve_failure(const std::string& host, int status) {
  const auto failure = [&](ErrorKind kind, std::string_view why) {
    Failure result = fail(kind, fmt::format("resolve {}: {}", host, why), status);
    result.error().retry = Retry::yes;
    return result;
  };
  switch (status) {
    case ARES_ENOTFOUND:
      return failure(ErrorKind::unresolved, "no such name");
    case ARES_ENODATA:
      return failure(ErrorKind::unresolved, "the name has no address");
    case ARES_EBADNAME:
      return failure(ErrorKind::unresolved, "not a valid name");
    case ARES_ETIMEOUT:
      return failure(ErrorKind::timeout, "no answer in time");
    case ARES_ECONNREFUSED:
      return failure(ErrorKind::unresolved, "no name server answers");
    case ARES_ESERVFAIL:
      return failure(ErrorKind::unresolved, "the name server failed");
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return failure(ErrorKind::cancelled, "cancelled");
    default:
      return failure(ErrorKind::unresolved, ares_strerror(status));
  }
}

Result<Resolved> to_resolved(const std::string& host, const ares_addrinfo& answer,
                             std::uint16_t port) {
  Resolved resolved;
  int ttl_s = 0;
  for (const ares_addrinfo_node* node = answer.nodes; node != nullptr; node = node->ai_next) {
    Address address = Address::from_raw(node->ai_addr, node->ai_addrlen);
    address.set_port(port);
    ttl_s = resolved.addresses.empty() ? node->ai_ttl : std::min(ttl_s, node->ai_ttl);
    resolved.addresses.push_back(address);
  }
  if (resolved.addresses.empty()) return resolve_failure(host, ARES_ENODATA);
  resolved.ttl = std::chrono::seconds(std::max(ttl_s, 0));
  return resolved;
}

void initialize_ares() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  DOORWARD_CHECK(status == ARES_SUCCESS);
}

}  // namespace

// c-ares' channel with its descriptors and its timeout on the loop.
class Resolver::Channel final : private TimerTarget {
 public:
  Channel(Loop& loop, const ResolverOptions& options) : loop_(loop) {
    initialize_ares();
    ares_options raw{};
    raw.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
      static_cast<Channel*>(self)->set_interest(fd, readable != 0, writable != 0);
    };
    raw.sock_state_cb_data = this;
    raw.timeout = static_cast<int>(options.timeout.count());
    raw.tries = options.tries;
    status_ = ares_init_options(&channel_, &raw,
                                ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status_ == ARES_SUCCESS && !options.servers.empty()) {
      status_ = ares_set_servers_ports_csv(channel_, options.servers.c_str());
    }
  }

  // Ends all look-ups; frees the channel when nothing waits for its descriptors any more.
  void abandon() {
    if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
    free_when_idle(this);
  }

  void cancel_all() {
    if (channel_ != nullptr) ares_cancel(channel_);
  }

  Loop& loop() { return loop_; }
  int status() const { return status_; }  // of making it
  ares_channel raw() { return channel_; }

  void arm_timeout() {
    timeval left{};
    if (channel_ == nullptr || ares_timeout(channel_, nullptr, &left) == nullptr) {
      return loop_.timers().disarm(timer_);
    }
    const auto wait = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
    loop_.timers().arm(timer_, Deadline(loop_.now() + wait));
  }

 private:
  struct Interest {
    std::uint64_t serial = 0;  // descriptors' numbers come again
    bool wanted[2] = {};       // to read, to write
    bool waiting[2] = {};
  };
  // Belongs to the channel that it frees, which is why no Gate can hold it.
  struct Detached {
    struct promise_type {
      Detached get_return_object() const noexcept { return {}; }
      std::suspend_never initial_suspend() const noexcept { return {}; }
      std::suspend_never final_suspend() const noexcept { return {}; }
      void return_void() const noexcept {}
      [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
  };
  static Detached free_when_idle(Channel* self) {
    co_await self->waits_.close();
    delete self;
  }

  void set_interest(int fd, bool readable, bool writable) {
    if (!readable && !writable) {
      interests_.erase(fd);
      return loop_.cancel_waits(fd);
    }
    Interest& interest = interests_[fd];
    if (interest.serial == 0) interest.serial = ++serial_;
    const std::uint64_t serial = interest.serial;
    interest.wanted[0] = readable;
    interest.wanted[1] = writable;
    for (const bool writing : {false, true}) {
      if (!interest.wanted[writing] || std::exchange(interest.waiting[writing], true)) continue;
      waits_.spawn(wait(fd, serial, writing));
    }
  }

  bool wants(int fd, std::uint64_t serial, bool writing) {
    const auto found = interests_.find(fd);
    if (found == interests_.end() || found->second.serial != serial) return false;
    if (!found->second.wanted[writing]) found->second.waiting[writing] = false;
    return found->second.wanted[writing];
  }

  Task<void> wait(int fd, std::uint64_t serial, bool writing) {
    while (wants(fd, serial, writing)) {
      if (writing) {
        (void)co_await loop_.writable(fd, Deadline::never());
      } else {
        (void)co_await loop_.readable(fd, Deadline::never());
      }
      if (!wants(fd, serial, writing)) co_return;
      ares_process_fd(channel_, writing ? ARES_SOCKET_BAD : fd, writing ? fd : ARES_SOCKET_BAD);
      arm_timeout();
    }
  }

  void on_timer(Timer&) override {
    if (channel_ == nullptr) return;
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm_timeout();
  }

  Loop& loop_;
  ares_channel channel_ = nullptr;
  int status_ = 0;
  Timer timer_{*this};
  std::uint64_t serial_ = 0;
  std::unordered_map<int, Interest> interests_;
  Gate waits_;
};

// One waiter. c-ares cannot cancel a single query, so what it answers to is an object of its own
// that forgets a waiter who has given up.
class Resolver::Lookup final : private TimerTarget {
 public:
  Lookup(Channel& channel, const std::string& host, std::uint16_t port, Deadline deadline)
      : channel_(channel), loop_(channel.loop()), host_(host), port_(port), deadline_(deadline) {}

  bool await_ready() {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    query_ = new Query{this};
    ares_getaddrinfo(channel_.raw(), host_.c_str(), nullptr, &hints, on_answer, query_);
    if (query_ != nullptr) channel_.arm_timeout();
    return query_ == nullptr;
  }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    loop_.timers().arm(timer_, deadline_);
  }
  Result<Resolved> await_resume() { return std::move(result_); }

 private:
  struct Query {
    Lookup* lookup;
  };
  static void on_answer(void* raw, int status, int, ares_addrinfo* answer) {
    auto* query = static_cast<Query*>(raw);
    if (query->lookup != nullptr) {
      Lookup& lookup = *query->lookup;
      lookup.end(status == ARES_SUCCESS ? to_resolved(lookup.host_, *answer, lookup.port_)
                                        : resolve_failure(lookup.host_, status));
    }
    if (answer != nullptr) ares_freeaddrinfo(answer);
    delete query;
  }
  void on_timer(Timer&) override {
    query_->lookup = nullptr;
    end(resolve_failure(host_, ARES_ETIMEOUT));
  }
  void end(Result<Resolved> result) {
    query_ = nullptr;
    result_ = std::move(result);
    loop_.timers().disarm(timer_);
    if (waiter_) loop_.resume_later(waiter_);
  }

  Channel& channel_;
  Loop& loop_;
  const std::string& host_;
  std::uint16_t port_;
  Deadline deadline_;
  Timer timer_{*this};
  Query* query_ = nullptr;
  std::coroutine_handle<> waiter_;
  Result<Resolved> result_;
};

Resolver::Resolver(Loop& loop, ResolverOptions options) : channel_(new Channel(loop, options)) {}

Resolver::~Resolver() { channel_->abandon(); }

void Resolver::cancel_all() { channel_->cancel_all(); }

Task<Result<Resolved>> Resolver::resolve(std::string host, std::uint16_t port, Deadline deadline) {
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  const std::string literal =
      bare_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  if (auto address = Address::parse(literal); address && !host.empty() && !address->is_unix()) {
    return Result<Resolved>(Resolved{{*address}, Duration::max()});
  }
  if (channel_->status() != ARES_SUCCESS) {
    return Result<Resolved>(resolve_failure(host, channel_->status()));
  }
  return look_up(*channel_, std::move(host), port, deadline);
}

Task<Result<Resolved>> Resolver::look_up(Channel& channel, std::string host, std::uint16_t port,
                                         Deadline deadline) {
  co_return co_await Lookup(channel, host, port, deadline);
}

}  // namespace doorward::loop
