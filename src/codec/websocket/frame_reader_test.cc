// The rules of RFC 6455 on frames: each case whole and in pieces of every size, which must make no
// difference.
#include "codec/websocket/frame_reader.h"

#include <gtest/gtest.h>
#include <vector>

#include "codec/websocket/boundary_tracker.h"
#include "codec/websocket/test_frames.h"

namespace doorward::codec::websocket {
namespace {

struct Limits {
  Sender sender = Sender::server;
  bool deflate = false;
  std::uint64_t message_bytes = 0;
  std::uint64_t messages = FrameReader::kUnlimited;
};

struct Got {
  std::string passed;  // to the end of the last whole frame
  std::vector<std::string> controls;
  Refusal refusal = Refusal::none;
  bool closed = false;
  bool operator==(const Got&) const = default;
};

// What passed of a frame that goes on, or turned out wrong, depends on the pieces.
std::string whole_frames(std::string_view passed, Sender sender) {
  BoundaryTracker tracker(sender);
  std::size_t whole = 0;
  std::string_view rest = passed;
  while (!rest.empty()) {
    tracker.pass_frame(rest);
    if (tracker.at_boundary()) whole = passed.size() - rest.size();
  }
  return std::string(passed.substr(0, whole));
}

Got read_in_pieces(std::string_view bytes, std::size_t size, const Limits& limits,
                   bool frame_by_frame = false) {
  FrameReader reader(limits.sender, limits.deflate, limits.message_bytes);
  reader.allow_messages(limits.messages);
  if (frame_by_frame) reader.read_frame_by_frame();
  Got got;
  std::string passed;
  while (!bytes.empty() && got.refusal == Refusal::none) {
    const std::string fed(bytes.substr(0, size));
    bytes.remove_prefix(fed.size());
    std::string_view rest = fed;
    std::string_view piece;
    FrameReader::Step step;
    while ((step = reader.next(rest, piece)) <= FrameReader::Step::control &&
           step != FrameReader::Step::need_more) {
      EXPECT_FALSE(piece.empty());
      passed += piece;
      if (step == FrameReader::Step::control) {
        got.controls.push_back(std::to_string(static_cast<int>(reader.control().opcode)) + " " +
                               std::string(reader.control().payload()));
      }
    }
    if (step == FrameReader::Step::need_more) EXPECT_TRUE(rest.empty());
    got.refusal = reader.refusal();
  }
  got.closed = reader.closed();
  got.passed = whole_frames(passed, limits.sender);
  return got;
}

Got read(std::string_view bytes, const Limits& limits = {}) {
  const Got whole = read_in_pieces(bytes, bytes.size(), limits);
  for (std::size_t size = 1; size < std::min<std::size_t>(bytes.size(), 300); ++size) {
    EXPECT_EQ(read_in_pieces(bytes, size, limits), whole) << "in pieces of " << size;
  }
  EXPECT_EQ(read_in_pieces(bytes, bytes.size(), limits, true), whole) << "frame by frame";
  return whole;
}

Refusal refused(std::string_view bytes, const Limits& limits = {}) {
  return read(bytes, limits).refusal;
}

constexpr Limits kFromClient{.sender = Sender::client};

// RFC 6455 §5.7
TEST(FrameReader, ReadsTheExamplesOfTheRfc) {
  const std::string hello = "\x81\x05Hello";
  EXPECT_EQ(read(hello).passed, hello);
  const std::string masked = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
  EXPECT_EQ(read(masked, kFromClient).passed, masked);
  const std::string fragments = "\x01\x03Hel\x80\x02lo";
  EXPECT_EQ(read(fragments).passed, fragments);
  EXPECT_EQ(read("\x89\x05Hello").controls, std::vector<std::string>{"9 Hello"});
  EXPECT_EQ(read("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", kFromClient).controls,
            std::vector<std::string>{"10 Hello"});
  const std::string medium = std::string("\x82\x7e\x01\x00", 4) + std::string(256, '\xfe');
  EXPECT_EQ(read(medium).passed, medium);
  const std::string large =
      std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10) + std::string(65536, '\xff');
  EXPECT_EQ(read(large).passed, large);
}

TEST(FrameReader, ControlFramesPassBetweenFragments) {
  const std::string bytes = from_server(1, "a", false) + from_server(9, "p") +
                            from_server(0, "", false) + from_server(10, "") + from_server(0, "b");
  const Got got = read(bytes);
  EXPECT_EQ(got.passed, bytes);
  EXPECT_EQ(got.controls, (std::vector<std::string>{"9 p", "10 "}));
}

TEST(FrameReader, HandsOutManyFramesAtOnce) {
  const std::string bytes = from_client(1, "a") + from_client(2, "bc") + from_client(1, "");
  FrameReader reader(Sender::client, false, 0);
  std::string_view rest = bytes;
  std::string_view piece;
  ASSERT_EQ(reader.next(rest, piece), FrameReader::Step::pass);
  EXPECT_EQ(piece.data(), bytes.data());  // not copied
  EXPECT_EQ(piece.size(), bytes.size());
}

struct Bad {
  Refusal refusal;
  std::string bytes;
  Limits limits = {};
};

class BadFrames : public ::testing::TestWithParam<Bad> {};

TEST_P(BadFrames, AreRefusedAndDoNotPass) {
  const std::string good =
      GetParam().limits.sender == Sender::client ? from_client(2, "good") : from_server(2, "good");
  const Got got = read(good + GetParam().bytes + good, GetParam().limits);
  EXPECT_EQ(to_string(got.refusal), to_string(GetParam().refusal));
  EXPECT_TRUE(got.passed.starts_with(good));
  EXPECT_TRUE((good + GetParam().bytes).starts_with(got.passed)) << "of the rest nothing";
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadFrames,
    ::testing::Values(
        Bad{Refusal::mask_missing, from_server(1, "a"), kFromClient},
        Bad{Refusal::mask_unexpected, from_client(1, "a")},
        Bad{Refusal::reserved_bits, frame({.payload = "a", .reserved = 1})},
        Bad{Refusal::reserved_bits, frame({.payload = "a", .reserved = 2})},
        Bad{Refusal::reserved_bits, frame({.payload = "a", .reserved = 4})},
        Bad{Refusal::reserved_bits, frame({.payload = "a", .reserved = 6}), {.deflate = true}},
        Bad{Refusal::reserved_bits, frame({.opcode = 9, .reserved = 4}), {.deflate = true}},
        Bad{Refusal::reserved_bits,
            from_server(1, "a", false) + frame({.opcode = 0, .reserved = 4}),
            {.deflate = true}},
        Bad{Refusal::opcode, frame({.opcode = 3})}, Bad{Refusal::opcode, frame({.opcode = 7})},
        Bad{Refusal::opcode, frame({.opcode = 11})}, Bad{Refusal::opcode, frame({.opcode = 15})},
        Bad{Refusal::control_fragmented, from_server(9, "a", false)},
        Bad{Refusal::control_fragmented, from_server(8, "", false)},
        Bad{Refusal::control_too_long, from_server(9, std::string(126, 'a'))},
        Bad{Refusal::control_too_long, frame({.opcode = 9, .payload = "a", .length_bytes = 2})},
        Bad{Refusal::length, frame({.payload = "a", .length_bytes = 2})},
        Bad{Refusal::length, frame({.payload = "a", .length_bytes = 8})},
        Bad{Refusal::length, frame({.length_bytes = 8, .announced = 65535})},
        Bad{Refusal::length, frame({.length_bytes = 8, .announced = std::uint64_t{1} << 63})},
        Bad{Refusal::continuation, from_server(0, "a")},
        Bad{Refusal::continuation, from_server(0, "a", false)},
        Bad{Refusal::message_interrupted, from_server(1, "a", false) + from_server(1, "b")},
        Bad{Refusal::message_interrupted,
            from_server(2, "a", false) + from_server(9, "") + from_server(2, "b", false)}));

INSTANTIATE_TEST_SUITE_P(
    Close, BadFrames,
    ::testing::Values(Bad{Refusal::close_body, from_server(8, "x")},
                      Bad{Refusal::close_body, from_server(8, close_body(0))},
                      Bad{Refusal::close_body, from_server(8, close_body(999))},
                      Bad{Refusal::close_body, from_server(8, close_body(1004))},
                      Bad{Refusal::close_body, from_server(8, close_body(1005))},
                      Bad{Refusal::close_body, from_server(8, close_body(1006))},
                      Bad{Refusal::close_body, from_server(8, close_body(1015))},
                      Bad{Refusal::close_body, from_server(8, close_body(1016))},
                      Bad{Refusal::close_body, from_server(8, close_body(2999))},
                      Bad{Refusal::close_body, from_server(8, close_body(5000))},
                      Bad{Refusal::close_body, from_server(8, close_body(65535))},
                      Bad{Refusal::utf8, from_server(8, close_body(1000, "\xce\xba\xe1"))},
                      Bad{Refusal::utf8, from_client(8, close_body(1000, "\xff")), kFromClient}));

TEST(FrameReader, TakesTheCloseCodesThatMayBeSent) {
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U,
                              1013U, 1014U, 3000U, 3999U, 4000U, 4999U}) {
    const Got got = read(from_client(8, close_body(code, "why")), kFromClient);
    EXPECT_EQ(got.refusal, Refusal::none) << code;
    EXPECT_TRUE(got.closed) << code;
  }
  EXPECT_TRUE(read(from_server(8, "")).closed);
  EXPECT_TRUE(read(from_server(8, close_body(1000, std::string(123, 'a')))).closed);
}

