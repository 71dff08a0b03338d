// Max-Forwards (RFC 9110 §7.6.2): how many more hops an OPTIONS or TRACE request may take.
#pragma once

#include "base/arena.h"
#include "http/head.h"
#include "http/reply.h"

namespace doorward::handler {

enum class MaxForwards : std::uint8_t {
  go_on,   // not there, not for this method, no number, or one less now
  answer,  // 0: the request ends here
};

// Counts the field down. What is no number is left as it is: nothing says what it would mean.
MaxForwards count_forward(http::RequestHead& head, Arena& arena);

// The answer to a request that ends here: to OPTIONS what may be asked, to TRACE a refusal, since
// an echo would show the client's credentials to scripts.
http::Reply* last_hop(const http::RequestHead& head, Arena& arena);

}  // namespace doorward::handler
