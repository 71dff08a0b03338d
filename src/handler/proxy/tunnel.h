// A tunnel: after an upgrade, bytes pass both ways until both sides finished, one broke, or
// nothing moved for `idle`. A half that finished is passed on as a half (FIN).
#pragma once

#include "base/chunk.h"
#include "loop/byte_stream.h"
#include "loop/loop.h"

namespace doorward::handler {

// `client_early` and `backend_early`: bytes that were received together with the heads.
loop::Task<void> tunnel(loop::Loop& loop, loop::ByteStream& client, Chunk client_early,
                        loop::ByteStream& backend, Chunk backend_early, Duration idle);

}  // namespace doorward::handler
