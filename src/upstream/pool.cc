#include "upstream/pool.h"

#include <algorithm>

#include "base/check.h"
#include "upstream/queue.h"

namespace doorward::upstream {

std::unique_ptr<Connection> Pool::take(Want want) {
  if (kind_ != Kind::separate) [[unlikely]] {
    std::unique_ptr<Connection> stream = shared_.open();
    // Servers behind one name may differ: what else lies here may be stale.
    if (stream != nullptr || want == Want::fresh) return stream;
  }
  while (!idle_.empty()) {
    std::unique_ptr<codec::h1::ClientConnection> connection = std::move(idle_.back()->connection);
    connection->bytes().watch_peer(nullptr);
    spare_.push_back(std::move(idle_.back()));
    idle_.pop_back();
    if (!connection->stale()) return connection;
    count_closed();
  }
  return nullptr;
}

void Pool::give(std::unique_ptr<Connection> given) {
  if (given->version() == http::Version::http2) [[unlikely]]
    return;  // its stream ends here, and makes room
  std::unique_ptr<codec::h1::ClientConnection> connection(
      static_cast<codec::h1::ClientConnection*>(given.release()));
  const bool room =
      (idle_.size() < config_.max_idle || !queue_.empty()) && !retired_ && !single_use_;
  if (!room || !connection->reusable() || connection->stale()) {
    connection.reset();
    return closed();
  }
  keep(std::move(connection));
  serve_queue();
}

void Pool::count_closed(std::uint32_t n) {
  open_ -= n;
  series_.lower(observe::Metric::service_connections_open, n);
}

void Pool::closed() {
  count_closed();
  serve_queue();
}

void Pool::serve_queue() {
  if (!queue_.empty() && !retired_) [[unlikely]]
    queue_.serve();
}

void Pool::reserve(bool alone) {
  if (open_ >= config_.max_connections) {
    DOORWARD_CHECK(!idle_.empty());
    idle_.front()->connection->bytes().watch_peer(nullptr);
    idle_.erase(idle_.begin());
    count_closed();
  }
  ++open_;
  if (!alone) ++connecting_;
}

void Pool::release(bool alone, const Error* why) {
  if (!alone) --connecting_;
  --open_;
  const bool was_to_be_shared = kind_ != Kind::separate && !alone;
  if (why != nullptr && was_to_be_shared && !queue_.empty()) queue_.connect_failed(*why);
  serve_queue();
}

std::unique_ptr<Connection> Pool::add_separate(
    std::unique_ptr<codec::h1::ClientConnection> opened) {
  --connecting_;
  series_.raise(observe::Metric::service_connections_open);
  if (kind_ == Kind::unknown) {
    kind_ = Kind::separate;
    serve_queue();  // they waited to share it
  }
  return opened;
}

std::unique_ptr<Connection> Pool::add_shared(std::unique_ptr<codec::h2::ClientConnection> opened) {
  --connecting_;
  series_.raise(observe::Metric::service_connections_open);
  if (!single_use_) kind_ = Kind::shared;
  std::unique_ptr<Connection> stream = opened->open();
  codec::h2::ClientConnection& connection = *opened;
  shared_.add(std::move(opened));
  if (retired_) connection.close();  // meanwhile; its first request is served
  serve_queue();
  return stream;
}

std::unique_ptr<Connection> Pool::add_alone(std::unique_ptr<codec::h1::ClientConnection> opened) {
  series_.raise(observe::Metric::service_connections_open);
  opened->use_once();
  return opened;
}

void Pool::share_upgrades() {
  upgrades_share_ = true;
  ++connecting_;
}

void Pool::forget(codec::h2::ClientConnection& connection) {
  shared_.remove(connection);
  closed();
}

void Pool::keep(std::unique_ptr<codec::h1::ClientConnection> connection) {
  if (spare_.empty()) spare_.push_back(std::make_unique<Idle>(*this));
  idle_.push_back(std::move(spare_.back()));
  spare_.pop_back();
  Idle& idle = *idle_.back();
  idle.connection = std::move(connection);
  idle.since = loop_.now();
  arm_expiry();
  idle.connection->bytes().watch_peer(&idle);  // may call back at once
}

void Pool::forget(Idle& idle) {
  const auto at = std::find_if(idle_.begin(), idle_.end(),
                               [&](const auto& entry) { return entry.get() == &idle; });
  if (at == idle_.end()) return;
  std::unique_ptr<Idle> gone = std::move(*at);
  idle_.erase(at);
  closed();
}

void Pool::retire() {
  retired_ = true;
  close_idle();
  shared_.close();
}

void Pool::close_idle() {
  loop_.timers().disarm(expiry_);
  count_closed(static_cast<std::uint32_t>(idle_.size()));
  std::vector<std::unique_ptr<Idle>> gone = std::move(idle_);
  idle_.clear();
  for (const auto& idle : gone) idle->connection->bytes().watch_peer(nullptr);
}

void Pool::arm_expiry() {
  if (expiry_.is_armed() || idle_.empty()) return;
  loop_.timers().arm(expiry_, Deadline(idle_.front()->since + config_.idle_timeout));
}

void Pool::on_timer(loop::Timer&) {
  const TimePoint oldest = loop_.now() - config_.idle_timeout;
  while (!idle_.empty() && idle_.front()->since <= oldest) {
    std::unique_ptr<Idle> gone = std::move(idle_.front());
    gone->connection->bytes().watch_peer(nullptr);
    idle_.erase(idle_.begin());
    count_closed();
  }
  arm_expiry();
}

}  // namespace doorward::upstream
