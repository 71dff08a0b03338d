#include "codec/h2/session.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/check.h"
#include "codec/h2/channel.h"
#include "codec/h2/session_callbacks.h"

namespace doorward::codec::h2 {
namespace {

constexpr Duration kLingerTime{1'000};
constexpr std::uint64_t kLingerBytes = 256 * 1024;
// Frames that wait in the engine because the peer does not read: more is no honest backlog.
constexpr std::size_t kBacklogMost = 4096;
// Turns of the loop for which frames to a backend wait for those of other streams. Requests per
// send, 64 clients: 1.7 with none, 4.2 with 4, 3.5 with 16, 2.7 with 64.
constexpr int kGatherTurns = 4;

void put32(char* to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(value >> (24 - 8 * i));
}

constexpr std::size_t kAbuses = static_cast<std::size_t>(Abuse::count_);
constexpr std::array<std::string_view, 9> kOtherReasons = {
    "protocol_error", "bad_preface",  "http1_spoken",   "tls_spoken",  "closed_mid_frame",
    "reset",          "send_timeout", "header_timeout", "ping_timeout"};
constexpr std::size_t kPreface = NGHTTP2_CLIENT_MAGIC_LEN;
constexpr std::size_t kFrameMost = 16'384;  // of its payload: RFC 9113 §6.5.2, as announced

}  // namespace

std::span<const std::string_view> end_reasons() {
  static const auto all = [] {
    std::array<std::string_view, kAbuses + kOtherReasons.size()> reasons;
    std::ranges::copy(kOtherReasons, reasons.begin());
    for (std::size_t i = 0; i < kAbuses; ++i) {
      reasons[kOtherReasons.size() + i] = to_string(static_cast<Abuse>(i));
    }
    return reasons;
  }();
  return all;
}

unsigned number_of_end_reason(std::string_view reason) {
  const std::span<const std::string_view> all = end_reasons();
  return static_cast<unsigned>(std::ranges::find(all, reason) - all.begin());
}

Session::Session(loop::Loop& loop, loop::ByteStream& bytes, Role role,
                 const SessionSettings& settings)
    : loop_(loop),
      bytes_(bytes),
      settings_(settings),
      peer_(role == Role::server ? Side::client : Side::backend),
      engine_(make_engine(role == Role::server, this)),
      guard_(settings.stream_window, settings.connection_window),
      place_(role == Role::server ? kPreface : 0) {}

Session::~Session() { DOORWARD_CHECK(channels_ == nullptr && !flushing_); }

void Session::start(std::uint32_t header_list_bytes) {
  const bool server = peer_ == Side::client;
  const std::array entries = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings_.stream_window},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, header_list_bytes},
      server ? nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                      settings_.max_concurrent_streams}
             : nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      // RFC 8441 §3, RFC 9218 §2.1.
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(engine(), NGHTTP2_FLAG_NONE, entries.data(), server ? 5 : 3);
  nghttp2_session_set_local_window_size(engine(), NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(settings_.connection_window));
  pack_later();
}

void Session::link(Channel& channel) {
  channel.next = channels_;
  channel.link = &channels_;
  if (channels_ != nullptr) channels_->link = &channel.next;
  channels_ = &channel;
  ++channel_count_;
}

void Session::unlink(Channel& channel) {
  *channel.link = channel.next;
  if (channel.next != nullptr) channel.next->link = channel.link;
  --channel_count_;
  if (channel_count_ > 0) return;
  if (!flushing_) output_.shrink();
  on_quiet();
}

bool Session::finished() const {
  return dead_ || (nghttp2_session_want_read(engine_.get()) == 0 &&
                   nghttp2_session_want_write(engine_.get()) == 0);
}

bool Session::abused(Abuse kind) {
  if (!guard_.overdrawn(kind, loop_.now())) return false;
  if (abuse_ == Abuse::none) abuse_ = kind;
  return true;
}

void Session::feed(Chunk chunk) {
  if (!std::exchange(fed_, true)) on_first_bytes(chunk.view());
  if (dead_) return;
  place_.received(chunk.view(), [this](const nghttp2_frame_hd& head) { note_head(head); });
  if (dead_) return;
  input_ = std::move(chunk);
  in_engine_ = true;
  const ssize_t used = nghttp2_session_mem_recv(
      engine(), reinterpret_cast<const std::uint8_t*>(input_.data()), input_.size());
  in_engine_ = false;
  input_ = Chunk();
  const std::uint64_t dropped = std::exchange(content_due_, 0);
  if (used >= 0 && dropped > 0 && guard_.too_late(dropped)) {
    abuse_ = Abuse::closed_flood;
    return engine_failed(NGHTTP2_ERR_CALLBACK_FAILURE);
  }
  if (used < 0) return engine_failed(used);
  if (nghttp2_session_get_outbound_queue_size(engine()) > kBacklogMost) {
    abuse_ = Abuse::ack_flood;
    return engine_failed(NGHTTP2_ERR_FLOODED);
  }
  pack();
  if (!dead_) after_input();
  tell_watches();
}

