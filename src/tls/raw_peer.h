// RawPeer: a peer that OpenSSL drives over memory, for what our own contexts would never do: old
// versions, odd ciphers, KeyUpdates, renegotiation. Only *_test.cc files include it.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls_fixture.h"

namespace doorward::tls {

class RawPeer {
 public:
  RawPeer(std::unique_ptr<MemoryStream> wire, bool is_server) : wire_(std::move(wire)) {
    context.reset(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
    is_server_ = is_server;
  }

  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() {  // so that OpenSSL does not forget the session
    if (ssl) SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

  // After the context has been set up.
  void begin() {
    ssl.reset(SSL_new(context.get()));
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (name != nullptr) SSL_set_tlsext_host_name(ssl.get(), name);
    is_server_ ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
  }

  loop::Task<void> flush(Deadline deadline) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &data);
    const std::string bytes(data, static_cast<std::size_t>(size));
    (void)BIO_reset(SSL_get_wbio(ssl.get()));
    const iovec part = loop::part_of(bytes);
    if (size > 0) (void)co_await wire_->send({&part, 1}, deadline);
  }
  // False at the end.
  loop::Task<bool> fill(Deadline deadline) {
    auto chunk = co_await wire_->recv(deadline);
    if (!chunk || chunk->empty()) co_return false;
    BIO_write(SSL_get_rbio(ssl.get()), chunk->data(), static_cast<int>(chunk->size()));
    co_return true;
  }
  loop::Task<void> shake(bool& done, Deadline deadline) {
    for (;;) {
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl.get());
      const int why = SSL_get_error(ssl.get(), result);
      co_await flush(deadline);
      done = result == 1;
      if (done || why != SSL_ERROR_WANT_READ) co_return;
      if (!co_await fill(deadline)) co_return;
    }
  }
  loop::Task<void> read(std::size_t count, std::string& text, Deadline deadline) {
    char buffer[20'000];
    while (text.size() < count) {
      ERR_clear_error();
      const int got = SSL_read(ssl.get(), buffer, sizeof buffer);
      co_await flush(deadline);
      if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
      if (got <= 0 && SSL_get_error(ssl.get(), got) != SSL_ERROR_WANT_READ) co_return;
      if (got <= 0 && !co_await fill(deadline)) co_return;
    }
  }
  loop::Task<void> write(std::string text, Deadline deadline) {
    SSL_write(ssl.get(), text.data(), static_cast<int>(text.size()));
    co_await flush(deadline);
  }

  Owned<SSL_CTX> context;
  Owned<SSL> ssl;
  const char* name = nullptr;  // that a client asks for (SNI)

 private:
  std::unique_ptr<MemoryStream> wire_;
  bool is_server_ = false;
};

// A Stream on the server's side, a RawPeer as its client.
struct RawEnds {
  std::unique_ptr<Stream> server;
  std::unique_ptr<RawPeer> peer;
  MemoryStream* server_wire = nullptr;
  Result<void> result;
  bool peer_done = false;

  std::string_view reason() const { return result ? "" : result.error().reason; }
};

inline loop::Task<void> shake_raw(RawEnds& ends, Deadline deadline) {
  loop::Gate gate;
  ends.peer->begin();
  gate.spawn(keep_result(*ends.server, ends.result, deadline));
  gate.spawn(ends.peer->shake(ends.peer_done, deadline));
  co_await gate.close();
}

class RawPeerTest : public TlsTest {
 protected:
  RawEnds raw_ends() {
    RawEnds ends;
    auto [ours, theirs] = MemoryStream::pair(*loop_);
    ends.server_wire = ours.get();
    ends.server = Stream::server(*core_, std::move(ours), server_context());
    ends.peer = std::make_unique<RawPeer>(std::move(theirs), false);
    return ends;
  }
};

}  // namespace doorward::tls
