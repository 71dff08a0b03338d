// Channel: one stream as HTTP/2 sees it, without regard to who sends which head: its number, its
// two flows, the header block that is being read, and how it ends. ServerStream and ClientStream
// are Channels.
//
// Subtle: the engine knows a Channel by its stream's user data and forgets it with detach(), which
// leaves nothing of it behind: what was not sent is dropped by the RST_STREAM that detach() sends.
#pragma once

#include <cstdint>

#include "codec/h2/head_reader.h"
#include "codec/h2/inflow.h"
#include "codec/h2/outflow.h"

namespace doorward::codec::h2 {

class Session;

class Channel {
 public:
  explicit Channel(Session& session);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  std::int32_t id() const { return id_; }
  bool is_open() const { return id_ != 0 && !closed_; }
  // Its RST_STREAM is on its way out.
  bool is_given_up() const { return reset_ || out_.error(); }

  // Engine's side; inside of its callbacks. False: the whole connection must end.
  virtual void on_block_begins() = 0;
  virtual bool on_block_ends(bool last) = 0;
  void on_field(std::string_view name, std::string_view value) { reader_.field(name, value); }
  const HeadReader& reader() const { return reader_; }
  bool on_data(const Chunk& shared, std::string_view bytes);
  bool on_end();
  // Header blocks as they went over the wire; bodies are counted by their content.
  void count_received_head(std::size_t size) { bytes_received_ += size; }
  void count_sent_head(std::size_t size) { bytes_sent_ += size; }
  // The engine found one that breaks the stream's rules, and resets the stream.
  bool on_bad_frame() { return refuse_message(bad_request(Refusal::bad_stream_frame)); }
  // … of a client, which made the engine do so.
  void on_reset_by_engine() { reset_ = true; }
  // RST_STREAM, GOAWAY, or both sides are done.
  void on_closed(std::uint32_t code);
  // The connection is gone; `why` is whole in itself.
  void on_lost(const Error& why);
  Inflow& in() { return in_; }
  Outflow& out() { return out_; }
  Session& session() { return session_; }
  void reset(std::uint32_t code);
  // What Inflow::take() has, its window opened.
  Result<Piece> take_piece();
  // Told once when the stream ended before it was complete; null takes the watch away.
  void watch(loop::PeerWatch* watch);
  void tell_watch();
  bool has_news() const { return broken_ && watch_ != nullptr; }
  bool is_broken() const { return broken_; }

  Channel* next = nullptr;  // in the Session's list
  Channel** link = nullptr;

 protected:
  ~Channel() = default;

  void attach(std::int32_t id);
  // Takes leave of the engine; a stream that is not complete is reset with `code`.
  void detach(std::uint32_t code);
  // The peer's message breaks a rule: stream error (RFC 9113 §8.1.1). False: once too often.
  bool refuse_message(const BadRequest& why);
  // Of the content that follows a head.
  void expect_body(BodySize size) {
    size_ = size;
    left_ = size.length;
  }
  // Nothing further is read from or sent on it.
  virtual void on_end_of_stream(const Error& why) { broken(why); }
  void broken(const Error& why);

  loop::Task<Result<Piece>> read_piece(Deadline deadline);
  loop::Task<Result<void>> send_piece(std::string_view bytes, bool last,
                                      const http::HeaderList* trailers, Arena& arena,
                                      loop::StallLimit limit, Deadline deadline);
  Error error(ErrorKind kind, std::string_view cause) const;

  Session& session_;
  Inflow in_;
  Outflow out_;
  HeadReader reader_;
  BodySize size_;
  std::uint64_t left_ = 0;  // of Content-Length
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint32_t reset_code_ = 0;
  bool awaits_head_ = false;  // content would come before it
  bool closed_ = false;

 private:
  loop::Task<Result<Piece>> wait_for_piece(Deadline deadline);

  std::int32_t id_ = 0;
  loop::PeerWatch* watch_ = nullptr;
  bool broken_ = false;
  bool reset_ = false;
};

}  // namespace doorward::codec::h2