// The engine tells of all DATA but that of streams that are over: it drops this, and gives its
// bytes back to the connection's window. (At a frame that is too large it ends the connection.) A
// client that goes on with a stream that it has ended itself breaks RFC 9113 §5.1; of another
// stream, what comes may have been on its way.
void Session::note_head(const nghttp2_frame_hd& head) {
  if (head.type == NGHTTP2_RST_STREAM) reset_head_ = head.stream_id;
  if (head.type != NGHTTP2_DATA || head.length > kFrameMost) return;
  content_due_ += kFrameHead + head.length;
  if (peer_ == Side::backend || dead_) return;
  const bool ended = nghttp2_session_find_stream(engine(), head.stream_id) == nullptr &&
                     closed_.fate(head.stream_id) == ClosedStreams::Fate::ended;
  const bool reset = head.stream_id == reset_head_;  // just now, in the same bytes
  if (!ended && !reset) return;
  end_telling(NGHTTP2_STREAM_CLOSED, "protocol_error",
              Error{ErrorKind::protocol,
                    peer_,
                    Retry::no,
                    0,
                    {},
                    fmt::format("DATA on stream {}, which has ended", head.stream_id)});
}

// A watch may end any stream, so that the list is walked anew after each.
void Session::tell_watches() {
  while (std::exchange(to_tell_, false)) {
    for (Channel* channel = channels_; channel != nullptr; channel = channel->next) {
      if (!channel->has_news()) continue;
      to_tell_ = true;
      channel->tell_watch();
      break;
    }
  }
}

// Which of the peer's doings the engine gave up on.
void Session::engine_failed(ssize_t code) {
  if (abuse_ == Abuse::none && code == NGHTTP2_ERR_FLOODED) abuse_ = Abuse::ack_flood;
  if (code == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) abuse_ = Abuse::continuation_flood;
  if (abuse_ != Abuse::none) end_detail_.clear();  // its name says it
  Error why{ErrorKind::protocol, peer_, Retry::no, 0, {}, broken_rule()};
  if (abuse_ != Abuse::none) {
    if (peer_ == Side::backend) why.reason = to_string(abuse_);
    return end_with(NGHTTP2_ENHANCE_YOUR_CALM, to_string(abuse_), why);
  }
  if (violation_ != NGHTTP2_NO_ERROR) return end_with(violation_, "protocol_error", why);
  const bool preface = code == NGHTTP2_ERR_BAD_CLIENT_MAGIC;
  end_with(preface ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_INTERNAL_ERROR,
           preface ? "bad_preface" : "protocol_error", why);
}

// The engine says in its GOAWAY which rule was broken, and not always anywhere else.
void Session::note_why(const nghttp2_goaway& sent) {
  if (sent.error_code == NGHTTP2_NO_ERROR) return;
  const std::string_view said(reinterpret_cast<const char*>(sent.opaque_data),
                              sent.opaque_data_len);
  end_detail_ = said.empty() ? nghttp2_http2_strerror(sent.error_code) : std::string(said);
}

// RFC 9113 §6.8.
void Session::write_goaway(std::uint32_t code) {
  std::array<char, 17> frame{};
  frame[2] = 8;
  frame[3] = NGHTTP2_GOAWAY;
  put32(&frame[9], static_cast<std::uint32_t>(nghttp2_session_get_last_proc_stream_id(engine())));
  put32(&frame[13], code);
  output_.copy({frame.data(), frame.size()});
}

std::string Session::broken_rule() const {
  std::string text(peer_ == Side::client ? "the client" : "the backend");
  text += " broke HTTP/2";
  if (!end_detail_.empty()) text += ": " + end_detail_;
  return text;
}

void Session::end_telling(std::uint32_t code, std::string_view reason, const Error& why) {
  end_detail_ = why.cause;
  end_with(code, reason, why);
}

void Session::end_with(std::uint32_t code, std::string_view reason, const Error& why) {
  if (dead_) return;
  write_goaway(code);
  dead_ = true;
  end_reason_ = reason;
  pack_later();
  fail_channels(why);
  tell_watches();
  on_quiet();
}

void Session::lose(std::string_view reason, const Error& why) {
  if (dead_) return;
  dead_ = true;
  if (end_reason_.empty()) end_reason_ = reason;
  fail_channels(why);
  tell_watches();
  on_quiet();
}

// Channels leave the list only when their owners resume, which is later.
void Session::fail_channels(const Error& why) {
  for (Channel* channel = channels_; channel != nullptr;) {
    Channel* const next = channel->next;
    channel->on_lost(why);
    channel = next;
  }
}