TEST(FrameReader, WhatFollowsACloseFrameIsDropped) {
  const std::string close = from_server(8, close_body(1000));
  const Got got = read(close + from_server(1, "late") + "junk");
  EXPECT_EQ(got.passed, close);
  EXPECT_EQ(got.refusal, Refusal::none);
}

TEST(FrameReader, AMessageMayBeAsLargeAsTheLimit) {
  const Limits limits{.message_bytes = 10};
  EXPECT_EQ(refused(from_server(1, "0123456789") + from_server(1, "0123456789"), limits),
            Refusal::none);
  EXPECT_EQ(refused(from_server(1, "0123456789a"), limits), Refusal::message_too_large);
  const std::string fragments = from_server(2, "01234", false) + from_server(9, "not counted") +
                                from_server(0, "", false) + from_server(0, "56789", false);
  EXPECT_EQ(refused(fragments + from_server(0, ""), limits), Refusal::none);
  EXPECT_EQ(refused(fragments + from_server(0, "a"), limits), Refusal::message_too_large);
  EXPECT_EQ(refused(frame({.announced = (std::uint64_t{1} << 63) - 1}), limits),
            Refusal::message_too_large);
}

TEST(FrameReader, WithoutALimitAnyLengthIsRight) {
  const std::string huge = frame({.opcode = 2, .announced = (std::uint64_t{1} << 63) - 1});
  EXPECT_EQ(refused(huge + "begins"), Refusal::none);
}

