// The engine's callbacks: C on one side, Session and Channel on the other.
#pragma once

#include <nghttp2/nghttp2.h>

namespace doorward::codec::h2 {

class Session;

// An nghttp2 session for the server's or client's side that calls back into `session`.
nghttp2_session* make_engine(bool server, Session* session);

}  // namespace doorward::codec::h2
