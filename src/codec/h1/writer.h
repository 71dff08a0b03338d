// Writing HTTP/1.1: heads and chunk framing into memory that the caller gives. Lines that nobody
// touched are copied in whole runs. What is written is trusted: names and values must be valid
// already (parsed, or checked by whoever made them).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "codec/h1/framing.h"
#include "http/head.h"

namespace doorward::codec::h1 {

// Which framing line the head gets.
enum class WriteFraming : std::uint8_t {
  as_is,    // the list's own Content-Length goes out; nothing is added (also for no content)
  length,   // Content-Length: `length` replaces what the list has
  chunked,  // Transfer-Encoding: chunked replaces what the list has
  none,     // neither line goes out (until close, or a message without content)
};

struct HeadOptions {
  WriteFraming framing = WriteFraming::as_is;
  std::uint64_t length = 0;
  std::string_view connection;  // a Connection line to add ("close", "keep-alive", "upgrade")
  std::string_view host;        // requests: when not empty, replaces the list's Host, and is first
  std::string_view target;      // requests: when not empty, goes out instead of the head's
  std::string_view extra;       // whole lines with their CRLFs, added after the headers
};

// Room enough for write_head with the same arguments (an upper bound).
std::size_t head_size(const http::RequestHead& head, const HeadOptions& options);
std::size_t head_size(const http::ResponseHead& head, const HeadOptions& options);

// Writes the whole head, the empty line included; always as HTTP/1.1. Returns the end.
// A list's Transfer-Encoding is never written as it is.
char* write_head(const http::RequestHead& head, const HeadOptions& options, char* to);
char* write_head(const http::ResponseHead& head, const HeadOptions& options, char* to);

// A chunk on the wire: size line, the data, kCrlf. `size` is not 0.
inline constexpr std::size_t kChunkLineSize = 18;  // 16 digits and CRLF
std::string_view chunk_line(std::uint64_t size, std::span<char, kChunkLineSize> room);
inline constexpr std::string_view kCrlf = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";  // without trailers

// The last chunk with trailers.
std::size_t last_chunk_size(const http::HeaderList& trailers);
char* write_last_chunk(const http::HeaderList& trailers, char* to);

}  // namespace doorward::codec::h1
