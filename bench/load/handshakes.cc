// handshakes: a closed-loop load of TLS 1.3 handshakes. Each connection connects, shakes hands,
// says goodbye (close_notify and FIN) and waits for the server's end of the connection, which
// proves that the server took the client's Finished and sent no alert; then the next one begins in
// its place. One thread, epoll, N at a time. With --resume 1 each connection but the first in its
// place resumes the session of the one before, with a ticket that is used once. Prints one JSON
// object: handshakes (resumed ones among them), errors, those unanswered at the end, seconds.
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "handshakes: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

struct Options {
  std::uint16_t port = 0;
  int connections = 64;
  double seconds = 3;
  bool resume = false;
  std::string name = "localhost";
  std::string suite = "TLS_AES_128_GCM_SHA256";
  std::string group = "X25519";
};

// False where the name is unknown.
bool set_option(Options& options, std::string_view name, const char* value) {
  if (name == "--port")
    options.port = static_cast<std::uint16_t>(std::atoi(value));
  else if (name == "--connections")
    options.connections = std::atoi(value);
  else if (name == "--seconds")
    options.seconds = std::atof(value);
  else if (name == "--resume")
    options.resume = std::atoi(value) != 0;
  else if (name == "--name")
    options.name = value;
  else if (name == "--suite")
    options.suite = value;
  else if (name == "--group")
    options.group = value;
  else
    return false;
  return true;
}

Options parse_options(int argc, char** argv) {
  Options options;
  bool good = argc % 2 == 1;
  for (int i = 1; i + 1 < argc; i += 2) good = set_option(options, argv[i], argv[i + 1]) && good;
  if (!good || options.port == 0 || options.connections <= 0 || options.seconds <= 0) {
    std::fprintf(stderr,
                 "usage: handshakes --port N [--connections N] [--seconds S] [--resume 0|1] "
                 "[--name SNI] [--suite NAME] [--group NAME]\n");
    std::exit(2);
  }
  return options;
}

enum class Step : std::uint8_t { connecting, handshaking, closing };

// One place in the loop: the connection under way, and the ticket for the next one.
struct Place {
  int fd = -1;
  Step step = Step::connecting;
  Owned<SSL> ssl;
  Owned<SSL_SESSION> ticket;
};

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), epoll_(epoll_create1(0)) {
    if (epoll_ < 0) die("epoll_create1");
    set_up_context();
    places_.resize(static_cast<std::size_t>(options_.connections));
  }

  void run() {
    start_ = Clock::now();
    end_ = start_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(options_.seconds));
    const auto give_up = end_ + std::chrono::seconds(5);
    for (Place& place : places_) begin(place);
    std::array<epoll_event, 256> events;
    while (open_ > 0 && Clock::now() < give_up) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), 100);
      if (count < 0 && errno != EINTR) die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        go_on(*static_cast<Place*>(events[static_cast<std::size_t>(i)].data.ptr));
      }
    }
  }

  void print() const {
    const std::chrono::duration<double> taken = Clock::now() - start_;
    std::printf(
        "{\"handshakes\": %zu, \"resumed\": %zu, \"errors\": %zu, \"unanswered\": %zu, "
        "\"first_error\": \"%s\", \"seconds\": %.6f}\n",
        handshakes_, resumed_, errors_, open_, first_error_.c_str(), taken.count());
  }

 private:
  void set_up_context() {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!context_ || SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context_.get(), options_.suite.c_str()) != 1 ||
        SSL_CTX_set1_groups_list(context_.get(), options_.group.c_str()) != 1) {
      die("this version, suite or group is not to be had");
    }
    // A server may end the connection without a close_notify of its own: the FIN is its answer.
    SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(
        context_.get(),
        options_.resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(context_.get(), &Load::keep_ticket);
  }

  static int keep_ticket(SSL* ssl, SSL_SESSION* session) {
    static_cast<Place*>(SSL_get_app_data(ssl))->ticket.reset(session);
    return 1;  // the session is ours now
  }

  void begin(Place& place) {
    place.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (place.fd < 0) die("socket");
    const int on = 1;
    setsockopt(place.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    place.step = Step::connecting;
    ++open_;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(place.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 &&
        errno != EINPROGRESS) {
      return fail(place, std::strerror(errno));
    }
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &place}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, place.fd, &event) < 0) die("epoll_ctl");
  }

  void go_on(Place& place) {
    if (place.step == Step::connecting && !connected(place)) return;
    if (place.step == Step::handshaking && !shake_hands(place)) return;
    if (place.step == Step::closing) await_end(place);
  }

  bool connected(Place& place) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(place.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) die("getsockopt");
    if (error != 0) {
      fail(place, std::strerror(error));
      return false;
    }
    place.ssl.reset(SSL_new(context_.get()));
    if (!place.ssl || SSL_set_fd(place.ssl.get(), place.fd) != 1) die("SSL_new");
    SSL_set_app_data(place.ssl.get(), &place);
    SSL_set_tlsext_host_name(place.ssl.get(), options_.name.c_str());
    if (place.ticket) SSL_set_session(place.ssl.get(), place.ticket.get());
    place.ticket.reset();
    place.step = Step::handshaking;
    return true;
  }

  // True when it is done and the goodbye is on its way.
  bool shake_hands(Place& place) {
    ERR_clear_error();
    const int done = SSL_connect(place.ssl.get());
    if (done != 1) {
      if (!must_wait(place, done)) fail(place, reason(place, done));
      return false;
    }
    SSL_shutdown(place.ssl.get());
    shutdown(place.fd, SHUT_WR);
    place.step = Step::closing;
    return true;
  }

  // Tickets come in here as well: the server sends them once it has the client's Finished.
  void await_end(Place& place) {
    std::array<char, 4096> bytes;
    ERR_clear_error();
    int size = 1;
    while (size > 0) size = SSL_read(place.ssl.get(), bytes.data(), bytes.size());
    if (must_wait(place, size)) return;
    if (SSL_get_error(place.ssl.get(), size) != SSL_ERROR_ZERO_RETURN) {
      return fail(place, reason(place, size));
    }
    ++handshakes_;
    if (SSL_session_reused(place.ssl.get()) == 1) ++resumed_;
    // An end without the server's close_notify would make OpenSSL forget the session.
    SSL_set_shutdown(place.ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    end(place);
    if (Clock::now() < end_) begin(place);
  }

  static bool must_wait(const Place& place, int result) {
    const int error = SSL_get_error(place.ssl.get(), result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  }

  static std::string reason(const Place& place, int result) {
    const int saved = errno;
    if (const char* text = ERR_reason_error_string(ERR_peek_error()); text != nullptr) return text;
    if (SSL_get_error(place.ssl.get(), result) == SSL_ERROR_SYSCALL && saved != 0) {
      return std::strerror(saved);
    }
    return "the server ended the connection";
  }

  void end(Place& place) {
    place.ssl.reset();
    close(place.fd);
    place.fd = -1;
    --open_;
  }

  // What failed is not tried again: the slice does not count with an error in it.
  void fail(Place& place, const std::string& why) {
    ++errors_;
    if (first_error_.empty()) first_error_ = why;
    end(place);
  }

  Options options_;
  int epoll_;
  Owned<SSL_CTX> context_;
  std::vector<Place> places_;
  Clock::time_point start_, end_;
  std::size_t open_ = 0, handshakes_ = 0, resumed_ = 0, errors_ = 0;
  std::string first_error_;
};

}  // namespace

int main(int argc, char** argv) {
  Load load(parse_options(argc, argv));
  load.run();
  load.print();
}
