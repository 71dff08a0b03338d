#include "upstream/shared_connections.h"

#include <algorithm>

#include "base/check.h"
#include "upstream/queue.h"

namespace doorward::upstream {
namespace {

// An idle connection is looked at so often in its idle_timeout.
constexpr std::uint32_t kTicks = 2;

}  // namespace

SharedConnections::~SharedConnections() {
  DOORWARD_CHECK(members_.empty());
  loop_.timers().disarm(tick_);
}

bool SharedConnections::room() const {
  return std::ranges::any_of(members_, [](const Member& m) { return m.connection->room(); });
}

std::unique_ptr<codec::ClientStream> SharedConnections::open() {
  for (Member& member : members_) {
    if (!member.connection->room()) continue;
    member.used = true;
    return member.connection->open();
  }
  return nullptr;
}

void SharedConnections::add(std::unique_ptr<codec::h2::ClientConnection> connection) {
  members_.push_back({std::move(connection)});
  arm();
}

void SharedConnections::remove(codec::h2::ClientConnection& connection) {
  std::erase_if(members_, [&](const Member& m) { return m.connection.get() == &connection; });
}

void SharedConnections::close() {
  for (Member& member : members_) member.connection->close();
}

void SharedConnections::cut() {
  for (Member& member : members_) member.connection->cut();
}

void SharedConnections::on_room(codec::h2::ClientConnection&) {
  if (!queue_.empty()) queue_.serve();
}

void SharedConnections::on_end(codec::h2::ClientConnection&) {
  if (!queue_.empty()) queue_.serve();
}

void SharedConnections::arm() {
  if (tick_.is_armed() || members_.empty()) return;
  loop_.timers().arm(tick_, Deadline::after(loop_.now(), config_.idle_timeout / kTicks));
}

void SharedConnections::on_timer(loop::Timer&) {
  for (Member& member : members_) {
    const bool busy = member.connection->streams() > 0 || std::exchange(member.used, false);
    member.quiet = busy ? 0 : member.quiet + 1;
    if (member.quiet >= kTicks) member.connection->close();
  }
  arm();
}

}  // namespace doorward::upstream
