// Cases of the HTTP/1.1 codec: heads read and written, chunks decoded, targets normalised.
#include <array>
#include <cstddef>
#include <string>

#include "base/arena.h"
#include "codec/h1/chunk_decoder.h"
#include "codec/h1/request_parser.h"
#include "codec/h1/response_parser.h"
#include "codec/h1/writer.h"
#include "http/head.h"
#include "http/uri.h"
#include "recorded.h"
#include "replay.h"

namespace doorward::replay {
namespace {

namespace h1 = codec::h1;

std::array<std::byte, 16 * 1024> arena_memory;
const h1::ParseLimits kLimits;

void parse_one(std::string_view bytes, unsigned requests) {
  Arena arena(arena_memory.data(), arena_memory.size());
  h1::RequestParser parser;
  for (unsigned i = 0; i < requests; ++i) {
    http::RequestHead head(arena);
    parser.reset();
    if (parser.parse(bytes, kLimits, head) != h1::Progress::done) misread("a request");
    keep(head);
    arena.reset();
  }
}

template <class Head>
void write(const Head& head) {
  std::array<char, 4096> out;
  if (h1::head_size(head, {}) > out.size()) misread("a head's size");
  char* end = h1::write_head(head, {}, out.data());
  keep(end);
  keep(out);
}

// 48 KB in chunks of 4 KB, as it comes in reads of 16 KB.
std::string chunked_body() {
  std::string body;
  for (int i = 0; i < 12; ++i) body += "1000\r\n" + std::string(4096, 'x') + "\r\n";
  return body + "0\r\n\r\n";
}

}  // namespace

void parse_request(unsigned requests) { parse_one(kRequest, requests); }

void parse_browser_request(unsigned requests) { parse_one(kBrowserRequest, requests); }

void parse_response(unsigned requests) {
  Arena arena(arena_memory.data(), arena_memory.size());
  h1::ResponseParser parser;
  for (unsigned i = 0; i < requests; ++i) {
    http::ResponseHead head(arena);
    parser.reset(http::Method::get);
    if (parser.parse(kResponse, kLimits, head) != h1::Progress::done) misread("a response");
    keep(head);
    arena.reset();
  }
}

void forward_heads(unsigned requests) {
  Arena arena(arena_memory.data(), arena_memory.size());
  h1::RequestParser request_parser;
  h1::ResponseParser response_parser;
  for (unsigned i = 0; i < requests; ++i) {
    http::RequestHead request(arena);
    request_parser.reset();
    if (request_parser.parse(kRequest, kLimits, request) != h1::Progress::done) {
      misread("a request");
    }
    http::remove_hop_by_hop(request.headers);
    write(request);
    http::ResponseHead response(arena);
    response_parser.reset(request.method);
    if (response_parser.parse(kResponse, kLimits, response) != h1::Progress::done) {
      misread("a response");
    }
    http::remove_hop_by_hop(response.headers);
    write(response);
    arena.reset();
  }
}

void decode_chunks(unsigned requests) {
  static const std::string body = chunked_body();
  constexpr std::size_t kRead = 16 * 1024;
  for (unsigned i = 0; i < requests; ++i) {
    Arena arena(arena_memory.data(), arena_memory.size());
    h1::ChunkDecoder decoder(arena);
    h1::ChunkStep step = h1::ChunkStep::need_more;
    for (std::size_t at = 0; at < body.size() && step != h1::ChunkStep::done; at += kRead) {
      std::string_view bytes = std::string_view(body).substr(at, kRead);
      std::string_view data;
      while ((step = decoder.next(bytes, data)) == h1::ChunkStep::data) keep(data);
    }
    if (step != h1::ChunkStep::done) misread("a chunked body");
  }
}

void normalize_target(unsigned requests) {
  Arena arena(arena_memory.data(), arena_memory.size());
  for (unsigned i = 0; i < requests; ++i) {
    const auto target = http::split_target("/orders/2024/../%7Ealice//4711?page=2");
    if (!target) misread("a target");
    const auto path = http::normalize_path(target->path, arena);
    if (!path) misread("a path");
    keep(*path);
    arena.reset();
  }
}

}  // namespace doorward::replay
