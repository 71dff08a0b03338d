// The way of a request, in order. Each step is one function in the file of its name; it ends by
// naming the next one. Their names appear in debug answers (debug_answer.h); the access log tells
// the times of what they wait for.
//
//   accept_head → match_route → request_policies → handle
//     → choose_endpoint → connect → send_request → await_response      (the proxy's; a retry goes
//                                                                        back to choose_endpoint)
//     → response_policies → pump → finish
//   reply: what Doorward answers itself; any step may end there.
#pragma once

#include <cstdint>
#include <string_view>

#include "loop/task.h"

// name, what it does
#define DOORWARD_STEPS(X)                                                                        \
  X(accept_head, "Normalise host and path, find the client's address, judge the body's length.") \
  X(match_route, "Find the route; 404 or 405 when there is none.")                               \
  X(request_policies, "Run the route's policies on the request.")                                \
  X(handle, "Go where the route's handler says: a service, a redirect, a fixed response.")       \
  X(choose_endpoint, "Take the next endpoint of the service by its balancer.")                   \
  X(connect, "Take a connection of the pool, or open one.")                                      \
  X(send_request, "Send the head and the first bytes of the body; the rest follows beside.")     \
  X(await_response, "Read the response's head; retry what never reached the backend.")           \
  X(response_policies, "Run the route's policies on the response, in reverse.")                  \
  X(pump, "Stream the response's body to the client.")                                           \
  X(reply, "Answer with a response of Doorward's own.")                                          \
  X(finish, "Give the connection back, count, log.")

namespace doorward::exchange {

class Exchange;

enum class Step : std::uint8_t {
#define DOORWARD_STEP_ENUM(name, meaning) name,
  DOORWARD_STEPS(DOORWARD_STEP_ENUM)
#undef DOORWARD_STEP_ENUM
      done
};

std::string_view to_string(Step step);

// Returns the one that comes next.
loop::Task<Step> run_step(Step step, Exchange& x);

namespace steps {
#define DOORWARD_STEP_FUNCTION(name, meaning) loop::Task<Step> name(Exchange& x);
DOORWARD_STEPS(DOORWARD_STEP_FUNCTION)
#undef DOORWARD_STEP_FUNCTION
}  // namespace steps

// Runs an exchange from `first` to its end.
loop::Task<void> run_steps(Exchange& x, Step first);

}  // namespace doorward::exchange
