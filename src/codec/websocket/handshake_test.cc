// What the fields of a handshake say, and what is taken out of them.
#include "codec/websocket/handshake.h"

#include <gtest/gtest.h>
#include <vector>

namespace doorward::codec::websocket {
namespace {

using http::HeaderName;

class Handshake : public ::testing::Test {
 protected:
  void add(HeaderName name, std::string_view value) { headers.add(name, value); }
  std::string values(HeaderName name) {
    std::string out;
    for (const http::Header& header : headers.values(name)) {
      out.append(out.empty() ? "" : "|").append(header.value);
    }
    return out;
  }
  Arena arena;
  http::HeaderList headers{arena};
};

TEST_F(Handshake, IsWhatUpgradeNames) {
  EXPECT_FALSE(is_websocket(headers));
  add(HeaderName::upgrade, "foo, WebSocket");
  EXPECT_TRUE(is_websocket(headers));
}

TEST_F(Handshake, KnowsCompressionByItsName) {
  add(HeaderName::sec_websocket_extensions, "x-permessage-deflate, foo; a=\"permessage-deflate\"");
  EXPECT_FALSE(has_deflate(headers));
  EXPECT_TRUE(has_other_extension(headers, true));
  add(HeaderName::sec_websocket_extensions, "PerMessage-Deflate ; client_max_window_bits");
  EXPECT_TRUE(has_deflate(headers));
}

TEST_F(Handshake, CompressionAloneIsNoOtherExtension) {
  add(HeaderName::sec_websocket_extensions, "permessage-deflate");
  EXPECT_FALSE(has_other_extension(headers, true));
  EXPECT_TRUE(has_other_extension(headers, false));
}

TEST_F(Handshake, DropsOtherExtensions) {
  const std::string_view offer =
      "permessage-deflate; client_max_window_bits; x=\"a,b\", permessage-deflate";
  add(HeaderName::sec_websocket_extensions, offer);
  drop_other_extensions(headers, true, arena);
  EXPECT_EQ(headers.value(HeaderName::sec_websocket_extensions).data(), offer.data());  // as it was
  add(HeaderName::sec_websocket_extensions, "foo; bar");
  drop_other_extensions(headers, true, arena);
  EXPECT_EQ(values(HeaderName::sec_websocket_extensions), offer);
  drop_other_extensions(headers, false, arena);
  EXPECT_FALSE(headers.has(HeaderName::sec_websocket_extensions));
}

TEST_F(Handshake, KeepsAllowedSubprotocols) {
  const std::vector<std::string> allowed = {"chat", "chat.v2"};
  EXPECT_TRUE(keep_subprotocols(headers, allowed, arena));  // none was offered
  add(HeaderName::sec_websocket_protocol, "mqtt, chat.v2");
  add(HeaderName::sec_websocket_protocol, "chat,,CHAT");
  EXPECT_TRUE(has_subprotocol(headers, "CHAT"));
  EXPECT_TRUE(keep_subprotocols(headers, allowed, arena));
  EXPECT_EQ(values(HeaderName::sec_websocket_protocol), "chat.v2, chat");
  EXPECT_TRUE(has_subprotocol(headers, "chat"));
  EXPECT_FALSE(has_subprotocol(headers, "CHAT"));
}

TEST_F(Handshake, SaysWhenNoSubprotocolIsLeft) {
  const std::vector<std::string> allowed = {"chat"};
  add(HeaderName::sec_websocket_protocol, "mqtt, CHAT");
  EXPECT_FALSE(keep_subprotocols(headers, allowed, arena));
  EXPECT_FALSE(headers.has(HeaderName::sec_websocket_protocol));
}

}  // namespace
}  // namespace doorward::codec::websocket
