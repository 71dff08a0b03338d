#include "handler/redirect/redirect.h"

#include "http/uri.h"

namespace doorward::handler {

http::Reply* Redirect::reply(policy::PolicyContext& context) const {
  Arena& arena = context.arena();
  const std::string_view place = to.render(context, arena);
  if (!http::is_location(place, arena)) {
    return context
        .reply(500, "redirect_invalid",
               "What the redirect's template gives for this request is no place to go to.")
        .reply;
  }
  auto* reply = arena.make<http::Reply>();
  reply->status = status;
  reply->has_body = true;
  reply->headers = arena.make<http::ReplyHeader>(http::ReplyHeader{"location", place, nullptr});
  return reply;
}

}  // namespace doorward::handler
