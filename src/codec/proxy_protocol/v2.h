// Version 2 (binary), for header.cc.
#pragma once

#include "codec/proxy_protocol/header.h"

namespace doorward::codec::proxy_protocol {

inline constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};

// `received` begins with the signature.
Parsed parse_v2(std::string_view received);

inline Parsed refused(std::string_view why) { return {Progress::refused, 0, {}, why}; }

}  // namespace doorward::codec::proxy_protocol
