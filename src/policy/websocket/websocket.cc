// websocket: the settings, and the handshake.
#include "policy/websocket/websocket.h"

#include "codec/websocket/handshake.h"
#include "schema/schema.h"

namespace doorward::policy {
namespace {

namespace ws = codec::websocket;

using http::HeaderName;
using schema::field;

constexpr auto kSchema = schema::schema<WebsocketConfig>(
    "websocket",
    "Checks WebSockets: who opens one, and every frame that passes in it, either way (RFC 6455). "
    "Who breaks a rule gets a close frame that says so, and the connection ends. Requests that ask "
    "for no WebSocket pass untouched. Of extensions only permessage-deflate is let through.",
    field(
        "max_message", &WebsocketConfig::max_message,
        "Largest message, all its frames together; more is closed with 1009. A compressed message "
        "is measured as it is sent.",
        schema::zero_means("no limit")),
    field("messages_per_second", &WebsocketConfig::messages_per_second,
          "How many messages a client may send in a second (pings and empty fragments count, too); "
          "more is closed with 1008.",
          schema::at_most(1'000'000), schema::zero_means("no limit")),
    field("idle_timeout", &WebsocketConfig::idle_timeout,
          "A side that is silent for so long gets a ping. When it stays silent for as long again, "
          "both are closed with 1001.",
          schema::at_least(Duration(100)), schema::zero_means("no pings")),
    field(
        "origins", &WebsocketConfig::origins,
        "Origins whose pages may open a WebSocket, such as `https://app.example.com`; `*` stands "
        "for any part of the host (`https://*.example.com`), and alone for all. A request with "
        "another Origin is refused (403 `websocket_origin_denied`); one without, which comes from "
        "no browser, is not. Not given: all.",
        schema::one_or_many(), schema::checked(&origin_error)),
    field("subprotocols", &WebsocketConfig::subprotocols,
          "Subprotocols that may be used; others are taken out of the client's offer. When none of "
          "the offered ones is left, the request is refused (403 `websocket_subprotocol_denied`). "
          "Not given: all.",
          schema::one_or_many(), schema::is(schema::kToken)),
    field(
        "compression", &WebsocketConfig::compression,
        "`pass`: client and backend may agree on permessage-deflate. `refuse`: it is taken out of "
        "the client's offer.",
        schema::names<WebsocketCompression>(
            {{"pass", WebsocketCompression::pass}, {"refuse", WebsocketCompression::refuse}})),
    field("required", &WebsocketConfig::required,
          "Refuse requests that ask for no WebSocket (426 `websocket_required`)."),
    schema::example("max_message: 256KiB\n"
                    "messages_per_second: 50\n"
                    "idle_timeout: 30s\n"
                    "origins: [\"https://app.example.com\"]\n"));

}  // namespace

const schema::SchemaOf<WebsocketConfig>& kWebsocketSchema = kSchema;

Websocket::Websocket(WebsocketConfig config)
    : config_(std::move(config)),
      origins_(config_.origins),
      rules_{.message_bytes = config_.max_message.count,
             .messages_per_second = config_.messages_per_second,
             .idle_timeout = config_.idle_timeout} {}

// RFC 9110 §15.5.22: with what the client should have asked for.
Outcome Websocket::demand(PolicyContext& context) {
  Arena& arena = context.arena();
  const Outcome refused =
      context.reply(426, "websocket_required", "Only WebSocket connections are served here.");
  const auto* connection =
      arena.make<http::ReplyHeader>(http::ReplyHeader{"connection", "upgrade", nullptr});
  refused.reply->headers =
      arena.make<http::ReplyHeader>(http::ReplyHeader{"upgrade", "websocket", connection});
  return refused;
}

Verdict Websocket::on_request(PolicyContext& context) const {
  http::HeaderList& headers = context.request().headers;
  if (!ws::is_websocket(headers)) {
    return config_.required ? demand(context) : Outcome::pass();
  }
  for (const http::Header& origin : headers.values(HeaderName::origin)) {
    if (origins_.empty() || origins_.contains(origin.value, context.arena())) continue;
    return context.reply(403, "websocket_origin_denied",
                         "Pages of this origin may not open a WebSocket here.");
  }
  const bool some_left = config_.subprotocols.empty() ||
                         ws::keep_subprotocols(headers, config_.subprotocols, context.arena());
  if (!some_left) {
    return context.reply(403, "websocket_subprotocol_denied",
                         "None of the subprotocols that were offered is allowed.");
  }
  ws::drop_other_extensions(headers, deflate(), context.arena());
  headers.set(HeaderName::upgrade, "websocket");  // and nothing else beside it
  context.check_websocket(rules_);
  return Outcome::pass();
}

// RFC 6455 §4.1: the answer may only choose among what was offered.
bool Websocket::is_wrong_answer(PolicyContext& context) const {
  const http::HeaderList& answer = context.response().headers;
  const http::HeaderList& request = context.request().headers;
  if (ws::is_websocket(answer) != ws::is_websocket(request)) return true;
  if (!ws::is_websocket(answer)) return false;
  const std::string_view chosen = answer.value(HeaderName::sec_websocket_protocol);
  const bool right_protocol =
      config_.subprotocols.empty() || chosen.empty() || ws::has_subprotocol(request, chosen);
  return !right_protocol || ws::has_other_extension(answer, deflate());
}

Verdict Websocket::on_response(PolicyContext& context) const {
  if (context.response().status != 101 || !is_wrong_answer(context)) return Outcome::pass();
  return context.reply(502, "websocket_answer_denied",
                       "The backend chose a subprotocol or an extension that is not allowed.");
}

}  // namespace doorward::policy
