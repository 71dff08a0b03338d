// Every rule about a request's head, its content and its trailers, with what becomes of it: the
// code, the answer, and how the stream ends. The connection goes on in every case.
#include "codec/h2/priority.h"
#include "codec/h2/test_fixture.h"
#include "codec/h2/websocket_key.h"

namespace doorward::codec::h2 {
namespace {

struct Case {
  const char* name;
  Fields fields;
  const char* code;  // "" when it is taken
};

const std::string kLong(20'000, 'a');

const Case kCases[] = {
    {"plain", kGet, ""},
    {"no_method",
     {{":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
     "pseudo_header_missing"},
    {"no_scheme",
     {{":method", "GET"}, {":path", "/"}, {":authority", "a"}},
     "pseudo_header_missing"},
    {"no_path",
     {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}},
     "pseudo_header_missing"},
    {"empty_path",
     {{":method", "GET"}, {":scheme", "http"}, {":path", ""}, {":authority", "a"}},
     "pseudo_header_missing"},
    {"doubled_path", with(kGet, {{":path", "/"}}), "pseudo_header_doubled"},
    {"doubled_method", with(kGet, {{":method", "GET"}}), "pseudo_header_doubled"},
    {"late",
     {{":method", "GET"}, {":scheme", "http"}, {"x", "y"}, {":path", "/"}},
     "pseudo_header_late"},
    {"unknown_pseudo", with(kGet, {{":color", "red"}}), "unknown_pseudo_header"},
    {"response_pseudo", with(kGet, {{":status", "200"}}), "unknown_pseudo_header"},
    {"scheme",
     {{":method", "GET"}, {":scheme", "ftp"}, {":path", "/"}, {":authority", "a"}},
     "bad_scheme"},
    {"connect", {{":method", "CONNECT"}, {":authority", "a:1"}}, "connect_unsupported"},
    {"protocol_alone", with(kGet, {{":protocol", "websocket"}}), "protocol_without_connect"},
    {"other_protocol",
     {{":method", "CONNECT"},
      {":scheme", "http"},
      {":path", "/"},
      {":authority", "a"},
      {":protocol", "x"}},
     "protocol_unsupported"},
    {"method_case",
     {{":method", "get"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
     "bad_method"},
    {"method_space",
     {{":method", "GE T"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
     "bad_method"},
    {"path_form",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "a/b"}, {":authority", "a"}},
     "target_form"},
    {"path_absolute",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "http://b/"}, {":authority", "a"}},
     "target_form"},
    {"path_asterisk",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}},
     "target_form"},
    {"options_asterisk",
     {{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}},
     ""},
    {"path_space",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/a b"}, {":authority", "a"}},
     "bad_target"},
    {"path_request_line",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/a HTTP/1.1"}, {":authority", "a"}},
     "bad_target"},
    {"path_crlf",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/a\r\nx: y"}, {":authority", "a"}},
     "bad_target"},
    {"path_fragment",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/a#b"}, {":authority", "a"}},
     "target_fragment"},
    {"path_long",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/" + kLong}, {":authority", "a"}},
     "target_too_long"},
    {"no_authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, "host_missing"},
    {"host_alone", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a"}}, ""},
    {"host_agrees", with(kGet, {{"host", "EXAMPLE.com:80"}}), ""},
    {"host_differs", with(kGet, {{"host", "other"}}), "host_differs"},
    {"host_doubled", with(kGet, {{"host", "example.com"}, {"host", "example.com"}}),
     "host_doubled"},
    {"userinfo",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "me@a"}},
     "target_userinfo"},
    {"bad_authority",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a b"}},
     "bad_host"},
    {"empty_name", with(kGet, {{"", "1"}}), "empty_header_name"},
    {"name_space", with(kGet, {{"x y", "1"}}), "bad_header_name"},
    {"name_colon", with(kGet, {{"x:y", "1"}}), "bad_header_name"},
    {"underscore", with(kGet, {{"content_length", "1"}}), "ambiguous_header_name"},
    {"value_crlf", with(kGet, {{"x", "a\r\nb: c"}}), "bad_header_value"},
    {"value_nul", with(kGet, {{"x", std::string("a\0b", 3)}}), "bad_header_value"},
    {"value_leading_space", with(kGet, {{"x", " a"}}), "bad_header_value"},
    {"value_trailing_tab", with(kGet, {{"x", "a\t"}}), "bad_header_value"},
    {"connection", with(kGet, {{"connection", "close"}}), "connection_specific_header"},
    {"keep_alive", with(kGet, {{"keep-alive", "1"}}), "connection_specific_header"},
    {"proxy_connection", with(kGet, {{"proxy-connection", "x"}}), "connection_specific_header"},
    {"transfer_encoding", with(kGet, {{"transfer-encoding", "chunked"}}),
     "connection_specific_header"},
    {"upgrade", with(kGet, {{"upgrade", "websocket"}}), "connection_specific_header"},
    {"te", with(kGet, {{"te", "gzip"}}), "bad_te"},
    {"te_trailers", with(kGet, {{"te", "trailers"}}), ""},
    {"bad_length", with(kGet, {{"content-length", "1x"}}), "bad_content_length"},
    {"length_doubled", with(kGet, {{"content-length", "0"}, {"content-length", "0"}}),
     "content_length_doubled"},
    {"lengths_differ", with(kGet, {{"content-length", "1"}, {"content-length", "2"}}),
     "content_length_differs"},
    {"expectation", with(kGet, {{"expect", "the best"}}), "unknown_expectation"},
    {"trace",
     {{":method", "TRACE"},
      {":scheme", "http"},
      {":path", "/"},
      {":authority", "a"},
      {"content-length", "3"}},
     "body_not_allowed"},
    {"line_long", with(kGet, {{"x", kLong}}), "header_line_too_long"},
};

class H2Rules : public H2Test {};

loop::Task<void> all_cases(Peer& peer, TestSink& sink) {
  for (const Case& c : kCases) {
    const std::size_t before = sink.refusals.size();
    const std::int32_t id = peer.request(c.fields);
    co_await peer.until_closed(id);
    const PeerStream& stream = peer.streams[id];
    const bool refused = sink.refusals.size() > before;
    EXPECT_EQ(refused ? sink.refusals.back() : "", c.code) << c.name;
    if (*c.code == '\0') {
      EXPECT_EQ(stream.status(), "200") << c.name;
      continue;
    }
    EXPECT_EQ(stream.body, c.code) << c.name;
    const bool malformed = stream.status() == "400";
    EXPECT_EQ(stream.code, malformed ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR) << c.name;
    EXPECT_EQ(stream.ended, !malformed) << c.name;
  }
}

TEST_F(H2Rules, EachHasACodeAndAnAnswer) {
  begin();
  run(all_cases(*peer_, *sink_));
}

TEST_F(H2Rules, TooManyFieldsAre431) {
  Fields fields = kGet;
  for (int i = 0; i < 101; ++i) fields.emplace_back("x-" + std::to_string(i), "y");
  EXPECT_EQ(exchange(fields).status(), "431");
  EXPECT_EQ(sink_->refusals.back(), "too_many_headers");
}

TEST_F(H2Rules, TooManyBytesAre431) {
  settings_.parse.head_bytes = 8 * 1024;
  Fields fields = kGet;
  for (int i = 0; i < 4; ++i)
    fields.emplace_back("x-" + std::to_string(i), std::string(3'000, 'v'));
  EXPECT_EQ(exchange(fields).status(), "431");
  EXPECT_EQ(sink_->refusals.back(), "head_too_large");
}

// nghttp2 would send it in lower case, so the block is written by hand.
loop::Task<void> upper_case(Peer& peer) {
  peer.request(kGet);
  co_await peer.until_closed(1);
  const std::string block =
      "\x82\x86\x84\x41\x01"
      "a" +
      std::string(
          "\0\5X-One\1"
          "1",
          9);
  peer.raw(
      Peer::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 3, block));
  nghttp2_submit_ping(peer.session, 0, nullptr);
  co_await peer.until([&] { return peer.pings_answered > 0; });
}

TEST_F(H2Rules, NamesAreInLowerCase) {
  begin();
  run(upper_case(*peer_));
  ASSERT_EQ(sink_->refusals.size(), 1u);
  EXPECT_EQ(sink_->refusals[0], "header_name_upper_case");
}

loop::Task<void> wrong_content(Peer& peer, Fields head, const char* body) {
  const std::int32_t id = peer.request(head, body);
  co_await peer.until_closed(id);
  EXPECT_EQ(peer.streams[id].code, NGHTTP2_PROTOCOL_ERROR);
  const std::int32_t next = peer.request(kGet);
  co_await peer.until_closed(next);
  EXPECT_EQ(peer.streams[next].status(), "200");
}

TEST_F(H2Rules, MoreContentThanAnnounced) {
  begin();
  run(wrong_content(*peer_, with(kPost, {{"content-length", "3"}}), "four"));
  EXPECT_EQ(sink_->done[0].error, "protocol:content_length_mismatch");
}

TEST_F(H2Rules, LessContentThanAnnounced) {
  begin();
  run(wrong_content(*peer_, with(kPost, {{"content-length", "5"}}), "four"));
  EXPECT_EQ(sink_->done[0].error, "protocol:content_length_mismatch");
}

TEST_F(H2Rules, NoContentWhereSomeWasAnnounced) {
  begin();
  run(wrong_content(*peer_, with(kPost, {{"content-length", "5"}}), nullptr));
  EXPECT_EQ(sink_->done[0].error, "protocol:content_length_mismatch");
}

loop::Task<void> wrong_trailers(Peer& peer, Fields trailers, bool end) {
  const std::int32_t id = peer.request(kPost, "x", false);
  co_await peer.until([&] { return peer.settings_acked > 0; });
  peer.headers(id, trailers, end);
  co_await peer.until_closed(id);
  EXPECT_EQ(peer.streams[id].code, NGHTTP2_PROTOCOL_ERROR);
}

TEST_F(H2Rules, PseudoHeadersInTrailers) {
  begin();
  run(wrong_trailers(*peer_, {{":path", "/"}}, true));
  EXPECT_EQ(sink_->done[0].error, "protocol:pseudo_header_in_trailers");
}

TEST_F(H2Rules, ForbiddenTrailers) {
  begin();
  run(wrong_trailers(*peer_, {{"content-length", "1"}}, true));
  EXPECT_EQ(sink_->done[0].error, "protocol:forbidden_trailer");
}

TEST_F(H2Rules, TrailersThatDoNotEnd) {
  begin();
  run(wrong_trailers(*peer_, {{"x", "y"}}, false));
  EXPECT_EQ(sink_->done[0].error, "protocol:trailers_without_end");
}

// RFC 9113 §5.1, §5.1.1, §6.3: connection errors. The client is done with stream 5 and goes on.
loop::Task<void> misuse(Peer& peer, std::string frame) {
  const std::int32_t id = peer.request(kGet);
  co_await peer.until_closed(id);
  nghttp2_session_set_next_stream_id(peer.session, 5);
  peer.request(kGet);
  co_await peer.until_closed(5);
  peer.raw(std::move(frame));
  co_await peer.until_over();
}

std::string head_on(std::uint32_t stream) {
  return Peer::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, stream,
                     "\x82\x86\x84\x41\x01"
                     "a");
}

TEST_F(H2Rules, StreamsThatEndedStayEnded) {
  begin();
  run(misuse(*peer_, head_on(5)));
  EXPECT_EQ(peer_->goaway_code, NGHTTP2_STREAM_CLOSED);
  EXPECT_EQ(server_->end_reason(), "protocol_error");
}

TEST_F(H2Rules, NumbersOnlyGrow) {
  begin();
  run(misuse(*peer_, head_on(3)));
  EXPECT_EQ(peer_->goaway_code, NGHTTP2_PROTOCOL_ERROR);
}

// Before the client knows the limit it may exceed it; what it sends on a refused stream is no
// fault.
loop::Task<void> trailers_on_refused(Peer& peer) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(peer.request(kPost, "body", i < 3));
  co_await peer.flush();
  peer.trailers(ids[4], {{"x-sum", "1"}});
  const std::int32_t last = peer.request(kGet);
  co_await peer.flush();
  co_await peer.until_closed(last);
  co_await peer.until_closed(peer.request(kGet));
  EXPECT_EQ(peer.goaway_code, Peer::kNone);
}

TEST_F(H2Rules, ARefusedStreamMayHaveMoreOnItsWay) {
  settings_.session.max_concurrent_streams = 4;
  begin();
  run(trailers_on_refused(*peer_));
  EXPECT_NE(server_->end_reason(), "protocol_error");
}

TEST_F(H2Rules, TheConnectionHasNoPriority) {
  begin();
  run(misuse(*peer_, Peer::frame(NGHTTP2_PRIORITY, 0, 0, std::string(5, '\0'))));
  EXPECT_EQ(peer_->goaway_code, NGHTTP2_PROTOCOL_ERROR);
}

TEST(H2ClosedStreams, AreForgottenInOrder) {
  ClosedStreams closed;
  using Fate = ClosedStreams::Fate;
  EXPECT_EQ(closed.fate(1), Fate::never_opened);
  for (std::int32_t id = 1; id < 200; id += 2) {
    if (id != 151) closed.add(id, id % 4 == 1);
  }
  EXPECT_EQ(closed.fate(199), Fate::ended);
  EXPECT_EQ(closed.fate(197), Fate::reset_here);
  EXPECT_EQ(closed.fate(151), Fate::never_opened);
  EXPECT_EQ(closed.fate(3), Fate::unknown);
}

TEST(H2Priority, IsReadLeniently) {
  EXPECT_EQ(parse_priority("u=0, i").urgency, 0u);
  EXPECT_TRUE(parse_priority("u=0, i").incremental);
  EXPECT_EQ(parse_priority("u=9").urgency, 3u);
  EXPECT_FALSE(parse_priority("i=?0").incremental);
  EXPECT_EQ(parse_priority("x, u=7;a").urgency, 7u);
}

TEST(H2WebSocketKey, AnswersTheRfcsExample) {  // RFC 6455 §1.3
  Arena arena;
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", arena), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(websocket_key(0, 0, arena), "AAAAAAAAAAAAAAAAAAAAAA==");
}

}  // namespace
}  // namespace doorward::codec::h2
