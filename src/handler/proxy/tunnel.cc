#include "handler/proxy/tunnel.h"

#include <array>

namespace doorward::handler {
namespace {

struct Ends {
  loop::Loop& loop;
  loop::ByteStream& client;
  loop::ByteStream& backend;
  Duration idle;
  TimePoint moved;  // when bytes last passed, either way
};

// A way that is quiet goes on while the other one moves.
loop::Task<Result<Chunk>> receive(Ends& ends, loop::ByteStream& from) {
  for (;;) {
    Result<Chunk> got = co_await from.recv(Deadline::after(ends.moved, ends.idle));
    const bool waits_on =
        !got && got.error().kind == ErrorKind::timeout && ends.loop.now() < ends.moved + ends.idle;
    if (!waits_on) co_return got;
  }
}

void break_both(Ends& ends) {
  ends.client.abort();
  ends.backend.abort();
}

loop::Task<void> pass(Ends& ends, loop::ByteStream& from, loop::ByteStream& to, Chunk bytes) {
  for (;;) {
    if (!bytes.empty()) {
      const std::array parts{iovec{const_cast<char*>(bytes.data()), bytes.size()}};
      const Result<void> sent = co_await to.send(parts, Deadline::never());
      if (!sent) co_return break_both(ends);
      ends.moved = ends.loop.now();
    }
    Result<Chunk> got = co_await receive(ends, from);
    if (!got) co_return break_both(ends);
    if (got->empty()) break;
    bytes = std::move(*got);
    ends.moved = ends.loop.now();
  }
  to.shutdown_send();
}

}  // namespace

loop::Task<void> tunnel(loop::Loop& loop, loop::ByteStream& client, Chunk client_early,
                        loop::ByteStream& backend, Chunk backend_early, Duration idle) {
  Ends ends{loop, client, backend, idle, loop.now()};
  client.limit_stall({idle, 0});
  backend.limit_stall({idle, 0});
  loop::Gate gate;
  gate.spawn(pass(ends, client, backend, std::move(client_early)));
  gate.spawn(pass(ends, backend, client, std::move(backend_early)));
  co_await gate.close();
}

}  // namespace doorward::handler
