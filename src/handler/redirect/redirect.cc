#include "handler/redirect/redirect.h"

#include "http/field.h"

namespace doorward::handler {

http::Reply* Redirect::reply(policy::PolicyContext& context) const {
  Arena& arena = context.arena();
  const std::string_view place = to.render(context, arena);
  if (place.empty() || !http::is_field_value(place)) {
    return context.reply(500, "redirect_invalid", "The redirect's target is not a valid value.")
        .reply;
  }
  auto* reply = arena.make<http::Reply>();
  reply->status = status;
  reply->has_body = true;
  reply->headers = arena.make<http::ReplyHeader>(http::ReplyHeader{"location", place, nullptr});
  return reply;
}

}  // namespace doorward::handler
