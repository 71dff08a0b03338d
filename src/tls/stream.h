// Stream: TLS over another ByteStream, in either role. Like a Socket it is owned by whoever holds
// the unique_ptr; destroying it ends the connection, and nobody may wait in it then. Call
// handshake() first; nothing else before it has succeeded.
//
// Parts: stream.cc (life, ends, watch), stream_handshake.cc, stream_recv.cc, stream_send.cc;
// wire.h is the ciphertext side.
//
// Subtle:
//  - A send that fits one flight hands its waiter to the transport. Only a larger one, or what must
//    go out while nobody sends (alerts, KeyUpdates, close_notify), runs a coroutine: the writer.
//  - A recv that finds a record complete costs no wait. Else the reader, another coroutine, waits
//    in the transport; it reads one record ahead at most, and only while somebody waits or watches.
//  - Both belong to the core's Gate. The memory of a destroyed Stream lives until they have ended
//    (a destroying operator delete), so last words still go out.
#pragma once

#include <new>
#include <optional>

#include "loop/byte_stream.h"
#include "loop/timer.h"
#include "tls/facts.h"
#include "tls/failure_watch.h"
#include "tls/openssl.h"
#include "tls/per_core.h"
#include "tls/wire.h"

namespace doorward::tls {

class ServerContext;
class ClientContext;
struct Target;

class Stream final : public loop::ByteStream, loop::PeerWatch, loop::TimerTarget {
 public:
  // `core` outlives the stream and is closed after it. `received`: what came of it already.
  static std::unique_ptr<Stream> server(PerCore& core, std::unique_ptr<loop::ByteStream> transport,
                                        std::shared_ptr<const ServerContext> context,
                                        Chunk received = {});
  // To a backend, which must be what `target` says.
  static Result<std::unique_ptr<Stream>> client(PerCore& core,
                                                std::unique_ptr<loop::ByteStream> transport,
                                                std::shared_ptr<const ClientContext> context,
                                                const Target& target);

  ~Stream() override;
  static void operator delete(Stream* stream, std::destroying_delete_t);

  // Once. When it fails the alert has been sent; the stream is of no use any more, except that its
  // transport() may be told something in cleartext (reason tls_plain_http).
  loop::Task<Result<void>> handshake(Deadline deadline);
  // After the handshake: what was negotiated.
  const HandshakeFacts& facts() const { return *facts_; }
  // A server's, also when the handshake has failed: see ServerContext::showed_default().
  bool showed_default() const;
  loop::ByteStream& transport() { return *transport_; }
  // Of what comes after the handshake; it lives as long as the stream's owner keeps the stream.
  void watch_failure(FailureWatch& watch) { failure_watch_ = &watch; }

  bool recv_ready() override;
  void cancel_recv() override;
  void cancel_send() override;
  void try_send(std::string_view bytes) override;
  bool broken() const override;
  void watch_peer(loop::PeerWatch* watch) override;
  // Sends close_notify, then FIN (RFC 8446 §6.1: this direction only).
  void shutdown_send() override;
  void abort() override;
  // Bytes on the wire, as sent(); received() counts plaintext.
  std::uint64_t acknowledged() const override { return transport_->acknowledged(); }

 private:
  enum class End : std::uint8_t { open, finished, failed };
  enum class Stop : std::uint8_t { none, cancelled, timeout };

  // A coroutine of this stream runs.
  class Working {
   public:
    explicit Working(Stream& stream) : stream_(stream) { ++stream_.working_; }
    Working(const Working&) = delete;
    Working& operator=(const Working&) = delete;
    ~Working() {
      --stream_.working_;
      stream_.leave_when_idle();
    }

   private:
    Stream& stream_;
  };

  Stream(PerCore& core, std::unique_ptr<loop::ByteStream> transport, Side peer,
         std::shared_ptr<const void> context, Owned<SSL> ssl);

  // Handshake.
  enum class Step : std::uint8_t { done, receive, send, failed };
  Step step();
  std::optional<Error> judge_first_bytes() const;
  loop::Task<Result<void>> shake(Deadline deadline);
  loop::Task<Result<void>> send_flight(Deadline deadline);
  Error why_failed();
  std::optional<Error> accept_peer();
  Error handshake_error(Error error) const;

  // Receiving.
  void recv_wait(std::coroutine_handle<> waiter, Deadline deadline) override;
  Result<Chunk> recv_take() override;
  bool decrypt();
  bool decrypt_failed();
  bool receive_failed(Error error);
  bool refuses_us(const Error& error) const;
  bool has_received() const { return !plain_.empty() || end_ != End::open; }
  void start_reading();
  loop::Task<void> read_on();
  void wake_receiver();
  void tell_watch();
  void on_timer(loop::Timer& timer) override;
  void on_peer_end(ErrorKind how) override;

  // Sending.
  bool send_now(std::span<const iovec> parts) override;
  void send_wait(std::coroutine_handle<> waiter, Deadline deadline) override;
  Result<void> send_take() override;
  bool has_unsent() const { return parts_ != nullptr && parts_->bytes() > 0; }
  bool encrypt();
  void renew_key();
  std::string_view next_plain(std::size_t most);
  void send_failed(Error error);
  void write_close_notify();
  void flush();
  void end_writing();
  loop::Task<void> write_on();

  void let_go();
  void leave_when_idle();
  Failure stopped(ErrorKind kind, std::string_view what) const;

  PerCore& core_;
  std::unique_ptr<loop::ByteStream> transport_;
  Side peer_;
  Wire wire_;
  std::shared_ptr<const void> context_;  // callbacks of the SSL point into it
  Owned<SSL> ssl_;
  std::unique_ptr<HandshakeFacts> facts_;

  Chunk plain_;  // one record that nobody has taken yet
  std::unique_ptr<Error> receive_error_;
  std::unique_ptr<Error> send_error_;
  std::coroutine_handle<> receiver_;
  std::coroutine_handle<> sender_;  // of a send that the writer makes
  Deadline recv_deadline_;
  Deadline send_deadline_;
  loop::Timer timer_{*this};  // the waiting recv's
  loop::PeerWatch* watch_ = nullptr;
  FailureWatch* failure_watch_ = nullptr;
  std::unique_ptr<loop::SendParts> parts_;  // what is not encrypted yet of the send under way
  std::uint64_t records_ = 0;               // sent
  std::uint16_t working_ = 0;
  End end_ = End::open;
  Stop stop_ = Stop::none;  // why the waiting recv ends without bytes
  bool shaking_ = false;    // in handshake()
  bool usable_ = false;     // the handshake is done, and SSL has not failed
  bool reading_ = false;    // the reader runs
  bool in_recv_wait_ = false;
  bool writing_ = false;  // the writer runs
  bool direct_ = false;   // the sender waits in the transport
  bool fin_wanted_ = false;
  bool close_notify_written_ = false;
  bool fin_sent_ = false;
  bool released_ = false;  // the owner has destroyed it
};

}  // namespace doorward::tls
