// An HTTP/2 client connection with requests of several kinds on their way, fed with any bytes by
// its backend. The first byte chooses the size of the pieces they come in. Whatever comes, every
// request ends with a response or an error, and then the connection does.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "codec/h2/client_connection.h"
#include "codec/h2/test_wire.h"
#include "loop/loop.h"

namespace {

using namespace doorward;
using namespace doorward::codec;
using namespace doorward::codec::h2;

struct Owner final : ClientOwner {
  void on_room(ClientConnection&) override {}
  void on_end(ClientConnection&) override { ++ends; }
  int ends = 0;
};

loop::Task<void> read(h2::ClientStream& stream, Arena& arena, Deadline deadline) {
  http::ResponseHead head(arena);
  do {
    if (!co_await stream.read_response(head, arena, deadline)) co_return;
  } while (head.status < 200 && head.status != 101);
  if (stream.switched()) co_return;
  for (;;) {
    Result<Piece> piece = co_await stream.read_body();
    if (!piece || piece->last) break;
  }
}

loop::Task<void> ask(ClientConnection& client, const char* method, bool upgrade, Deadline until) {
  Arena arena;
  std::unique_ptr<h2::ClientStream> stream = client.open();
  if (stream == nullptr) co_return;
  stream->begin(arena);
  stream->set_total_deadline(until);
  http::RequestHead head(arena);
  head.method_text = method;
  head.method = http::classify_method(method);
  head.target = "/";
  head.headers.add("Host", "a");
  if (upgrade) head.headers.add("Upgrade", "websocket");
  const bool post = head.method == http::Method::post;
  co_await stream->send_request(head, post ? BodySize::known(4) : BodySize::empty(),
                                post ? "body" : "", true);
  co_await read(*stream, arena, until);
  stream.reset();
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

loop::Task<void> serve(ClientConnection& client, WireEnd& ours) {
  co_await client.serve();
  ours.shutdown_send();
}

loop::Task<void> converse(loop::Loop& loop, std::string bytes, std::size_t piece) {
  WireEnd theirs(loop);
  auto made = std::make_unique<WireEnd>(loop);
  WireEnd& ours = *made;
  ours.connect(theirs);
  ours.piece = piece;
  ClientSettings settings;
  settings.parse = {
      .head_bytes = 2048, .header_count = 20, .target_length = 200, .line_length = 300};
  Owner owner;
  ClientConnection client(loop, std::move(made), settings, owner);
  const Deadline until = Deadline::after(loop.now(), Duration(5'000));
  loop::Gate gate;
  gate.spawn(serve(client, ours));
  gate.spawn(ask(client, "GET", false, until));
  gate.spawn(ask(client, "HEAD", false, until));
  gate.spawn(ask(client, "POST", false, until));
  gate.spawn(say(theirs, std::move(bytes)));
  co_await gate.close();
  DOORWARD_CHECK(client.streams() == 0 && owner.ends == 1);
  loop.stop();
}

loop::Loop& the_loop() {
  static const std::unique_ptr<loop::Loop> loop =
      std::move(*loop::Loop::create({.backend = loop::Backend::epoll}));
  return *loop;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 8192) return 0;
  std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  loop::Gate gate;
  gate.spawn(converse(the_loop(), std::move(input), data[0] == 0 ? SIZE_MAX : data[0]));
  the_loop().run();
  return 0;
}
