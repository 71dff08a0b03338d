// policy/websocket: who may open a WebSocket, with which subprotocols and extensions, and what may
// pass in it. The handshake is decided here; the frames are held to the Rules by the tunnel.
#pragma once

#include <string>
#include <vector>

#include "codec/websocket/rules.h"
#include "policy/policy.h"
#include "policy/websocket/origins.h"
#include "schema/value.h"

namespace doorward::policy {

enum class WebsocketCompression : std::uint8_t { pass, refuse };

struct WebsocketConfig {
  Bytes max_message{0};
  std::uint32_t messages_per_second = 0;
  Duration idle_timeout{0};
  std::vector<std::string> origins;
  std::vector<std::string> subprotocols;
  WebsocketCompression compression = WebsocketCompression::pass;
  bool required = false;
};

extern const schema::SchemaOf<WebsocketConfig>& kWebsocketSchema;

class Websocket final : public Policy {
 public:
  explicit Websocket(WebsocketConfig config);

  Verdict on_request(PolicyContext& context) const override;
  Verdict on_response(PolicyContext& context) const override;

 private:
  bool deflate() const { return config_.compression == WebsocketCompression::pass; }
  bool is_wrong_answer(PolicyContext& context) const;
  static Outcome demand(PolicyContext& context);

  WebsocketConfig config_;
  Origins origins_;
  codec::websocket::Rules rules_;
};

}  // namespace doorward::policy