void Session::consume(std::int32_t stream, std::size_t size) {
  if (dead_) return;
  nghttp2_session_consume(engine(), stream, size);
  if (!in_engine_) pack_later();
}

void Session::pack_later() {
  if (flushing_ || in_engine_) return;  // whoever called into the engine packs
  flushing_ = true;
  flushes_.spawn(flush());
}

void Session::pack() {
  DOORWARD_CHECK(!in_engine_);
  ssize_t size = 0;
  in_engine_ = true;
  while (!dead_ && !output_full()) {
    const std::uint8_t* data = nullptr;
    size = nghttp2_session_mem_send(engine(), &data);
    if (size <= 0) break;
    output_.copy({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)});
    packed_ += static_cast<std::size_t>(size);
  }
  in_engine_ = false;
  if (size < 0) return engine_failed(size);
  if (!output_.empty()) pack_later();
}

// The other streams may have something to send in the next turns, which a backend then gets at
// once. It ends with the first turn in which nothing happens, so that a quiet loop adds no delay.
bool Session::gathers(int turns, std::uint64_t seen) const {
  return peer_ == Side::backend && turns < kGatherTurns && channel_count_ > 1 && !output_full() &&
         loop_.counters().completions != seen;
}

loop::Task<void> Session::flush() {
  co_await next_turn();
  pack();
  std::uint64_t seen = 0;
  for (int turns = 0; gathers(turns, seen); ++turns) {
    seen = loop_.counters().completions;
    co_await next_turn();
    pack();
  }
  while (!output_.empty()) {
    std::swap(output_, sending_);
    const Result<void> sent = co_await bytes_.send(sending_.parts(), Deadline::never());
    sending_.done();
    if (!sent) {
      // What the peer said before it cut the connection may have been received, and tells more.
      for (int turns = 0; turns < kGatherTurns && !dead_; ++turns) co_await next_turn();
      output_.done();
      flushing_ = false;
      Error why = sent.error();
      why.side = peer_;
      lose(why.kind == ErrorKind::timeout ? "send_timeout" : reset_reason(), why);
      co_return;
    }
    pack();
  }
  flushing_ = false;
  if (channel_count_ == 0) {
    output_.shrink();
    sending_.shrink();
  }
  if (finished()) on_quiet();
}

loop::Task<void> Session::flushed() {
  if (!dead_) pack();
  co_await flushes_.close();
}

loop::Task<bool> Session::receive() {
  while (!finished()) {
    Result<Chunk> got = co_await bytes_.recv(Deadline::never());
    if (!got && got.error().kind == ErrorKind::cancelled) continue;  // finished, perhaps
    if (!got || got->empty()) {
      lose(lost_reason(got), why_lost(got));
      bytes_.abort();  // nobody waits for what is still to be sent
      co_return false;
    }
    feed(std::move(*got));
  }
  co_return true;
}

std::size_t Session::open_channels() const {
  std::size_t count = 0;
  for (const Channel* channel = channels_; channel != nullptr; channel = channel->next) {
    if (channel->is_open()) ++count;
  }
  return count;
}

// A peer may leave as it likes while nothing is under way.
std::string_view Session::reset_reason() const { return open_channels() == 0 ? "" : "reset"; }

// Clients leave within a frame, too. What breaks the transport's own rules is never in order.
std::string_view Session::lost_reason(const Result<Chunk>& got) const {
  if (got) {
    const bool within = peer_ == Side::backend && place_.within();
    return within ? "closed_mid_frame" : reset_reason();
  }
  const ErrorKind kind = got.error().kind;
  return kind == ErrorKind::reset || kind == ErrorKind::closed ? reset_reason() : "reset";
}

// The transport's own words where it has some: what TLS says of a peer that broke it, or refused
// us.
Error Session::why_lost(const Result<Chunk>& got) {
  Error why{got ? ErrorKind::closed : got.error().kind, peer_, Retry::no, 0, {}, {}};
  if (lost_reason(got).empty()) return why;
  if (!got && !got.error().reason.empty()) {
    end_detail_ = got.error().cause;
    return got.error();
  }
  why.cause =
      fmt::format("the {} {} the connection{}", peer_ == Side::client ? "client" : "backend",
                  got ? "closed" : "broke", place_.text());
  end_detail_ = fmt::format("{}; requests under way: {}", why.cause, open_channels());
  return why;
}

loop::Task<void> Session::linger() {
  bytes_.shutdown_send();
  const Deadline deadline = Deadline::after(loop_.now(), kLingerTime);
  const std::uint64_t until = bytes_.received() + kLingerBytes;
  while (bytes_.received() < until) {
    const Result<Chunk> got = co_await bytes_.recv(deadline);
    if (!got || got->empty()) break;
  }
}

}  // namespace doorward::codec::h2
