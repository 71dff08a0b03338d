// TunnelBytes: a stream of HTTP/2 as a ByteStream, once extended CONNECT has made it one (RFC 8441
// §5): DATA is the bytes, END_STREAM the FIN, RST_STREAM the RST.
// What is sent is copied into the connection's output, so that a send can be given up at any time.
// Owner: a ServerStream or ClientStream; gone with it.
#pragma once

#include <string>

#include "codec/h2/channel.h"
#include "loop/byte_stream.h"

namespace doorward::codec::h2 {

class TunnelBytes final : public loop::ByteStream {
 public:
  TunnelBytes(Channel& channel, Arena& arena) : channel_(channel), arena_(arena) {
    channel.out().copy_all();
  }

  bool recv_ready() override { return channel_.in().ready(); }
  void cancel_recv() override { channel_.in().wait().wake(Woken::cancelled); }
  void cancel_send() override { channel_.out().cancel(); }
  void try_send(std::string_view) override {}
  bool broken() const override { return channel_.is_broken(); }
  void watch_peer(loop::PeerWatch* watch) override { channel_.watch(watch); }
  void shutdown_send() override;
  void abort() override;
  std::uint64_t acknowledged() const override { return sent_; }

 protected:
  void recv_wait(std::coroutine_handle<> waiter, Deadline deadline) override {
    channel_.in().wait().begin(waiter, deadline);
  }
  Result<Chunk> recv_take() override;
  bool send_now(std::span<const iovec> parts) override;
  void send_wait(std::coroutine_handle<> waiter, Deadline deadline) override {
    channel_.out().waiter().begin(waiter, deadline.earlier(stalled_at()));
  }
  Result<void> send_take() override;

 private:
  // A peer that opens no window for what is being sent.
  Deadline stalled_at() const;
  std::string_view joined(std::span<const iovec> parts);

  Channel& channel_;
  Arena& arena_;
  std::string room_;  // parts of a send that came in several
};

}  // namespace doorward::codec::h2