TEST(FrameReader, CompressedMessagesAreNotReadAsText) {
  const Limits limits{.deflate = true};
  const std::string bytes =
      frame({.payload = "\xff\xfe", .fin = false, .reserved = 4}) + from_server(0, "\xfd");
  EXPECT_EQ(read(bytes, limits).passed, bytes);
  EXPECT_EQ(refused(bytes + from_server(1, "\xff"), limits), Refusal::utf8);  // the next one is
}

TEST(FrameReader, MessagesPingsAndEmptyFragmentsCount) {
  const Limits limits{.messages = 3};
  const std::string message = from_server(1, "a", false) + from_server(0, "b");
  EXPECT_EQ(refused(message + message + message, limits), Refusal::none);
  EXPECT_EQ(refused(message + message + message + message, limits), Refusal::too_fast);
  EXPECT_EQ(refused(message + from_server(9, "") + message + from_server(10, ""), limits),
            Refusal::none);
  EXPECT_EQ(refused(message + from_server(9, "") + message + from_server(9, ""), limits),
            Refusal::too_fast);
  const std::string empty = from_server(0, "", false);
  EXPECT_EQ(refused(from_server(1, "", false) + empty + empty + from_server(0, ""), limits),
            Refusal::none);
  EXPECT_EQ(refused(from_server(1, "", false) + empty + empty + empty, limits), Refusal::too_fast);
}

// "κόσμε", as in the Autobahn test suite.
constexpr std::string_view kWord = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

TEST(FrameReader, TextMayBeFragmentedWithinACharacter) {
  for (std::size_t at = 0; at <= kWord.size(); ++at) {
    const std::string bytes = from_client(1, kWord.substr(0, at), false) + from_client(9, "\xff") +
                              from_client(0, "", false) + from_client(0, kWord.substr(at));
    EXPECT_EQ(read(bytes, kFromClient).passed, bytes) << at;
  }
}

TEST(FrameReader, TextEndsWithACharacter) {
  for (const std::size_t size : {1U, 3U, 4U, 6U, 8U, 10U}) {
    EXPECT_EQ(refused(from_client(1, kWord.substr(0, size)), kFromClient), Refusal::utf8) << size;
  }
  EXPECT_EQ(refused(from_client(1, "\xce", false) + from_client(0, ""), kFromClient),
            Refusal::utf8);
}

TEST(FrameReader, BrokenTextIsSeenBeforeItsMessageEnds) {
  const std::string bytes = from_server(1, std::string(kWord) + "\xf4\x90", false);
  EXPECT_EQ(refused(bytes), Refusal::utf8);
  EXPECT_EQ(refused(bytes.substr(0, bytes.size() - 1)), Refusal::none);
}

TEST(FrameReader, BinaryMayBeAnything) {
  EXPECT_EQ(refused(from_server(2, "\xff\xc0", false) + from_server(0, "\xed\xa0\x80")),
            Refusal::none);
}

TEST(FrameReader, TellsWhetherWhatPassedEndsWithinAFrame) {
  const std::string bytes = from_server(1, "good") + from_server(1, "a\xff");
  const std::size_t second = bytes.size() - 4;
  FrameReader whole(Sender::server, false, 0);
  std::string_view rest = bytes;
  std::string_view piece;
  EXPECT_EQ(whole.next(rest, piece), FrameReader::Step::pass);
  EXPECT_EQ(piece, bytes.substr(0, second));
  EXPECT_EQ(whole.next(rest, piece), FrameReader::Step::refused);
  EXPECT_FALSE(whole.inside_frame());

  FrameReader split(Sender::server, false, 0);
  rest = std::string_view(bytes).substr(0, second + 3);
  EXPECT_EQ(split.next(rest, piece), FrameReader::Step::pass);
  EXPECT_TRUE(split.inside_frame());
  rest = std::string_view(bytes).substr(second + 3);
  EXPECT_EQ(split.next(rest, piece), FrameReader::Step::refused);
  EXPECT_TRUE(split.inside_frame());
}

}  // namespace
}  // namespace doorward::codec::websocket
