#include "handler/fixed/fixed_response.h"

#include "http/field.h"

namespace doorward::handler {

http::Reply* FixedResponse::reply(policy::PolicyContext& context) const {
  Arena& arena = context.arena();
  auto* reply = arena.make<http::Reply>();
  reply->status = status;
  reply->has_body = true;
  reply->body = Chunk(body.render(context, arena));
  reply->content_type = content_type;
  for (const auto& [name, value] : headers) {
    const std::string_view text = value.render(context, arena);
    if (!http::is_field_value(text)) continue;  // a rendered value must not split the head
    reply->headers = arena.make<http::ReplyHeader>(http::ReplyHeader{name, text, reply->headers});
  }
  return reply;
}

}  // namespace doorward::handler
