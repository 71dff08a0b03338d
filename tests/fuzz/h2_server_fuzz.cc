// An HTTP/2 server connection fed with any bytes, after a sound preface and SETTINGS (or as they
// are, when the first byte is odd). The second byte chooses the size of the pieces they come in.
// Whatever comes, the connection ends, and every exchange that was opened is closed.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "codec/h2/test_server.h"
#include "loop/loop.h"

namespace {

using namespace doorward;
using namespace doorward::codec::h2;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kSettings("\0\0\0\4\0\0\0\0\0", 9);

loop::Task<void> serve(ServerConnection& server, WireEnd& ours) {
  co_await server.serve();
  ours.shutdown_send();
}

loop::Task<void> say(WireEnd& wire, std::string bytes) {
  const iovec part{bytes.data(), bytes.size()};
  co_await wire.send({&part, 1}, Deadline::never());
  wire.shutdown_send();
  for (;;) {
    Result<Chunk> chunk = co_await wire.recv(Deadline::never());
    if (!chunk || chunk->empty()) co_return;
  }
}

loop::Task<void> converse(loop::Loop& loop, std::string bytes, std::size_t piece) {
  Wire wire(loop);
  wire.ours.piece = piece;
  TestSink sink(loop);
  ServerSettings settings;
  settings.session.max_concurrent_streams = 8;
  settings.parse = {
      .head_bytes = 2048, .header_count = 20, .target_length = 200, .line_length = 300};
  ServerConnection server(loop, wire.ours, sink, std::make_shared<ServerSettings>(settings));
  loop::Gate gate;
  gate.spawn(serve(server, wire.ours));
  gate.spawn(say(wire.theirs, std::move(bytes)));
  co_await gate.close();
  DOORWARD_CHECK(sink.exchanges.empty());
  DOORWARD_CHECK(sink.done.size() == static_cast<std::size_t>(sink.opened));
  loop.stop();
}

loop::Loop& the_loop() {
  static const std::unique_ptr<loop::Loop> loop =
      std::move(*loop::Loop::create({.backend = loop::Backend::epoll}));
  return *loop;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 8192) return 0;
  std::string input(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] % 2 == 0) input = std::string(kPreface).append(kSettings).append(input);
  loop::Gate gate;
  gate.spawn(converse(the_loop(), std::move(input), data[1] == 0 ? SIZE_MAX : data[1]));
  the_loop().run();
  return 0;
}
