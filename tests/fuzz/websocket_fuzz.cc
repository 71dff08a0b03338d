// The frame reader on any bytes: whole, byte by byte, frame by frame and in pieces of a size that
// the second byte chooses must come to the same; what passed are whole frames as the tracker counts
// them. The first byte chooses direction, compression and limits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "codec/websocket/boundary_tracker.h"
#include "codec/websocket/frame_reader.h"

namespace {

using namespace doorward;
using namespace doorward::codec::websocket;

struct Setting {
  Sender sender;
  bool deflate;
  std::uint64_t message_bytes;
  std::uint64_t messages;
};

// All that may not depend on the pieces: the whole frames that passed, the control frames, the end.
struct Outcome {
  std::string frames;
  std::string controls;
  Refusal refusal = Refusal::none;
  bool closed = false;
  bool operator==(const Outcome&) const = default;
};

// Cuts `passed` behind its last whole frame. The reader says where it stands; the tracker agrees.
std::string whole_frames(std::string_view passed, const FrameReader& reader, Sender sender) {
  BoundaryTracker tracker(sender);
  std::size_t whole = 0;
  for (std::string_view rest = passed; !rest.empty();) {
    const std::string_view piece = tracker.pass_frame(rest);
    DOORWARD_CHECK(!piece.empty());
    DOORWARD_CHECK(tracker.tracks());
    if (tracker.at_boundary()) whole = passed.size() - rest.size();
  }
  DOORWARD_CHECK(tracker.at_boundary() == !reader.inside_frame());
  DOORWARD_CHECK(tracker.closed() == reader.closed());
  return std::string(passed.substr(0, whole));
}

Outcome read(std::string_view bytes, std::size_t size, const Setting& setting,
             bool frame_by_frame = false) {
  FrameReader reader(setting.sender, setting.deflate, setting.message_bytes);
  reader.allow_messages(setting.messages);
  if (frame_by_frame) reader.read_frame_by_frame();
  Outcome out;
  std::string passed;
  while (!bytes.empty() && reader.refusal() == Refusal::none) {
    const std::size_t fed = std::min(size, bytes.size());
    const auto room = std::make_unique<char[]>(fed);
    bytes.copy(room.get(), fed);
    bytes.remove_prefix(fed);
    std::string_view rest(room.get(), fed);
    for (;;) {
      std::string_view piece;
      const FrameReader::Step step = reader.next(rest, piece);
      if (step == FrameReader::Step::need_more || step == FrameReader::Step::refused) {
        DOORWARD_CHECK(piece.empty());
        DOORWARD_CHECK(step == FrameReader::Step::refused || rest.empty());
        break;
      }
      DOORWARD_CHECK(!piece.empty());
      passed += piece;
      if (step == FrameReader::Step::control) out.controls += reader.control().payload();
    }
  }
  out.refusal = reader.refusal();
  out.closed = reader.closed();
  out.frames = whole_frames(passed, reader, setting.sender);
  return out;
}

// Any bytes at all leave the tracker where they would one by one.
void check_tracker(std::string_view bytes, Sender sender) {
  BoundaryTracker whole(sender);
  BoundaryTracker split(sender);
  whole.pass(bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) split.pass(bytes.substr(i, 1));
  DOORWARD_CHECK(whole.tracks() == split.tracks());
  DOORWARD_CHECK(whole.at_boundary() == split.at_boundary());
  DOORWARD_CHECK(whole.closed() == split.closed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 8192) return 0;
  const unsigned choice = data[0];
  const Setting setting{.sender = (choice & 1) != 0 ? Sender::client : Sender::server,
                        .deflate = (choice & 2) != 0,
                        .message_bytes = (choice & 4) != 0 ? 200U : 0U,
                        .messages = (choice & 8) != 0 ? 4 : FrameReader::kUnlimited};
  const std::string input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome whole = read(input, input.size() + 1, setting);
  DOORWARD_CHECK(read(input, 1, setting) == whole);
  DOORWARD_CHECK(read(input, data[1] + 1U, setting) == whole);
  DOORWARD_CHECK(read(input, input.size() + 1, setting, true) == whole);
  check_tracker(input, setting.sender);
  return 0;
}
