// Decoded bytes, heads, flushing, and what is left alone.
#include "policy/compress/compress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;
using testing::text_of;

// A decoder that is fed as bytes come; what it has decoded so far.
class Gunzip {
 public:
  Gunzip() { inflateInit2(&stream_, 15 + 16); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip() { inflateEnd(&stream_); }
  void feed(std::string_view bytes) {
    char out[65536];
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out);
      stream_.avail_out = sizeof out;
      const int done = inflate(&stream_, Z_SYNC_FLUSH);
      ended = ended || done == Z_STREAM_END;
      text.append(out, sizeof out - stream_.avail_out);
      if (done != Z_OK) return;
    } while (stream_.avail_out == 0);
  }
  std::string text;
  bool ended = false;

 private:
  z_stream stream_{};
};

std::string unzstd(std::string_view bytes) {
  std::string text(1 << 20, '\0');
  const std::size_t size = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  return ZSTD_isError(size) != 0 ? "error" : text.substr(0, size);
}

// Text that packs, but not to nothing.
std::string sample(std::size_t size) {
  Random random(3);
  std::string text;
  while (text.size() < size) {
    text += "{\"id\": " + std::to_string(random.next()) + ", \"name\": \"somebody\"},\n";
  }
  text.resize(size);
  return text;
}

// Text that hardly packs: an encoder that takes it as it comes soon has something to say.
std::string noise(std::size_t size) {
  Random random(5);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('0' + random.next() % 64);
  return text;
}

class CompressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    context.use_single();
    response().add(http::HeaderName::content_type, "application/json; charset=utf-8");
  }
  void accept(std::string_view value) {
    context.request().headers.set(http::HeaderName::accept_encoding, value);
  }
  http::HeaderList& response() { return context.response().headers; }
  // The chosen coding, "" for none.
  std::string begin(std::string_view settings = "{}") {
    policy = policy_of("compress: " + std::string(settings));
    EXPECT_TRUE(policy->on_response(context).is_ready());
    return std::string(response().value(http::HeaderName::content_encoding));
  }
  // Begins again, for a body of `size` bytes.
  void begin_known(std::size_t size, std::string_view coding = "gzip",
                   std::string_view settings = "{min_size: 1B}") {
    context.use_single();
    response().remove(http::HeaderName::content_encoding);
    response().set(http::HeaderName::content_length, context.arena().copy(std::to_string(size)));
    ASSERT_EQ(begin(settings), coding);
  }
  std::string body(std::string_view bytes, bool last, bool more_ready = false) {
    BodyPiece piece{Chunk(bytes), last, more_ready};
    EXPECT_TRUE(policy->on_response_body(context, piece).is_ready());
    EXPECT_EQ(piece.last, last);
    return std::string(piece.chunk.view());
  }
  FakeContext context;
  std::shared_ptr<const Policy> policy;
};

