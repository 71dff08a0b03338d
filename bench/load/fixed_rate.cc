// fixed_rate: an open-loop HTTP/1.1 load generator. Requests are due at fixed times whatever the
// server does; latency counts from the time a request was due, so a stalled server cannot hide
// its stall by slowing the load down (no coordinated omission). One thread, epoll, one request in
// flight per connection; what is due while every connection is busy waits in line, its clock
// running. Prints one JSON object: requests, errors, late, latency percentiles in µs, bytes of
// bodies.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "fixed_rate: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

struct Options {
  std::uint16_t port = 0;
  std::string path = "/";
  double rate = 1000;  // requests a second
  double seconds = 3;
  double warmup = 0.5;  // seconds at the same rate that are not counted
  int connections = 64;
};

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(std::atoi(value));
    else if (name == "--path")
      options.path = value;
    else if (name == "--rate")
      options.rate = std::atof(value);
    else if (name == "--seconds")
      options.seconds = std::atof(value);
    else if (name == "--warmup")
      options.warmup = std::atof(value);
    else if (name == "--connections")
      options.connections = std::atoi(value);
    else
      options.port = 0;
  }
  if (argc % 2 == 0 || options.port == 0 || options.rate <= 0 || options.connections <= 0) {
    std::fprintf(stderr,
                 "usage: fixed_rate --port N [--path /] [--rate PER_SECOND] [--seconds S] "
                 "[--warmup S] [--connections N]\n");
    std::exit(2);
  }
  return options;
}

struct Connection {
  int fd = -1;
  bool busy = false;
  Clock::time_point due;
  std::string received;  // the head while it is incomplete
  std::size_t body_left = 0;
  bool in_body = false;
};

class Load {
 public:
  explicit Load(Options options)
      : options_(std::move(options)),
        request_("GET " + options_.path + " HTTP/1.1\r\nHost: bench.test\r\n\r\n"),
        interval_(static_cast<std::int64_t>(1e9 / options_.rate)),
        epoll_(epoll_create1(0)) {
    if (epoll_ < 0) die("epoll_create1");
    latencies_.reserve(static_cast<std::size_t>(options_.rate * options_.seconds * 1.1) + 16);
    for (int i = 0; i < options_.connections; ++i) connect_one();
  }

  void run() {
    const auto start = Clock::now();
    counted_from_ = start + to_duration(options_.warmup);
    const auto end = counted_from_ + to_duration(options_.seconds);
    const auto give_up = end + std::chrono::seconds(5);
    auto next_due = start;
    std::array<epoll_event, 256> events;
    for (;;) {
      const auto now = Clock::now();
      for (; next_due <= now && next_due < end; next_due += interval_) waiting_.push_back(next_due);
      send_waiting();
      if (next_due >= end && idle_.size() + broken_ == connections_.size()) break;
      if (now > give_up) break;
      wait(events, next_due < end ? next_due - now : give_up - now);
    }
    unanswered_ = waiting_.size() + connections_.size() - idle_.size() - broken_;
  }

  void print() {
    std::sort(latencies_.begin(), latencies_.end());
    std::printf(
        "{\"requests\": %zu, \"errors\": %zu, \"unanswered\": %zu, \"body_bytes\": %llu, "
        "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
        "\"max_us\": %.1f}\n",
        latencies_.size(), errors_, unanswered_, static_cast<unsigned long long>(body_bytes_),
        percentile(0.50), percentile(0.90), percentile(0.99), percentile(0.999), percentile(1.0));
  }

 private:
  static Nanoseconds to_duration(double seconds) {
    return Nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  }

  void connect_one() {
    auto connection = std::make_unique<Connection>();
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    if (connect(connection->fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        fcntl(connection->fd, F_SETFL, O_NONBLOCK) < 0) {
      die("connect");
    }
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = connection.get()}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd, &event) < 0) die("epoll_ctl");
    idle_.push_back(connection.get());
    connections_.push_back(std::move(connection));
  }

  void wait(std::array<epoll_event, 256>& events, Clock::duration longest) {
    const auto nanoseconds = std::max<std::int64_t>(0, Nanoseconds(longest).count());
    const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000,
                           .tv_nsec = nanoseconds % 1'000'000'000};
    const int count = epoll_pwait2(epoll_, events.data(), events.size(), &timeout, nullptr);
    if (count < 0 && errno != EINTR) die("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
      receive(static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
  }

  void send_waiting() {
    while (!waiting_.empty() && !idle_.empty()) {
      Connection* connection = idle_.front();
      idle_.pop_front();
      connection->busy = true;
      connection->due = waiting_.front();
      waiting_.pop_front();
      if (send(connection->fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request_.size())) {
        fail(connection);
      }
    }
  }

  void receive(Connection* connection) {
    static char buffer[256 * 1024];
    for (;;) {
      const ssize_t size = recv(connection->fd, buffer, sizeof buffer, 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) return fail(connection);
      take(connection, {buffer, static_cast<std::size_t>(size)});
      if (connection->fd < 0) return;
      // A short read emptied the socket; what comes later is another edge.
      if (static_cast<std::size_t>(size) < sizeof buffer) return;
    }
  }

  void take(Connection* connection, std::string_view bytes) {
    if (!connection->busy) return fail(connection);
    if (!connection->in_body) {
      connection->received.append(bytes);
      const std::size_t end = connection->received.find("\r\n\r\n");
      if (end == std::string::npos) return;
      const std::size_t have = connection->received.size() - end - 4;
      if (!read_head(connection, std::string_view(connection->received).substr(0, end + 2))) {
        return fail(connection);
      }
      connection->received.clear();
      return take_body(connection, have);
    }
    take_body(connection, bytes.size());
  }

  // True for a 200 with a Content-Length; anything else is an error of this load.
  static bool read_head(Connection* connection, std::string_view head) {
    if (!head.starts_with("HTTP/1.1 200")) return false;
    constexpr std::string_view kName = "\r\ncontent-length:";
    for (std::size_t at = head.find("\r\n"); at + kName.size() < head.size();
         at = head.find("\r\n", at + 2)) {
      if (strncasecmp(head.data() + at, kName.data(), kName.size()) != 0) continue;
      connection->body_left = std::strtoull(head.data() + at + kName.size(), nullptr, 10);
      connection->in_body = true;
      return true;
    }
    return false;
  }

  void take_body(Connection* connection, std::size_t size) {
    if (size > connection->body_left) return fail(connection);
    connection->body_left -= size;
    body_bytes_ += size;
    if (connection->body_left > 0) return;
    connection->in_body = false;
    connection->busy = false;
    if (connection->due >= counted_from_) {
      latencies_.push_back(
          static_cast<double>(Nanoseconds(Clock::now() - connection->due).count()) / 1000.0);
    }
    idle_.push_back(connection);
  }

  void fail(Connection* connection) {
    if (connection->fd < 0) return;
    ++errors_;
    ++broken_;
    if (!connection->busy) std::erase(idle_, connection);
    close(connection->fd);
    connection->fd = -1;
  }

  double percentile(double part) const {
    if (latencies_.empty()) return 0;
    const auto index = static_cast<std::size_t>(part * static_cast<double>(latencies_.size()));
    return latencies_[std::min(index, latencies_.size() - 1)];
  }

  Options options_;
  std::string request_;
  Nanoseconds interval_;
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;
  std::deque<Clock::time_point> waiting_;
  Clock::time_point counted_from_;
  std::vector<double> latencies_;  // µs
  std::size_t errors_ = 0, broken_ = 0, unanswered_ = 0;
  std::uint64_t body_bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Load load(parse_options(argc, argv));
  load.run();
  load.print();
}
