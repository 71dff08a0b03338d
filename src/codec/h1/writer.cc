// Serialisation. Sizes are counted first, so writing needs no checks; untouched lines that lie
// next to each other in memory go out as one copy.
#include "codec/h1/writer.h"

#include <charconv>
#include <cstring>

namespace doorward::codec::h1 {
namespace {

using http::Header;
using http::HeaderList;
using http::HeaderName;

constexpr std::string_view kVersion = "HTTP/1.1";
constexpr std::string_view kContentLength = "content-length: ";
constexpr std::string_view kChunked = "transfer-encoding: chunked\r\n";
constexpr std::string_view kConnection = "connection: ";
constexpr std::string_view kHost = "host: ";
constexpr std::size_t kFixed = 128;  // all of the above, digits, separators

char* put(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* put_line(char* to, std::string_view name, std::string_view value) {
  to = put(to, name);
  to = put(to, value);
  return put(to, kCrlf);
}

bool skips(HeaderName name, const HeadOptions& options) {
  switch (name) {
    case HeaderName::transfer_encoding:
      return true;
    case HeaderName::content_length:
      return options.framing != WriteFraming::as_is;
    case HeaderName::connection:
      return !options.connection.empty();
    case HeaderName::host:
      return !options.host.empty();
    default:
      return false;
  }
}

std::size_t fields_size(const HeaderList& headers) {
  std::size_t size = 0;
  for (const Header& header : headers) {
    size += header.line_size > 0 ? header.line_size : header.name.size() + header.value.size() + 4;
  }
  return size;
}

char* write_fields(const HeaderList& headers, const HeadOptions& options, char* to) {
  std::string_view run;
  for (const Header& header : headers) {
    if (skips(header.id, options)) continue;
    if (header.line_size > 0 && header.name.data() == run.data() + run.size()) {
      run = {run.data(), run.size() + header.line_size};
      continue;
    }
    to = put(to, run);
    run = header.line();  // empty for a line of Doorward's own
    if (header.line_size > 0) continue;
    to = put(to, header.name);
    to = put(to, ": ");
    to = put(to, header.value);
    to = put(to, kCrlf);
  }
  return put(to, run);
}

// Everything behind the first line.
char* write_rest(const HeaderList& headers, const HeadOptions& options, char* to) {
  to = write_fields(headers, options, to);
  if (options.framing == WriteFraming::chunked) to = put(to, kChunked);
  if (options.framing == WriteFraming::length) {
    to = put(to, kContentLength);
    to = std::to_chars(to, to + 20, options.length).ptr;
    to = put(to, kCrlf);
  }
  if (!options.connection.empty()) to = put_line(to, kConnection, options.connection);
  to = put(to, options.extra);
  return put(to, kCrlf);
}

std::size_t options_size(const HeadOptions& options) {
  return kFixed + options.connection.size() + options.host.size() + options.target.size() +
         options.extra.size();
}

}  // namespace

std::size_t head_size(const http::RequestHead& head, const HeadOptions& options) {
  return head.method_text.size() + head.target.size() + fields_size(head.headers) +
         options_size(options);
}

std::size_t head_size(const http::ResponseHead& head, const HeadOptions& options) {
  return head.reason.size() + fields_size(head.headers) + options_size(options);
}

char* write_head(const http::RequestHead& head, const HeadOptions& options, char* to) {
  to = put(to, head.method_text);
  *to++ = ' ';
  to = put(to, options.target.empty() ? head.target : options.target);
  *to++ = ' ';
  to = put(to, kVersion);
  to = put(to, kCrlf);
  if (!options.host.empty()) to = put_line(to, kHost, options.host);
  return write_rest(head.headers, options, to);
}

char* write_head(const http::ResponseHead& head, const HeadOptions& options, char* to) {
  to = put(to, kVersion);
  *to++ = ' ';
  to = std::to_chars(to, to + 5, head.status).ptr;
  *to++ = ' ';
  to = put(to, head.reason);
  to = put(to, kCrlf);
  return write_rest(head.headers, options, to);
}

std::string_view chunk_line(std::uint64_t size, std::span<char, kChunkLineSize> room) {
  char* end = std::to_chars(room.data(), room.data() + 16, size, 16).ptr;
  end = put(end, kCrlf);
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

std::size_t last_chunk_size(const HeaderList& trailers) {
  return kLastChunk.size() + fields_size(trailers);
}

char* write_last_chunk(const HeaderList& trailers, char* to) {
  to = put(to, "0\r\n");
  to = write_fields(trailers, HeadOptions{}, to);
  return put(to, kCrlf);
}

}  // namespace doorward::codec::h1
