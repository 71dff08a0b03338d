// TlsTest: the fixture of tests with two Streams over memory: an authority, contexts of both sides,
// and handshakes between them. Only *_test.cc files include it.
#pragma once

#include <optional>

#include "loop/loop_fixture.h"
#include "tls/client_context.h"
#include "tls/memory_stream.h"
#include "tls/server_context.h"
#include "tls/stream.h"
#include "tls/test_certificates.h"

namespace doorward::tls {

// Both ends of a connection and how their handshakes went.
struct Ends {
  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
  MemoryStream* server_wire = nullptr;
  MemoryStream* client_wire = nullptr;
  Result<void> server_result;
  Result<void> client_result;

  bool ok() const { return server_result.has_value() && client_result.has_value(); }
  std::string why() const {
    std::string text;
    if (!server_result) text += "server: " + server_result.error().cause;
    if (!client_result) text += " client: " + client_result.error().cause;
    return text;
  }
  std::string_view server_reason() const {
    return server_result ? "" : server_result.error().reason;
  }
  std::string_view client_reason() const {
    return client_result ? "" : client_result.error().reason;
  }
};

inline loop::Task<void> keep_result(Stream& stream, Result<void>& result, Deadline deadline) {
  result = co_await stream.handshake(deadline);
}

inline loop::Task<void> shake_both(Ends& ends, Deadline deadline) {
  loop::Gate gate;
  if (ends.server) gate.spawn(keep_result(*ends.server, ends.server_result, deadline));
  if (ends.client) gate.spawn(keep_result(*ends.client, ends.client_result, deadline));
  co_await gate.close();
}

inline loop::Task<void> close_core(PerCore& core) { co_await core.close(); }

#define DOORWARD_TLS_BOTH_BACKENDS(suite)                                               \
  INSTANTIATE_TEST_SUITE_P(Backends, suite,                                             \
                           testing::Values(loop::Backend::uring, loop::Backend::epoll), \
                           loop::backend_name)

class TlsTest : public loop::LoopTest {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    core_ = std::make_unique<PerCore>(*loop_);
    server_.name = "web";
    server_.certificates = serve({certificate(leaf_)});
    client_.trust = trust(ca_);
    auto keys = TicketKeys::make();
    ASSERT_TRUE(keys.has_value());
    keyring_ = std::make_shared<TicketKeyring>(*keys);
    server_.tickets = keyring_;
  }
  void TearDown() override {
    run(close_core(*core_));
    core_.reset();
    LoopTest::TearDown();
  }

  static std::shared_ptr<const CertificateSet> serve(std::vector<CertificatePtr> certificates,
                                                     bool strict = false) {
    std::vector<ServedCertificate> served;
    for (CertificatePtr& one : certificates) served.push_back({std::move(one), nullptr});
    return std::make_shared<const CertificateSet>(std::move(served), strict);
  }

  std::shared_ptr<const ServerContext> server_context() {
    auto made = ServerContext::make(std::make_shared<ServerSettings>(server_));
    EXPECT_TRUE(made.has_value()) << made.error().cause;
    return *made;
  }
  std::shared_ptr<const ClientContext> client_context() {
    auto made = ClientContext::make(std::make_shared<ClientSettings>(client_));
    EXPECT_TRUE(made.has_value()) << made.error().cause;
    return *made;
  }

  // Not yet shaken hands.
  Ends ends() {
    Ends made;
    auto [ours, theirs] = MemoryStream::pair(*loop_);
    made.server_wire = ours.get();
    made.client_wire = theirs.get();
    made.server = Stream::server(*core_, std::move(ours), server_context());
    auto client = Stream::client(*core_, std::move(theirs), client_context(), target_);
    EXPECT_TRUE(client.has_value());
    made.client = std::move(*client);
    return made;
  }
  Ends shaken() {
    Ends made = ends();
    run(shake_both(made, soon()));
    return made;
  }

  Issued ca_ = issue({.cn = "Test CA", .is_ca = true});
  Issued leaf_ = issue({.cn = "a.example", .sans = "DNS:a.example"}, &ca_);
  ServerSettings server_;
  ClientSettings client_;
  Target target_{.host = "a.example", .session = nullptr};
  std::shared_ptr<TicketKeyring> keyring_;
  std::unique_ptr<PerCore> core_;
};

// Keeps what a Stream tells of TLS that breaks after the handshake.
struct FailureNotes final : FailureWatch {
  void on_tls_failed(const Error& error) override { reasons.emplace_back(error.reason); }
  std::vector<std::string> reasons;
};

inline loop::Task<void> send_text(Stream& stream, std::string text, Result<void>& result,
                                  Deadline deadline) {
  const iovec part = loop::part_of(text);
  result = co_await stream.send({&part, 1}, deadline);
}

// Receives until there are `count` bytes or an end; `last` tells which.
inline loop::Task<void> receive_text(Stream& stream, std::size_t count, std::string& text,
                                     std::optional<Error>& error, Deadline deadline) {
  while (text.size() < count) {
    auto chunk = co_await stream.recv(deadline);
    if (!chunk) error = chunk.error();
    if (!chunk || chunk->empty()) co_return;
    text += chunk->view();
  }
}

// Sends at one end and receives at the other.
inline loop::Task<void> pass_text(Stream& from, Stream& to, std::string text, std::string& got,
                                  Deadline deadline) {
  Result<void> sent;
  std::optional<Error> error;
  loop::Gate gate;
  const std::size_t size = text.size();
  gate.spawn(send_text(from, std::move(text), sent, deadline));
  gate.spawn(receive_text(to, size, got, error, deadline));
  co_await gate.close();
  EXPECT_TRUE(sent.has_value()) << sent.error().cause;
  EXPECT_FALSE(error.has_value()) << error->cause;
}

}  // namespace doorward::tls
