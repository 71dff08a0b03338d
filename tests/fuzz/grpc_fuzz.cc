// What gRPC carries, on any bytes. Bodies are read whole, in pieces of a size that the first byte
// chooses, and byte by byte, with the same result; base64 decodes as a plain decoder of one segment
// after the other does; what is encoded is decoded again; a timeout that is passed on is never
// longer than the one that came.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "text/percent.h"
#include "translate/grpc/base64_stream.h"
#include "translate/grpc/content_type.h"
#include "translate/grpc/frame_scanner.h"
#include "translate/grpc/message.h"
#include "translate/grpc/status.h"
#include "translate/grpc/timeout.h"

namespace {

using namespace doorward;
using namespace doorward::translate::grpc;

// Calls `take` with pieces of memory of their own, so that a read beyond one is seen.
template <class Take>
void in_pieces(std::string_view bytes, std::size_t piece, Take take) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    const auto room = std::make_unique<char[]>(part.size());
    part.copy(room.get(), part.size());
    bytes.remove_prefix(part.size());
    if (!take(std::string_view(room.get(), part.size()), bytes.empty())) return;
  }
}

constexpr std::string_view kRefused = "refused";

std::string decode(std::string_view text, std::size_t piece) {
  Base64Decoder decoder;
  std::string bytes;
  bool sound = true;
  in_pieces(text, piece, [&](std::string_view part, bool) {
    const std::size_t most = Base64Decoder::most(part.size());
    const auto room = std::make_unique<char[]>(most);
    const char* const end = decoder.decode(part, room.get());
    sound = end != nullptr;
    if (sound) bytes.append(room.get(), static_cast<std::size_t>(end - room.get()));
    return sound;
  });
  return sound && decoder.at_end() ? bytes : std::string(kRefused);
}

// RFC 4648 §4, four characters after four.
std::string decode_plainly(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  for (; text.size() >= 4; text.remove_prefix(4)) {
    const std::size_t padding = text.substr(2, 2) == "==" ? 2 : text[3] == '=' ? 1 : 0;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t value = i < 4 - padding ? kAlphabet.find(text[i]) : 0;
      if (value == std::string_view::npos) return std::string(kRefused);
      bits = bits << 6U | static_cast<std::uint32_t>(value);
    }
    for (std::size_t i = 0; i < 3 - padding; ++i) {
      bytes += static_cast<char>(bits >> (16U - 8U * i));
    }
  }
  return text.empty() ? bytes : std::string(kRefused);
}

std::string encode(std::string_view bytes, std::size_t piece, bool flush) {
  Base64Encoder encoder;
  std::string text;
  in_pieces(bytes, piece, [&](std::string_view part, bool last) {
    const auto room = std::make_unique<char[]>(Base64Encoder::most(part.size()));
    const char* const end = encoder.encode(part, flush || last, room.get());
    text.append(room.get(), static_cast<std::size_t>(end - room.get()));
    return true;
  });
  return text;
}

struct Scanned {
  bool sound = true;
  bool between = true;
  std::uint64_t messages = 0;
  bool operator==(const Scanned&) const = default;
};

Scanned scan(std::string_view body, std::size_t piece) {
  FrameScanner scanner;
  Scanned scanned;
  in_pieces(body, piece, [&](std::string_view part, bool) {
    scanned.sound = scanner.scan(part);
    return true;
  });
  scanned.between = scanner.between();
  scanned.messages = scanner.messages();
  return scanned;
}

Scanned scan_plainly(std::string_view body) {
  Scanned scanned;
  while (!body.empty()) {
    if (static_cast<unsigned char>(body[0]) > 1) return {false, false, scanned.messages};
    std::uint32_t length = 0;
    for (std::size_t i = 1; i < std::min<std::size_t>(5, body.size()); ++i) {
      length = length << 8U | static_cast<unsigned char>(body[i]);
    }
    if (body.size() < 5 || body.size() - 5 < length) {
      scanned.between = false;
      return scanned;
    }
    body.remove_prefix(5 + length);
    ++scanned.messages;
  }
  return scanned;
}

void check_fields(std::string_view text) {
  Arena arena;
  const std::string_view message = encode_message(text, arena);
  DOORWARD_CHECK(std::ranges::all_of(message, [](char c) { return c >= ' ' && c <= '~'; }));
  DOORWARD_CHECK(text::percent_decode(message, text::Plus::itself, arena) == text);
  const ContentType type = read_content_type(text);
  const std::string_view written = write_content_type(type, arena);
  DOORWARD_CHECK(read_content_type(written).wire == type.wire);
  DOORWARD_CHECK(parse_status(text) <= kStatuses);
  const auto timeout = parse_timeout(text);
  if (!timeout) return;
  char room[kTimeoutSize];
  const char* const end = write_timeout(*timeout, room);
  const auto again = parse_timeout({room, static_cast<std::size_t>(end - room)});
  DOORWARD_CHECK(again.has_value() && *again <= *timeout);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 31 + 1U;
  const std::string bytes = decode_plainly(input);
  const Scanned scanned = scan_plainly(input);
  for (const std::size_t cut : {input.size() + 1, piece, std::size_t{1}}) {
    DOORWARD_CHECK(decode(input, cut) == bytes);
    DOORWARD_CHECK(scan(input, cut) == scanned);
    DOORWARD_CHECK(decode(encode(input, cut, false), piece) == input);
    DOORWARD_CHECK(decode(encode(input, cut, true), piece) == input);
  }
  DOORWARD_CHECK(encode(input, piece, false) == encode(input, input.size() + 1, false));
  check_fields(input);
  return 0;
}
