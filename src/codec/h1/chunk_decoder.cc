// The decoder's states, one byte at a time around the data and in whole spans inside it.
// Verdicts depend on the bytes alone, never on how they were split.
#include "codec/h1/chunk_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "codec/h1/message_fields.h"
#include "codec/h1/scan.h"
#include "text/ascii.h"

namespace doorward::codec::h1 {
namespace {

constexpr std::uint32_t kFirstTrailerRoom = 256;
constexpr std::uint64_t kLargestChunk =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// As the sentences of chunk_extensions_too_long and trailers_too_large say.
constexpr ChunkLimits kUsual;
static_assert(kUsual.extension_bytes == 4 * 1024 && kUsual.trailer_bytes == 8 * 1024 &&
              kUsual.trailer_count == 32);

}  // namespace

ChunkStep ChunkDecoder::next(std::string_view& bytes, std::string_view& data) {
  while (!bytes.empty()) {
    if (state_ == State::data) {
      data = take_data(bytes);
      return ChunkStep::data;
    }
    if (state_ == State::trailer) return trailer_section(bytes);
    if (!frame(bytes)) return ChunkStep::refused;
  }
  return ChunkStep::need_more;
}

std::string_view ChunkDecoder::take_data(std::string_view& bytes) {
  const std::size_t size = std::min<std::uint64_t>(left_, bytes.size());
  const std::string_view data = bytes.substr(0, size);
  bytes.remove_prefix(size);
  left_ -= size;
  if (left_ == 0) state_ = State::data_cr;
  return data;
}

// What stands around the data.
bool ChunkDecoder::frame(std::string_view& bytes) {
  switch (state_) {
    case State::size_first:
    case State::size: {
      const char c = bytes[0];
      bytes.remove_prefix(1);
      return size_digit(c);
    }
    case State::extension:
      return extension(bytes);
    case State::size_lf:
      return expect(bytes, '\n', left_ == 0 ? State::trailer : State::data);
    case State::data_cr:
      return expect(bytes, '\r', State::data_lf);
    default:
      return expect(bytes, '\n', State::size_first);
  }
}

bool ChunkDecoder::expect(std::string_view& bytes, char c, State next) {
  if (bytes[0] != c) return refuse(Refusal::bad_chunk_end);
  bytes.remove_prefix(1);
  state_ = next;
  return true;
}

bool ChunkDecoder::size_digit(char c) {
  const int digit = text::hex_value(c);
  if (digit >= 0) {
    if (state_ == State::size_first) left_ = digits_ = 0;
    if (++digits_ > 16) return refuse(Refusal::chunk_size_overflow);
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    if (left_ > kLargestChunk) return refuse(Refusal::chunk_size_overflow);
    state_ = State::size;
    return true;
  }
  if (state_ == State::size_first) return refuse(Refusal::bad_chunk_size);
  if (c == '\r') {
    state_ = State::size_lf;
  } else if (c == ';') {
    state_ = State::extension;
  } else {
    return refuse(c == '\n' ? Refusal::bad_chunk_end : Refusal::bad_chunk_size);
  }
  return true;
}

// Extensions mean nothing here; their bytes must still be ones that every parser skips alike.
bool ChunkDecoder::extension(std::string_view& bytes) {
  const char* end = bytes.data() + bytes.size();
  const auto plain =
      static_cast<std::size_t>(find_control(bytes.data(), bytes.data(), end) - bytes.data());
  if (plain > limits_.extension_bytes - extension_bytes_) {
    return refuse(Refusal::chunk_extensions_too_long);
  }
  extension_bytes_ += static_cast<std::uint32_t>(plain);
  bytes.remove_prefix(plain);
  if (bytes.empty()) return true;
  const char c = bytes[0];
  if (c == '\n') return refuse(Refusal::bad_chunk_end);
  if (c != '\r' && c != '\t') return refuse(Refusal::bad_chunk_extension);
  if (c == '\r') {
    state_ = State::size_lf;
  } else if (extension_bytes_++ == limits_.extension_bytes) {
    return refuse(Refusal::chunk_extensions_too_long);
  }
  bytes.remove_prefix(1);
  return true;
}

ChunkStep ChunkDecoder::trailer_section(std::string_view& bytes) {
  if (trailer_size_ == 0 && bytes.starts_with("\r\n")) [[likely]] {
    bytes.remove_prefix(2);
    state_ = State::finished;
    return ChunkStep::done;
  }
  const std::uint32_t before = trailer_size_;
  const std::uint32_t kept = keep_trailer_bytes(bytes);
  const ParseLimits limits{.head_bytes = limits_.trailer_bytes,
                           .header_count = limits_.trailer_count,
                           .line_length = limits_.trailer_bytes};
  const Progress progress =
      trailer_scanner_.headers({trailer_text_, trailer_size_}, limits, trailers_);
  if (progress == Progress::refused) {
    const bool many = trailer_scanner_.refusal() == Refusal::too_many_headers;
    refusal_ = many ? Refusal::trailers_too_large : trailer_scanner_.refusal();
    return ChunkStep::refused;
  }
  if (progress == Progress::need_more) {
    bytes.remove_prefix(kept);
    if (trailer_size_ < limits_.trailer_bytes) return ChunkStep::need_more;
    refusal_ = Refusal::trailers_too_large;
    return ChunkStep::refused;
  }
  bytes.remove_prefix(trailer_scanner_.position() - before);
  state_ = State::finished;
  return filter_trailers() ? ChunkStep::done : ChunkStep::refused;
}

// Appends to the text kept in the arena, up to the limit; returns how many bytes that were.
std::uint32_t ChunkDecoder::keep_trailer_bytes(std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(
      std::min<std::size_t>(bytes.size(), limits_.trailer_bytes - trailer_size_));
  if (trailer_size_ + size > trailer_room_) {
    const std::uint32_t room =
        std::max({kFirstTrailerRoom, trailer_room_ * 2, trailer_size_ + size});
    char* text = arena_->bytes(room);
    if (trailer_size_ > 0) {
      std::memcpy(text, trailer_text_, trailer_size_);
      trailers_.rebase(trailer_text_, trailer_size_, text);
    }
    trailer_text_ = text;
    trailer_room_ = room;
  }
  std::memcpy(trailer_text_ + trailer_size_, bytes.data(), size);
  trailer_size_ += size;
  return size;
}

bool ChunkDecoder::filter_trailers() {
  for (const http::Header& trailer : trailers_) {
    const TrailerRule rule = trailer_rule(trailer.id);
    if (rule == TrailerRule::refuse) return refuse(Refusal::forbidden_trailer);
    if (rule == TrailerRule::pass) continue;
    trailers_.remove(trailer);
    ++dropped_;
  }
  return true;
}

}  // namespace doorward::codec::h1
