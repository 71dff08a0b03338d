#include "codec/websocket/handshake.h"

#include <algorithm>

#include "http/field.h"

namespace doorward::codec::websocket {
namespace {

using http::HeaderList;
using http::HeaderName;

constexpr std::string_view kDeflate = "permessage-deflate";
constexpr std::string_view kComma = ", ";

// "permessage-deflate; client_max_window_bits" -> "permessage-deflate"
std::string_view name_of(std::string_view extension) {
  return http::trim(extension.substr(0, extension.find(';')));
}

bool is_deflate(std::string_view extension) {
  return http::equal_ignore_case(name_of(extension), kDeflate);
}

// Is there an element, in any of the fields, that `test` holds for?
template <class Test>
bool any_element(const HeaderList& headers, HeaderName name, Test test) {
  for (const http::Header& header : headers.values(name)) {
    for (const std::string_view element : http::ListElements(header.value)) {
      if (test(element)) return true;
    }
  }
  return false;
}

// Leaves the elements that `test` holds for, in one field, or in none. Untouched when that is all.
template <class Test>
void keep_elements(HeaderList& headers, HeaderName name, Test test, Arena& arena) {
  const auto goes = [&](std::string_view element) { return !test(element); };
  if (!any_element(headers, name, goes)) return;
  std::size_t room = 0;
  any_element(headers, name, [&](std::string_view element) {
    if (test(element)) room += element.size() + kComma.size();
    return false;
  });
  if (room == 0) {
    headers.remove(name);
    return;
  }
  char* const kept = arena.bytes(room);
  char* to = kept;
  any_element(headers, name, [&](std::string_view element) {
    if (!test(element)) return false;
    if (to != kept) to += kComma.copy(to, kComma.size());
    to += element.copy(to, element.size());
    return false;
  });
  headers.set(name, {kept, to});
}

}  // namespace

bool is_websocket(const HeaderList& headers) {
  return http::has_token(headers, HeaderName::upgrade, "websocket");
}

bool has_deflate(const HeaderList& headers) {
  return any_element(headers, HeaderName::sec_websocket_extensions, is_deflate);
}

bool has_other_extension(const HeaderList& headers, bool deflate) {
  return any_element(headers, HeaderName::sec_websocket_extensions,
                     [&](std::string_view element) { return !deflate || !is_deflate(element); });
}

void drop_other_extensions(HeaderList& headers, bool deflate, Arena& arena) {
  const auto stays = [&](std::string_view element) { return deflate && is_deflate(element); };
  keep_elements(headers, HeaderName::sec_websocket_extensions, stays, arena);
}

bool has_subprotocol(const HeaderList& headers, std::string_view name) {
  return any_element(headers, HeaderName::sec_websocket_protocol,
                     [&](std::string_view element) { return element == name; });
}

bool keep_subprotocols(HeaderList& headers, std::span<const std::string> allowed, Arena& arena) {
  const auto stays = [&](std::string_view element) {
    return std::ranges::find(allowed, element) != allowed.end();
  };
  if (!headers.has(HeaderName::sec_websocket_protocol)) return true;
  keep_elements(headers, HeaderName::sec_websocket_protocol, stays, arena);
  return headers.has(HeaderName::sec_websocket_protocol);
}

}  // namespace doorward::codec::websocket
