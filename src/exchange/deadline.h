// The time that a client gives its request: by grpc-timeout (grpc.h), or in milliseconds in the
// header that the service names (`timeouts.deadline_header`). It ends the exchange when it is over
// before `timeouts.total`, and a backend is told what is left of the earlier of the two.
#pragma once

#include "base/error.h"

namespace doorward::exchange {

class Exchange;

// For a service that names a header: its value; false when it cannot be read, the refusal is then
// x.reply_to_send.
bool take_deadline_header(Exchange& x);

// Tells the backend how much time is left; false when none is.
bool pass_on_deadline(Exchange& x);

// It is over before a backend was asked.
Error no_time_left();
// The client's own time is over.
bool client_deadline_passed(const Exchange& x);

}  // namespace doorward::exchange
