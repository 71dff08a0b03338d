// Encoder: one compressed stream (gzip, brotli, zstd). Its memory is dear (hundreds of KiB), so
// encoders are kept per thread and used again: take() finds or makes one, Lease gives it back.
//
// Subtle: contexts are started over when they are taken, so that a broken-off stream leaves
// nothing behind; brotli cannot start over, so there its memory blocks are what is kept. At gzip's
// usual levels a body of known and moderate length is compressed as a whole, any other as a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace doorward::policy {

enum class Coding : std::uint8_t { gzip, br, zstd };
// The content coding's name (IANA's registry): "gzip", "br", "zstd".
std::string_view to_string(Coding coding);

// Where compressed bytes gather. One per thread, reused.
class EncoderOutput {
 public:
  // At least `least` bytes to write to.
  std::span<char> room(std::size_t least = kLeastRoom);
  void add(std::size_t count) { used_ += count; }
  std::string_view view() const { return {bytes_.data(), used_}; }
  void clear();

 private:
  static constexpr std::size_t kLeastRoom = 4 * 1024;

  std::vector<char> bytes_;
  std::size_t used_ = 0;
};

class Encoder {
 public:
  // Which of the makers below made it.
  enum class Kind : std::uint8_t { gzip, gzip_whole, br, zstd };
  // What follows the bytes: more of them; a wait, so that the receiver must be able to decode all
  // that went in; nothing.
  enum class Then : std::uint8_t { more, wait, end };

  virtual ~Encoder() = default;
  // Begins a stream; `size` is the content's length when known.
  virtual void begin(std::optional<std::uint64_t> size) = 0;
  virtual void encode(std::string_view bytes, Then then, EncoderOutput& out) = 0;
  // The stream is over or given up.
  virtual void release() {}
  // Is it dear enough to be kept for another stream?
  virtual bool is_kept() const { return true; }

  Kind kind() const { return kind_; }
  int level() const { return level_; }

 protected:
  Encoder(Kind kind, int level) : kind_(kind), level_(level) {}

 private:
  Kind kind_;
  int level_;
};

// Holds an encoder for one stream. Belongs to the thread that took it.
class EncoderLease {
 public:
  EncoderLease() = default;
  EncoderLease(const EncoderLease&) = delete;
  EncoderLease& operator=(const EncoderLease&) = delete;
  ~EncoderLease() { give_back(); }

  void take(Coding coding, int level, std::optional<std::uint64_t> size);
  void give_back();
  explicit operator bool() const { return encoder_ != nullptr; }
  Encoder* operator->() const { return encoder_.get(); }

 private:
  std::unique_ptr<Encoder> encoder_;
};

// The makers (gzip.cc, gzip_whole.cc, brotli.cc, zstd.cc).
std::unique_ptr<Encoder> make_gzip(int level);
std::unique_ptr<Encoder> make_whole_gzip(int level);
std::unique_ptr<Encoder> make_brotli(int level);
std::unique_ptr<Encoder> make_zstd(int level);

}  // namespace doorward::policy
