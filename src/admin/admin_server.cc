#include "admin/admin_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/admin_connection.h"
#include "base/random.h"
#include "http/status.h"
#include "observe/request_id.h"

namespace doorward::admin {
namespace {

constexpr std::size_t kTokenBytes = 16;
constexpr Duration kTimeout{10'000};
constexpr Duration kPatience{1'000};  // of stop()

std::shared_ptr<const codec::h1::ServerSettings> small_settings() {
  auto settings = std::make_shared<codec::h1::ServerSettings>();
  settings->parse = {.head_bytes = 16 * 1024,
                     .header_count = 64,
                     .target_length = 2 * 1024,
                     .line_length = 8 * 1024};
  settings->header_timeout = settings->body_timeout = kTimeout;
  settings->idle_timeout = settings->send_timeout = kTimeout;
  return settings;
}

bool is_on_loopback(int listening_fd) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (getsockname(listening_fd, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return true;
  const auto address = loop::Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size);
  const std::string host = address.host();
  return !address.is_unix() && (host == "::1" || host.starts_with("127."));
}

}  // namespace

AdminServer::AdminServer(loop::Loop& loop, AdminSource& source, std::string token)
    : loop_(loop),
      shown_token_(token.empty() ? secret_hex(kTokenBytes) : ""),
      endpoints_(source, token.empty() ? shown_token_ : std::move(token)),
      settings_(small_settings()) {}

AdminServer::~AdminServer() = default;

void AdminServer::start(int listening_fd) {
  endpoints_.guard_host(is_on_loopback(listening_fd));
  acceptor_ = loop_.accept(listening_fd, [this](Result<int> fd, const loop::Address&) {
    if (!fd) return;  // out of descriptors: the Acceptor goes on by itself
    if (gate_.count() >= kConnectionsMax) return refuse(*fd);
    gate_.spawn(serve(*fd));
  });
}

loop::Task<void> AdminServer::stop() {
  if (acceptor_) co_await acceptor_->drain();
  // A connection that was idle ends here and now and leaves the list: take its successor first.
  for (AdminConnection* at = connections_; at != nullptr;) {
    AdminConnection* next = at->next();
    at->drain();
    at = next;
  }
  loop_.timers().arm(cut_, Deadline::after(loop_.now(), kPatience));
  co_await gate_.close();
  loop_.timers().disarm(cut_);
}

void AdminServer::on_timer(loop::Timer&) {
  for (AdminConnection* at = connections_; at != nullptr;) {
    AdminConnection* next = at->next();
    at->cut();
    at = next;
  }
}

loop::Task<void> AdminServer::serve(int fd) {
  AdminConnection connection(*this, fd);
  co_await connection.serve();
}

// Best effort: whoever does not get it sees the connection close.
void AdminServer::refuse(int fd) const {
  const AdminReply reply = problem(503, "too_many_connections",
                                   "The admin listener has no room for a connection.", new_id());
  const std::string text = fmt::format(
      "HTTP/1.1 503 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\ncache-control: no-store\r\n"
      "connection: close\r\n\r\n{}",
      http::reason_phrase(503), reply.content_type, reply.body.size(), reply.body);
  [[maybe_unused]] const ssize_t sent =
      ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::close(fd);
}

std::string AdminServer::new_id() const {
  std::string id(observe::kHexIdLength, '\0');
  observe::write_hex_id(loop_.random(), id.data());
  return id;
}

std::string_view AdminServer::date() {
  using std::chrono::duration_cast;
  return date_.at(duration_cast<std::chrono::seconds>(loop_.wall_now().time_since_epoch()).count());
}

}  // namespace doorward::admin
