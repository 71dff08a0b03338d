#include "tls/wire.h"

#include <algorithm>
#include <cstring>
#include <openssl/bio.h>

#include "base/check.h"

namespace doorward::tls {
namespace {

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int read_bio(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const int got = wire_of(bio).read(to, size);
  if (got < 0) BIO_set_retry_read(bio);
  return got;
}

int write_bio(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const int taken = wire_of(bio).write(from, size);
  if (taken < 0) BIO_set_retry_write(bio);
  return taken;
}

long control_bio(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return wire_of(bio).finished() ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// Made once, kept for good: BIOs of all threads use it.
const BIO_METHOD* method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "doorward wire");
    DOORWARD_CHECK(fresh != nullptr);
    BIO_meth_set_read(fresh, read_bio);
    BIO_meth_set_write(fresh, write_bio);
    BIO_meth_set_ctrl(fresh, control_bio);
    return fresh;
  }();
  return made;
}

}  // namespace

BIO* Wire::make_bio() {
  BIO* bio = BIO_new(method());
  DOORWARD_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

void Wire::feed(Result<Chunk> received) {
  if (!received) {
    broken_ = std::move(received.error());
    finished_ = true;
  } else if (received->empty()) {
    finished_ = true;
  } else {
    input_ = std::move(*received);
  }
}

bool Wire::has_input() {
  if (!input_.empty() || finished_) return true;
  if (!may_pull_) return false;
  auto receive = transport_.recv(Deadline::never());
  if (!receive.await_ready()) return false;
  feed(receive.await_resume());
  return true;
}

int Wire::read(char* to, int size) {
  starved_ = !has_input();
  if (starved_) return -1;
  if (input_.empty()) return 0;
  const std::size_t count = std::min(static_cast<std::size_t>(size), input_.size());
  std::memcpy(to, input_.data(), count);
  input_.remove_prefix(count);
  if (input_.empty()) input_ = Chunk();  // an idle connection holds no buffer
  return static_cast<int>(count);
}

int Wire::write(const char* from, int size) {
  if (!filling_) filling_ = core_.record_room();
  const auto wanted = static_cast<std::uint32_t>(size);
  const std::uint32_t count = std::min(wanted, filling_.left());
  if (count == 0) return -1;
  std::memcpy(filling_.data + filling_.size, from, count);
  filling_.size += count;
  return static_cast<int>(count);
}

std::size_t Wire::make_room(std::size_t wanted) {
  if (!filling_) filling_ = wanted > kRecordMax ? core_.bulk_room() : core_.record_room();
  const std::size_t left = filling_.left();
  // Behind the record there is space for what SSL itself may add (a KeyUpdate).
  constexpr std::size_t kKept = std::size_t{2} * kRecordOverhead;
  if (left <= kKept) return 0;
  const std::size_t most = std::min<std::size_t>({wanted, left - kKept, kRecordMax});
  // What is left over behind full records is not worth a record of its own.
  const bool is_scrap = most < wanted && most < kRecordMax && filling_.size > 0;
  return is_scrap ? 0 : most;
}

bool Wire::take_off(loop::StallLimit limit) {
  DOORWARD_CHECK(!flight_);
  flying_ = std::exchange(filling_, Room());
  part_ = {flying_.data, flying_.size};
  transport_.limit_stall(limit);
  flight_.emplace(transport_.send({&part_, 1}, Deadline::never()));
  return flight_->await_ready();
}

void Wire::wait(std::coroutine_handle<> waiter, Deadline deadline) {
  flight_->deadline = deadline;
  flight_->await_suspend(waiter);
}

Result<void> Wire::land() {
  Result<void> result = flight_->await_resume();
  flight_.reset();
  flying_ = Room();
  return result;
}

}  // namespace doorward::tls