TEST_F(CompressTest, GzipIsDecodedToTheSameBytes) {
  accept("gzip");
  ASSERT_EQ(begin(), "gzip");
  EXPECT_EQ(context.length_unknown, 1);
  const std::string text = sample(300'000);
  Gunzip decoder;
  for (std::size_t at = 0; at < text.size(); at += 7001) {
    const bool last = at + 7001 >= text.size();
    decoder.feed(body(std::string_view(text).substr(at, 7001), last, true));
  }
  EXPECT_TRUE(decoder.ended);
  EXPECT_EQ(decoder.text, text);
}

TEST_F(CompressTest, ZstdIsDecodedToTheSameBytesAlsoTheSecondTime) {
  accept("zstd");
  for (int i = 0; i < 3; ++i) {
    context.use_single();
    response().remove(http::HeaderName::content_encoding);
    ASSERT_EQ(begin(), "zstd");
    const std::string text = sample(100'000 + static_cast<std::size_t>(i));
    const std::string first = body(std::string_view(text).substr(0, 50'000), false, i == 0);
    EXPECT_EQ(unzstd(first + body(std::string_view(text).substr(50'000), true)), text);
  }
}

TEST_F(CompressTest, ABrokenOffStreamLeavesNothingBehind) {
  accept("gzip");
  for (int i = 0; i < 2; ++i) {
    FakeContext broken;
    broken.use_single();
    broken.request().headers.add("accept-encoding", "gzip");
    broken.response().headers.add("content-type", "text/plain");
    policy = policy_of("compress: {}");
    policy->on_response(broken).take();
    BodyPiece piece{Chunk("left behind"), false, true};
    policy->on_response_body(broken, piece).take();
  }
  ASSERT_EQ(begin(), "gzip");
  Gunzip decoder;
  decoder.feed(body("fresh", true));
  EXPECT_EQ(decoder.text, "fresh");
}

TEST_F(CompressTest, GzipOfABodyOfKnownLengthIsDecodedToTheSameBytes) {
  accept("gzip");
  for (const std::size_t size : {2'000, 128 * 1024, 128 * 1024 + 1}) {
    for (const std::size_t piece : {size, std::size_t{7001}}) {
      const std::string text = sample(size);
      begin_known(size);
      Gunzip decoder;
      for (std::size_t at = 0; at < size; at += piece) {
        decoder.feed(body(std::string_view(text).substr(at, piece), at + piece >= size, true));
      }
      EXPECT_TRUE(decoder.ended) << size << " in pieces of " << piece;
      EXPECT_TRUE(decoder.text == text) << size << " in pieces of " << piece;
    }
  }
}

TEST_F(CompressTest, ABodyOfModerateKnownLengthIsCompressedWhenItIsWhole) {
  accept("gzip");
  begin_known(100'000);
  EXPECT_EQ(body(sample(99'999), false, true), "");
  EXPECT_NE(body("x", true), "");
}

// At once it would keep the loop for too long.
TEST_F(CompressTest, TheDearestLevelsOfGzipTakeABodyAsItComes) {
  accept("gzip");
  for (const std::string level : {"8", "9"}) {
    begin_known(100'000, "gzip", "{min_size: 1B, level: {gzip: " + level + "}}");
    const std::string text = noise(100'000);
    const std::string first = body(std::string_view(text).substr(0, 99'999), false, true);
    Gunzip decoder;
    decoder.feed(first);
    EXPECT_NE(decoder.text, "") << level;
    decoder.feed(body(std::string_view(text).substr(99'999), true));
    EXPECT_TRUE(decoder.text == text) << level;
  }
}

TEST_F(CompressTest, EventsAreFlushedAlsoWhereTheirStreamHasALength) {
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    accept(coding);
    response().set(http::HeaderName::content_type, "Text/Event-Stream; charset=utf-8");
    begin_known(2'000, coding);
    const std::string first = body("data: 1\n\n", false, false);
    EXPECT_NE(first, "") << coding;
    if (coding == "gzip") {
      Gunzip decoder;
      decoder.feed(first);
      EXPECT_EQ(decoder.text, "data: 1\n\n");
    }
    EXPECT_NE(body("data: 2\n\n", true), "") << coding;
  }
}

TEST_F(CompressTest, ABrokenOffBodyOfKnownLengthLeavesNothingBehind) {
  accept("gzip");
  begin_known(2'000);
  EXPECT_EQ(body("left behind", false, true), "");
  begin_known(5);
  Gunzip decoder;
  decoder.feed(body("fresh", true));
  EXPECT_EQ(decoder.text, "fresh");
}

TEST_F(CompressTest, APauseFlushesAStreamWithoutLength) {
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    context.use_single();
    response().remove(http::HeaderName::content_encoding);
    accept(coding);
    ASSERT_EQ(begin(), coding);
    EXPECT_NE(body("data: 1\n\n", false, false), "") << coding;
    EXPECT_NE(body("", true), "") << coding;
  }
  context.use_single();
  response().remove(http::HeaderName::content_encoding);
  accept("gzip");
  begin();
  Gunzip decoder;
  decoder.feed(body("data: 1\n\n", false, false));
  EXPECT_EQ(decoder.text, "data: 1\n\n");
  decoder.feed(body("data: 2\n\n", false, false));
  EXPECT_EQ(decoder.text, "data: 1\n\ndata: 2\n\n");
}

TEST_F(CompressTest, NoPauseFlushesABodyWhoseLengthIsKnown) {
  accept("gzip");
  response().add(http::HeaderName::content_length, "5000");
  ASSERT_EQ(begin(), "gzip");
  EXPECT_LE(body(sample(2000), false, false).size(), 10U);  // gzip's header at most
}

TEST_F(CompressTest, TheHeadTellsOfTheNewRepresentation) {
  accept("br");
  response().add(http::HeaderName::content_length, "5000");
  response().add(http::HeaderName::etag, "\"abc\"");
  response().add(http::HeaderName::accept_ranges, "bytes");
  response().add(http::HeaderName::vary, "Origin");
  response().add("Repr-Digest", "sha-256=:x:");
  ASSERT_EQ(begin(), "br");
  EXPECT_EQ(text_of(response()),
            "content-type: application/json; charset=utf-8\netag: W/\"abc\"\nvary: Origin\n"
            "vary: Accept-Encoding\ncontent-encoding: br\n");
}

TEST_F(CompressTest, VaryIsSaidOnceAndToOthersToo) {
  accept("identity");
  response().add(http::HeaderName::vary, "Origin, accept-ENCODING");
  EXPECT_EQ(begin(), "");
  EXPECT_EQ(response().count(http::HeaderName::vary), 1U);
  response().remove(http::HeaderName::vary);
  EXPECT_EQ(begin(), "");
  EXPECT_EQ(response().value(http::HeaderName::vary), "Accept-Encoding");
  EXPECT_EQ(context.length_unknown, 0);
  EXPECT_EQ(body("same", true), "same");
}

TEST_F(CompressTest, HeadIsAnsweredAsGetWouldBe) {
  accept("gzip");
  context.request().method = http::Method::head;
  context.has_body = false;
  response().add(http::HeaderName::content_length, "5000");
  ASSERT_EQ(begin(), "gzip");
  EXPECT_FALSE(response().has(http::HeaderName::content_length));
  EXPECT_EQ(context.length_unknown, 0);  // there is no body to frame
}

TEST_F(CompressTest, TheServersOrderDecidesBetweenEquals) {
  accept("gzip, br, zstd");
  EXPECT_EQ(begin("{algorithms: [br, gzip]}"), "br");
}

struct LeftAlone {
  std::string_view why;
  std::uint16_t status;
  std::string_view name, value;
};
class CompressLeavesAlone : public CompressTest, public ::testing::WithParamInterface<LeftAlone> {};

TEST_P(CompressLeavesAlone, What) {
  accept("gzip, br, zstd");
  const LeftAlone& p = GetParam();
  context.response().status = p.status;
  if (!p.name.empty()) response().set(p.name, p.value);
  const std::string before = text_of(response());
  begin();
  EXPECT_EQ(text_of(response()), before);
  EXPECT_EQ(body("same", true), "same");
}

// A part of what would vary as a whole (RFC 9110 §15.3.7).
TEST_F(CompressTest, APartIsLeftAloneButVaries) {
  accept("gzip");
  context.response().status = 206;
  response().add(http::HeaderName::content_range, "bytes 0-1999/5000");
  response().add(http::HeaderName::content_length, "2000");
  response().add(http::HeaderName::etag, "\"abc\"");
  EXPECT_EQ(begin(), "");
  EXPECT_EQ(response().value(http::HeaderName::etag), "\"abc\"");
  EXPECT_EQ(response().value(http::HeaderName::content_length), "2000");
  EXPECT_EQ(response().value(http::HeaderName::vary), "Accept-Encoding");
  EXPECT_EQ(body("same", true), "same");
}

// A cache must not freshen its encoded response with the tag of the one that is not encoded.
TEST_F(CompressTest, NotModifiedConfirmsTheTagThatTheClientHas) {
  const auto answer = [&](std::string_view asked, std::string_view etag) {
    context.use_single();
    context.response().status = 304;
    context.has_body = false;
    context.request().headers.set(http::HeaderName::if_none_match, asked);
    response().clear();
    response().add(http::HeaderName::etag, etag);
    EXPECT_EQ(begin(), "");
    return text_of(response());
  };
  const std::string weak = "etag: W/\"a,b\"\nvary: Accept-Encoding\n";
  EXPECT_EQ(answer("W/\"a,b\"", "\"a,b\""), weak);
  EXPECT_EQ(answer("\"x\", W/\"a,b\", \"a,b\"", "\"a,b\""), weak);
  EXPECT_EQ(answer("\"a,b\"", "\"a,b\""), "etag: \"a,b\"\n");
  EXPECT_EQ(answer("W/\"a,b\"", "W/\"a,b\""), "etag: W/\"a,b\"\n");  // the backend's own
  EXPECT_EQ(answer("*", "\"a,b\""), "etag: \"a,b\"\n");
}

INSTANTIATE_TEST_SUITE_P(
    Responses, CompressLeavesAlone,
    ::testing::Values(LeftAlone{"small", 200, "content-length", "1023"},
                      LeftAlone{"image", 200, "content-type", "image/png"},
                      LeftAlone{"encoded", 200, "content-encoding", "gzip"},
                      LeftAlone{"no_transform", 200, "cache-control", "public, No-Transform"},
                      LeftAlone{"no_content", 204, "", ""}, LeftAlone{"not_modified", 304, "", ""}),
    [](const auto& info) { return std::string(info.param.why); });

TEST(MediaTypes, MatchWithoutCaseAndParameters) {
  const std::string texts[] = {"text/*", "application/json", "Application/*+JSON"};
  const MediaTypes types(texts);
  EXPECT_TRUE(types.contains("text/html; charset=utf-8"));
  EXPECT_TRUE(types.contains("TEXT/css"));
  EXPECT_TRUE(types.contains(" application/problem+json ;x"));
  EXPECT_TRUE(types.contains("application/json"));
  EXPECT_FALSE(types.contains("application/jsonp"));
  EXPECT_FALSE(types.contains("image/png"));
  EXPECT_FALSE(types.contains(""));
  EXPECT_FALSE(types.contains(std::string(1000, 'a')));
}

TEST(CompressSettings, MistakesAreNamed) {
  EXPECT_NE(errors_of_item("compress: {algorithms: [deflate]}"), "");
  EXPECT_NE(errors_of_item("compress: {algorithms: []}"), "");
  EXPECT_NE(errors_of_item("compress: {level: {gzip: 10}}"), "");
  EXPECT_NE(errors_of_item("compress: {types: [json]}"), "");
}

}  // namespace
}  // namespace doorward::policy
