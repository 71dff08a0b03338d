// What a WebSocket's handshake says in its fields (RFC 6455 §4 and §9; the same over HTTP/2, whose
// codec makes the head look like HTTP/1.1's): whether it is one, extensions, subprotocols.
// New values go into the arena.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "http/header_list.h"

namespace doorward::codec::websocket {

// A request that asks for a WebSocket, or a 101 that begins one: Upgrade names it.
bool is_websocket(const http::HeaderList& headers);

// Is permessage-deflate (RFC 7692) among the extensions?
bool has_deflate(const http::HeaderList& headers);
// … anything else, or permessage-deflate without `deflate`?
bool has_other_extension(const http::HeaderList& headers, bool deflate);
// Takes away what has_other_extension() finds.
void drop_other_extensions(http::HeaderList& headers, bool deflate, Arena& arena);

// Is `name` among the subprotocols? Their names are case-sensitive.
bool has_subprotocol(const http::HeaderList& headers, std::string_view name);
// Takes away the subprotocols that are not in `allowed`. False when there were some and none stays.
bool keep_subprotocols(http::HeaderList& headers, std::span<const std::string> allowed,
                       Arena& arena);

}  // namespace doorward::codec::websocket
