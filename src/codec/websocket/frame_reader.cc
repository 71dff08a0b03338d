// FrameReader: the rules of RFC 6455 §5 and §7, each where a head or a payload has to meet it.
#include "codec/websocket/frame_reader.h"

#include <algorithm>

namespace doorward::codec::websocket {
namespace {

// RFC 6455 §7.4, and the codes that were registered since: what may stand in a close frame.
bool may_be_sent(unsigned code) {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

unsigned code_in(std::string_view body) {
  return static_cast<unsigned char>(body[0]) * 256U + static_cast<unsigned char>(body[1]);
}

}  // namespace

unsigned FrameReader::close_code() const {
  constexpr unsigned kNone = 1005;
  const std::string_view body = control_.payload();
  return body.size() < 2 ? kNone : code_in(body);
}

// RFC 6455 §5.2 and §5.5.
Refusal FrameReader::judge(const FrameHead& head) const {
  const bool begins = !head.is_control() && head.opcode != Opcode::continuation;
  const unsigned allowed = deflate_ && begins ? kRsv1 : 0;
  if ((head.reserved & ~allowed) != 0) return Refusal::reserved_bits;
  if (!head.is_known()) return Refusal::opcode;
  if (sender_ == Sender::client && !head.masked) return Refusal::mask_missing;
  if (sender_ == Sender::server && head.masked) return Refusal::mask_unexpected;
  if (head.is_control()) {
    if (!head.fin) return Refusal::control_fragmented;
    if (!head.is_sized()) return Refusal::control_too_long;
  } else if (const Refusal data = judge_data(head); data != Refusal::none) {
    return data;
  }
  return counts(head) && messages_left_ == 0 ? Refusal::too_fast : Refusal::none;
}

// §5.4
Refusal FrameReader::judge_data(const FrameHead& head) const {
  if (!head.is_sized()) return Refusal::length;
  const bool continues = head.opcode == Opcode::continuation;
  if (continues && !message_open_) return Refusal::continuation;
  if (!continues && message_open_) return Refusal::message_interrupted;
  const std::uint64_t before = continues ? message_size_ : 0;
  return head.length > message_most_ - before ? Refusal::message_too_large : Refusal::none;
}

// §5.5.1 and §7.4
Refusal FrameReader::judge_close() const {
  const std::string_view body = control_.payload();
  if (body.empty()) return Refusal::none;
  if (body.size() == 1) return Refusal::close_body;
  if (!may_be_sent(code_in(body))) return Refusal::close_body;
  Utf8 reason;
  const bool text = reason.take(body.substr(2)) && reason.complete();
  return text ? Refusal::none : Refusal::utf8;
}

bool FrameReader::check(const FrameHead& head) {
  refusal_ = judge(head);
  return refusal_ == Refusal::none;
}

// An answer (pong) comes as often as it is asked for; a fragment of nothing is no way around.
bool FrameReader::counts(const FrameHead& head) const {
  if (head.is_control()) return head.opcode == Opcode::ping;
  return head.opcode != Opcode::continuation || (head.length == 0 && !head.fin);
}

void FrameReader::count(const FrameHead& head) {
  if (counts(head) && messages_left_ != kUnlimited) --messages_left_;
}

void FrameReader::begin_frame(const FrameHead& head) {
  count(head);
  if (head.opcode != Opcode::continuation) {
    message_size_ = 0;
    ++messages_;
    check_text_ = head.opcode == Opcode::text && (head.reserved & kRsv1) == 0;
    utf8_.reset();
  }
  message_size_ += head.length;
  message_open_ = !head.fin;
  fin_ = head.fin;
  mask_ = head.mask;
  offset_ = 0;
  left_ = head.length;
}

// §8.1: text is valid as a whole message; a fragment may end within a character.
bool FrameReader::take_payload(std::string_view& rest) {
  const std::string_view bytes =
      rest.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size())));
  bool valid = !check_text_ || utf8_.take(bytes, mask_, offset_);
  offset_ += bytes.size();
  left_ -= bytes.size();
  rest.remove_prefix(bytes.size());
  if (left_ == 0 && fin_ && check_text_) valid = valid && utf8_.complete();
  if (!valid) refusal_ = Refusal::utf8;
  return valid;
}

void FrameReader::hold(std::string_view& rest, std::size_t up_to) {
  const std::size_t size = std::min(rest.size(), up_to - held_size_);
  rest.copy(held_.data() + held_size_, size);
  held_size_ += size;
  rest.remove_prefix(size);
}

FrameReader::Step FrameReader::next(std::string_view& rest, std::string_view& piece) {
  piece = {};
  if (refusal_ != Refusal::none) return Step::refused;
  if (closed_) rest.remove_prefix(rest.size());
  if (held_size_ > 0) return complete_held(rest, piece);
  const char* const begin = rest.data();
  const char* end = begin;  // of what may go on
  while (!rest.empty()) {
    if (left_ == 0) {
      FrameHead head;
      if (!read_head(rest, head)) {
        hold(rest, kHeadMost);
        break;
      }
      if (!check(head)) break;
      if (head.is_control()) {
        if (end != begin) break;  // what came before it goes first
        return take_control(head, rest, piece);
      }
      begin_frame(head);
      rest.remove_prefix(head.size);
    }
    if (!take_payload(rest)) break;
    end = rest.data();
    inside_ = left_ > 0;
    if (frame_by_frame_ && left_ == 0) break;
  }
  piece = {begin, end};
  if (!piece.empty()) return Step::pass;
  return refusal_ == Refusal::none ? Step::need_more : Step::refused;
}

FrameReader::Step FrameReader::complete_held(std::string_view& rest, std::string_view& piece) {
  FrameHead head;
  while (!read_head(held(), head)) {
    if (rest.empty()) return Step::need_more;
    hold(rest, held_size_ + 1);
  }
  if (!check(head)) return Step::refused;
  if (head.is_control()) return take_control(head, rest, piece);
  piece = held();
  held_size_ = 0;
  begin_frame(head);
  std::string_view none;
  if (left_ == 0 && !take_payload(none)) {
    piece = {};
    return Step::refused;
  }
  inside_ = left_ > 0;
  return Step::pass;
}

FrameReader::Step FrameReader::take_control(const FrameHead& head, std::string_view& rest,
                                            std::string_view& piece) {
  const std::size_t whole = head.size + static_cast<std::size_t>(head.length);
  if (held_size_ == 0 && rest.size() >= whole) {
    piece = rest.substr(0, whole);
    rest.remove_prefix(whole);
    return finish_control(head, piece);
  }
  hold(rest, whole);
  if (held_size_ < whole) return Step::need_more;
  piece = held();
  held_size_ = 0;
  return finish_control(head, piece);
}

FrameReader::Step FrameReader::finish_control(const FrameHead& head, std::string_view& piece) {
  count(head);
  control_.opcode = head.opcode;
  control_.size = static_cast<std::uint8_t>(head.length);
  for (std::size_t i = 0; i < control_.size; ++i) {
    const auto byte = static_cast<unsigned char>(piece[head.size + i]);
    control_.bytes[i] = static_cast<char>(byte ^ head.mask[i & 3]);
  }
  if (head.opcode != Opcode::close) return Step::control;
  refusal_ = judge_close();
  if (refusal_ != Refusal::none) {
    piece = {};
    return Step::refused;
  }
  closed_ = true;
  return Step::control;
}

}  // namespace doorward::codec::websocket
