// What both backends do to descriptors: open, options, and the Error of a failed connect.
#pragma once

#include "base/error.h"
#include "loop/address.h"

namespace doorward::loop {

// A stream socket for `to` with TCP_NODELAY; blocking.
Result<int> open_stream(const Address& to);
void set_blocking(int fd, bool blocking);
void set_no_delay(int fd);  // does nothing to unix sockets
// Nobody new gets a connection from this listening socket; who has begun the handshake still does.
// Newcomers are not refused before it is closed, they try again: TCP sends a lost SYN after 1 s. It
// holds for every process that shares the socket. Does nothing to unix sockets.
void hear_no_newcomers(int listening_fd);
// An Error that names the address; the work may be tried again, since it never began.
Failure connect_failure(const Address& to, int error);

}  // namespace doorward::loop
