// What the steps do for exchanges that carry gRPC or gRPC-Web: the client's time, and telling the
// end of a call by grpc-status. None of it is called for others, but for note_grpc.
#pragma once

#include <string_view>

#include "base/error.h"
#include "exchange/steps.h"
#include "http/reply.h"
#include "loop/task.h"

namespace doorward::exchange {

class Exchange;

// Is the request gRPC? Before any policy sees it.
void note_grpc(Exchange& x);
// The client's time (grpc-timeout); false when it cannot be read, the refusal is then
// x.reply_to_send.
bool take_grpc_timeout(Exchange& x);

// gRPC servers demand that whoever stands between can pass trailers on (gRPC over HTTP2: TE).
void ask_for_trailers(Exchange& x);
// Is the reply told as a status instead of a body?
bool is_told_by_status(const Exchange& x, const http::Reply& reply);
// The head of such a response, which is all of it: no content, no trailers.
void fill_grpc_head(Exchange& x, const http::Reply& reply);
// Ends a response that has begun with the status and words for a backend's failure; false when
// that cannot be told any more.
loop::Task<bool> end_with_status(Exchange& x, Error error);

// At the end: what the client was told, for the log and the metrics.
void note_grpc_status(Exchange& x);

}  // namespace doorward::exchange
