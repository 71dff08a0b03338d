#include "handler/proxy/websocket_way.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace doorward::handler {
namespace {

using codec::websocket::ControlFrame;
using codec::websocket::FrameReader;
using codec::websocket::Opcode;

constexpr std::uint64_t kSecondNs = 1'000'000'000;

std::string_view bytes_of(const std::uint64_t& id) {
  return {reinterpret_cast<const char*>(&id), sizeof id};
}

}  // namespace

WebSocketWay::WebSocketWay(Sender sender, loop::ByteStream& from_side, loop::ByteStream& to_side,
                           const codec::websocket::Rules* rules, bool deflate)
    : from(from_side),
      to(to_side),
      sender_(sender),
      checked_(rules != nullptr),
      reader_(sender, deflate, rules == nullptr ? 0 : rules->message_bytes),
      tracker_(sender),
      saved_ns_(kSecondNs) {
  if (rules != nullptr && sender == Sender::client && rules->messages_per_second > 0) {
    cost_ns_ = kSecondNs / rules->messages_per_second;
  }
}

void WebSocketWay::say_ping(std::uint64_t id) {
  ping_due_ = true;
  ping_id_ = id;
}

void WebSocketWay::await_pong(std::uint64_t id) { awaited_pong_ = id; }

void WebSocketWay::say_close(CloseCode code, std::string_view reason) {
  close_due_ = true;
  close_code_ = code;
  close_reason_ = reason;
}

std::span<const iovec> WebSocketWay::take(std::string_view received, TimePoint now,
                                          Random& random) {
  part_count_ = 0;
  if (!checked_) {
    take_tracked(received, random);
  } else {
    refill(now);
    take_checked(received, random);
    pay();
  }
  return {parts_.data(), muted_ ? 0 : part_count_};
}

void WebSocketWay::take_checked(std::string_view rest, Random& random) {
  for (;;) {
    if (has_to_say()) speak(random);
    is_due() ? reader_.read_frame_by_frame() : reader_.read_many_frames();
    std::string_view piece;
    const FrameReader::Step step = reader_.next(rest, piece);
    if (step == FrameReader::Step::need_more || step == FrameReader::Step::refused) return;
    if (step == FrameReader::Step::control && is_awaited_pong()) continue;
    pass(piece);
  }
}

void WebSocketWay::take_tracked(std::string_view rest, Random& random) {
  for (;;) {
    if (has_to_say()) speak(random);
    if (rest.empty()) return;
    if (is_due()) {
      pass(tracker_.pass_frame(rest));
    } else {
      tracker_.pass(rest);
      pass(rest);
      return;
    }
  }
}

// Behind Doorward's own close frame nothing goes on.
void WebSocketWay::pass(std::string_view piece) {
  if (said_close_) return;
  if (reader_.is_held(piece)) {
    piece.copy(held_.data(), piece.size());
    piece = {held_.data(), piece.size()};
  }
  add(piece);
}

void WebSocketWay::speak(Random& random) {
  if (close_due_) {
    own_ = ControlFrame::close(sender_, close_code_, close_reason_, random.next());
    said_close_ = true;
  } else {
    own_ = ControlFrame(sender_, Opcode::ping, bytes_of(ping_id_), random.next());
  }
  close_due_ = ping_due_ = false;
  add(own_.view());
}

bool WebSocketWay::is_awaited_pong() {
  if (awaited_pong_ == 0 || reader_.control().opcode != Opcode::pong) return false;
  if (reader_.control().payload() != bytes_of(awaited_pong_)) return false;
  awaited_pong_ = 0;
  return true;
}

void WebSocketWay::add(std::string_view bytes) {
  if (part_count_ > 0) {
    iovec& last = parts_[part_count_ - 1];
    if (static_cast<char*>(last.iov_base) + last.iov_len == bytes.data()) {
      last.iov_len += bytes.size();
      return;
    }
  }
  DOORWARD_CHECK(part_count_ < kPartsMost);
  parts_[part_count_++] = {const_cast<char*>(bytes.data()), bytes.size()};
}

void WebSocketWay::refill(TimePoint now) {
  if (cost_ns_ == 0) return;
  if (refilled_ != TimePoint{}) {
    saved_ns_ = std::min(
        kSecondNs,
        saved_ns_ + static_cast<std::uint64_t>(std::chrono::nanoseconds(now - refilled_).count()));
  }
  refilled_ = now;
  allowed_ = saved_ns_ / cost_ns_;
  reader_.allow_messages(allowed_);
}

void WebSocketWay::pay() {
  if (cost_ns_ != 0) saved_ns_ -= (allowed_ - reader_.messages_left()) * cost_ns_;
}

}  // namespace doorward::handler
