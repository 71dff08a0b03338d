// Inflow: the received content of one stream on its way to its reader. DATA is kept as parts of the
// buffers it was received into. Readers that fall behind would hold whole buffers of the loop for a
// few bytes each: small pieces that nobody waits for are copied together, and large ones, too, when
// a connection holds many. What may be in it is bounded by the stream's flow-control window, which
// opens only as the reader takes bytes. Owner: a Channel.
#pragma once

#include <optional>
#include <vector>

#include "base/chunk.h"
#include "codec/h2/wait.h"
#include "codec/stream.h"

namespace doorward::codec::h2 {

class Inflow {
 public:
  // `held`: pieces in all Inflows of the connection.
  Inflow(loop::Loop& loop, std::size_t& held) : held_(held), wait_(loop) {}
  ~Inflow() { drop(); }

  // Engine's side. `shared` is the received buffer in which `bytes` lie.
  void add(const Chunk& shared, std::string_view bytes);
  void end();              // the message is complete
  void fail(Error error);  // it never will be; what was received before is still read

  // Reader's side.
  bool ready() const { return at_ < pieces_.size() || ended_ || error_.has_value(); }
  bool ended() const { return ended_; }
  bool drained() const { return ended_ && pieces_.empty(); }
  bool failed() const { return error_.has_value(); }
  // Only when ready().
  Result<Piece> take();
  // Forgets what is there; returns how many bytes that was.
  std::size_t drop();
  Wait& wait() { return wait_; }

 private:
  static constexpr std::size_t kSmall = 4096;
  static constexpr std::size_t kBlock = 16 * 1024;
  static constexpr std::size_t kSharedMost = 8;  // of a stream
  static constexpr std::size_t kHeldMost = 32;   // of a connection

  bool may_share(std::size_t size) const;
  void push(Chunk piece);
  void copy(std::string_view bytes);
  void forget();

  std::size_t& held_;
  std::vector<Chunk> pieces_;
  std::size_t at_ = 0;  // the first that was not taken
  Chunk block_;         // where small pieces are copied to
  char* block_at_ = nullptr;
  std::size_t block_room_ = 0;
  bool tail_is_block_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
  Wait wait_;
};

}  // namespace doorward::codec::h2
