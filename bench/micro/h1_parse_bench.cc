// Parsing and writing of usual heads, in nanoseconds a head.
#include <benchmark/benchmark.h>
#include <string_view>

#include "codec/h1/chunk_decoder.h"
#include "codec/h1/request_parser.h"
#include "codec/h1/response_parser.h"
#include "codec/h1/writer.h"

namespace {

using namespace doorward;
using namespace doorward::codec;

constexpr std::string_view kRequest =
    "GET /api/v1/orders/1234567?include=items&page=2 HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Authorization: Bearer 0123456789abcdef0123456789\r\n"
    "X-Request-Id: 5f2b1c9e\r\n"
    "Connection: keep-alive\r\n\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 176\r\n"
    "Connection: keep-alive\r\n"
    "ETag: \"0123456789\"\r\n\r\n";

void request(benchmark::State& state) {
  alignas(16) std::byte room[2048];
  const codec::h1::ParseLimits limits;
  codec::h1::RequestParser parser;
  for (auto _ : state) {
    Arena arena(room, sizeof room);
    http::RequestHead head(arena);
    parser.reset();
    benchmark::DoNotOptimize(parser.parse(kRequest, limits, head));
    if (parser.consumed() != kRequest.size()) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRequest.size()));
}
BENCHMARK(request);

void response(benchmark::State& state) {
  alignas(16) std::byte room[2048];
  const codec::h1::ParseLimits limits;
  codec::h1::ResponseParser parser;
  for (auto _ : state) {
    Arena arena(room, sizeof room);
    http::ResponseHead head(arena);
    parser.reset(http::Method::get);
    benchmark::DoNotOptimize(parser.parse(kResponse, limits, head));
    if (parser.consumed() != kResponse.size()) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kResponse.size()));
}
BENCHMARK(response);

// What a proxy does to a request: hop-by-hop fields go, two lines come, the head is written.
void forward(benchmark::State& state) {
  alignas(16) std::byte room[2048];
  char out[2048];
  const codec::h1::ParseLimits limits;
  codec::h1::RequestParser parser;
  for (auto _ : state) {
    Arena arena(room, sizeof room);
    http::RequestHead head(arena);
    parser.reset();
    parser.parse(kRequest, limits, head);
    http::remove_hop_by_hop(head.headers);
    head.headers.set(http::HeaderName::x_forwarded_for, "127.0.0.1");
    head.headers.add(http::HeaderName::via, "1.1 doorward");
    benchmark::DoNotOptimize(codec::h1::write_head(head, {}, out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(forward);

void chunks(benchmark::State& state) {
  constexpr std::string_view kBody = "10\r\n0123456789abcdef\r\n4\r\nabcd\r\n0\r\n\r\n";
  alignas(16) std::byte room[512];
  for (auto _ : state) {
    Arena arena(room, sizeof room);
    codec::h1::ChunkDecoder decoder(arena);
    std::string_view bytes = kBody;
    std::string_view data;
    while (decoder.next(bytes, data) == codec::h1::ChunkStep::data) benchmark::DoNotOptimize(data);
  }
}
BENCHMARK(chunks);

}  // namespace
