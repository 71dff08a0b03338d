#include "codec/h2/head_writer.h"

#include <charconv>

#include "http/field.h"

namespace doorward::codec::h2 {
namespace {

using http::Header;
using http::HeaderList;
using http::HeaderName;

constexpr std::size_t kMostPseudo = 5;
constexpr std::uint8_t kNoCopy = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;

// The caller's text lives until the frame is packed, or the stream is reset, which drops it.
nghttp2_nv pair(std::string_view name, std::string_view value, std::uint8_t flags = 0) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
          value.size(), static_cast<std::uint8_t>(kNoCopy | flags)};
}

std::string_view lower(std::string_view name, Arena& arena) {
  bool changed = false;
  for (char c : name) changed |= c >= 'A' && c <= 'Z';
  if (!changed) return name;
  char* to = arena.bytes(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    to[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
  }
  return {to, name.size()};
}

std::string_view decimal(std::uint64_t number, Arena& arena) {
  char* to = arena.bytes(20);
  return {to, static_cast<std::size_t>(std::to_chars(to, to + 20, number).ptr - to)};
}

// RFC 9113 §8.2.2: fields of one connection only; TE may go on when it says trailers.
bool is_hop_by_hop(const Header& header) {
  switch (header.id) {
    case HeaderName::connection:
    case HeaderName::keep_alive:
    case HeaderName::proxy_connection:
    case HeaderName::transfer_encoding:
    case HeaderName::upgrade:
    case HeaderName::http2_settings:
      return true;
    case HeaderName::te:
      return !http::equal_ignore_case(header.value, "trailers");
    default:
      return false;
  }
}

// RFC 7541 §7.1.3: what must not be guessed by compressing it beside a guess stays out of tables.
std::uint8_t sensitivity(HeaderName id) {
  const bool secret = id == HeaderName::authorization || id == HeaderName::x_api_key ||
                      id == HeaderName::proxy_authorization;
  return secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

class Writer {
 public:
  Writer(std::size_t fields, Arena& arena)
      : arena_(arena), pairs_(arena.array<nghttp2_nv>(fields + kMostPseudo + 1)) {}

  void add(std::string_view name, std::string_view value) { pairs_[count_++] = pair(name, value); }
  void add(const Header& header) {
    const std::string_view name =
        header.id == HeaderName::other ? lower(header.name, arena_) : canonical(header.id);
    pairs_[count_++] = pair(name, header.value, sensitivity(header.id));
  }
  Pairs pairs() const { return {pairs_, count_}; }

 private:
  Arena& arena_;
  nghttp2_nv* pairs_;
  std::size_t count_ = 0;
};

// RFC 8441 §5: the handshake of RFC 6455 without its key.
bool is_websocket_only(HeaderName id) {
  return id == HeaderName::sec_websocket_key || id == HeaderName::sec_websocket_accept;
}

}  // namespace

Pairs write_request(const http::RequestHead& head, const RequestLine& line, BodySize size,
                    Arena& arena) {
  Writer writer(head.headers.size(), arena);
  writer.add(":method", line.websocket ? "CONNECT" : head.method_text);
  if (line.websocket) writer.add(":protocol", "websocket");
  writer.add(":scheme", line.scheme);
  if (const std::string_view host = head.headers.value(HeaderName::host); !host.empty()) {
    writer.add(":authority", host);
  }
  writer.add(":path", line.target);
  for (const Header& header : head.headers) {
    if (is_hop_by_hop(header) || header.id == HeaderName::host) continue;
    const bool says_empty = size.kind == BodySize::Kind::none && header.value == "0";
    if (header.id == HeaderName::content_length && !says_empty) continue;
    if (line.websocket && is_websocket_only(header.id)) continue;
    writer.add(header);
  }
  if (size.kind == BodySize::Kind::known && !line.websocket) {
    writer.add("content-length", decimal(size.length, arena));
  }
  return writer.pairs();
}

Pairs write_response(const http::ResponseHead& head, std::uint16_t status, Length length,
                     std::uint64_t size, Arena& arena) {
  Writer writer(head.headers.size(), arena);
  writer.add(":status", decimal(status, arena));
  for (const Header& header : head.headers) {
    if (is_hop_by_hop(header)) continue;
    if (header.id == HeaderName::content_length && length != Length::as_is) continue;
    if (head.status == 101 && is_websocket_only(header.id)) continue;
    writer.add(header);
  }
  if (length == Length::known) writer.add("content-length", decimal(size, arena));
  return writer.pairs();
}

Pairs write_trailers(const HeaderList& trailers, Arena& arena) {
  Writer writer(trailers.size(), arena);
  for (const Header& trailer : trailers) {
    if (!is_hop_by_hop(trailer)) writer.add(trailer);
  }
  return writer.pairs();
}

}  // namespace doorward::codec::h2
