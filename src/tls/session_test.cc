// Sessions resumed, tickets under rotating keys, and what a peer may do after the handshake.
#include <openssl/ssl.h>

#include "tls/raw_peer.h"
#include "tls/reasons.h"

namespace doorward::tls {
namespace {

class SessionTest : public RawPeerTest {
 protected:
  void SetUp() override {
    RawPeerTest::SetUp();
    target_.session = std::make_shared<SessionSlot>();
  }
  // Connects, fetches a ticket, and tells whether the session was resumed.
  bool resumes() {
    Ends ends = shaken();
    EXPECT_TRUE(ends.ok()) << ends.why();
    if (!ends.ok()) return false;
    std::string got;
    run(pass_text(*ends.server, *ends.client, "hello", got, soon()));
    EXPECT_EQ(ends.server->facts().resumed, ends.client->facts().resumed);
    resumed_ = ends.server->facts();
    return ends.server->facts().resumed;
  }

  HandshakeFacts resumed_;
};
DOORWARD_TLS_BOTH_BACKENDS(SessionTest);

TEST_P(SessionTest, ResumesWithAnyContextOfTheSameKeys) {
  EXPECT_FALSE(resumes());
  EXPECT_TRUE(resumes());  // each time with a new context, as on another core
  EXPECT_TRUE(resumes());
  EXPECT_EQ(resumed_.sni, "a.example");
  target_.session = nullptr;
  EXPECT_FALSE(resumes());
}

TEST_P(SessionTest, ResumesUnderFormerKeysUntilTheyAreGone) {
  EXPECT_FALSE(resumes());
  ASSERT_TRUE(keyring_->rotate(1).has_value());
  const auto old_session = target_.session;
  EXPECT_TRUE(resumes());  // and gets a ticket of the new key
  ASSERT_TRUE(keyring_->rotate(1).has_value());
  EXPECT_TRUE(resumes());
  ASSERT_TRUE(keyring_->rotate(0).has_value());
  EXPECT_FALSE(resumes());
  EXPECT_EQ(keyring_->keys()->keys().size(), 1u);
}

TEST_P(SessionTest, DoesNotResumeElsewhere) {
  EXPECT_FALSE(resumes());
  server_.name = "other listener";
  EXPECT_FALSE(resumes());
  server_.client_certificates = ClientCertificates::optional;
  server_.client_trust = trust(ca_);
  EXPECT_FALSE(resumes());
  EXPECT_TRUE(resumes());
  server_.client_trust = trust(issue({.cn = "Other CA", .is_ca = true}));
  EXPECT_FALSE(resumes());
}

TEST_P(SessionTest, DoesNotResumeWithoutTickets) {
  server_.tickets = nullptr;
  EXPECT_FALSE(resumes());
  EXPECT_FALSE(resumes());
}

TEST_P(SessionTest, KeepsTheClientsCertificate) {
  server_.client_certificates = ClientCertificates::required;
  server_.client_trust = trust(ca_);
  client_.certificate = certificate(issue({.cn = "app"}, &ca_));
  EXPECT_FALSE(resumes());
  EXPECT_TRUE(resumes());
  ASSERT_NE(resumed_.peer_certificate, nullptr);
  EXPECT_EQ(resumed_.peer_certificate->subject, "CN=app");
}

// Also over several resumptions, each of which has a ticket of its own.
TEST_P(SessionTest, KeepsWhoVouchesForTheClientsCertificate) {
  const Issued middle = issue({.cn = "Middle", .is_ca = true}, &ca_);
  server_.client_certificates = ClientCertificates::required;
  server_.client_trust = trust(ca_);
  client_.certificate = certificate(issue({.cn = "app"}, &middle), &middle);
  const auto id = [](const Issued& one) { return peer_certificate(one.certificate.get()).id(); };
  for (const bool resumed : {false, true, true}) {
    EXPECT_EQ(resumes(), resumed);
    ASSERT_NE(resumed_.peer_certificate, nullptr);
    EXPECT_EQ(resumed_.peer_certificate->authorities, (std::vector{id(middle), id(ca_)}));
  }
}

TEST_P(SessionTest, ResumesTls12) {
  SSL_SESSION* session = nullptr;
  for (const bool expected : {false, true}) {
    RawEnds ends = raw_ends();
    SSL_CTX_set_max_proto_version(ends.peer->context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(ends.peer->context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set1_cert_store(ends.peer->context.get(), client_.trust->store());
    ends.peer->begin();
    if (session != nullptr) SSL_set_session(ends.peer->ssl.get(), session);
    run([](RawEnds& both, Deadline by) -> loop::Task<void> {
      loop::Gate gate;
      gate.spawn(keep_result(*both.server, both.result, by));
      gate.spawn(both.peer->shake(both.peer_done, by));
      co_await gate.close();
    }(ends, soon()));
    ASSERT_TRUE(ends.result.has_value()) << ends.result.error().cause;
    EXPECT_EQ(ends.server->facts().resumed, expected);
    // A resumed session has kept its certificate, but may have outlived it.
    const WallTime later = std::chrono::system_clock::now() + std::chrono::days(100);
    const auto facts = read_facts(ends.peer->ssl.get(), later);
    EXPECT_EQ(facts.has_value(), !expected);
    if (!facts) {
      EXPECT_EQ(facts.error(), reason::kCertificateExpired);
    }
    if (session == nullptr) session = SSL_get1_session(ends.peer->ssl.get());
  }
  SSL_SESSION_free(session);
}

loop::Task<void> shake_with(Stream& stream, RawPeer& peer, Result<void>& result, Deadline by) {
  bool done = false;
  loop::Gate gate;
  peer.begin();
  gate.spawn(keep_result(stream, result, by));
  gate.spawn(peer.shake(done, by));
  co_await gate.close();
  EXPECT_TRUE(done);
}

TEST_P(SessionTest, ResumesTls12WithABackend) {
  Owned<SSL_CTX> backend;  // its ticket keys are its own
  for (const bool expected : {false, true, true}) {
    auto [ours, theirs] = MemoryStream::pair(*loop_);
    RawPeer peer(std::move(theirs), true);
    if (backend == nullptr) {
      backend.reset(SSL_CTX_new(TLS_server_method()));
      SSL_CTX_set_max_proto_version(backend.get(), TLS1_2_VERSION);
      SSL_CTX_use_certificate(backend.get(), leaf_.certificate.get());
      SSL_CTX_use_PrivateKey(backend.get(), leaf_.key.get());
    }
    SSL_CTX_up_ref(backend.get());
    peer.context.reset(backend.get());
    auto stream = Stream::client(*core_, std::move(ours), client_context(), target_);
    Result<void> result;
    run(shake_with(**stream, peer, result, soon()));
    ASSERT_TRUE(result.has_value()) << result.error().cause;
    EXPECT_EQ((*stream)->facts().version, "TLSv1.2");
    EXPECT_EQ((*stream)->facts().resumed, expected);
  }
}

loop::Task<void> update_keys(RawEnds& ends, Deadline by) {
  SSL* ssl = ends.peer->ssl.get();
  for (int i = 0; i < 3; ++i) {
    SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
    co_await ends.peer->write("after update", by);
    std::string got;
    std::optional<Error> error;
    co_await receive_text(*ends.server, 12, got, error, by);
    EXPECT_EQ(got, "after update");
    loop::Gate gate;
    Result<void> sent;
    std::string back;
    gate.spawn(send_text(*ends.server, "answer", sent, by));
    gate.spawn(ends.peer->read(6, back, by));
    co_await gate.close();
    EXPECT_EQ(back, "answer");
  }
}

TEST_P(SessionTest, AnswersKeyUpdates) {
  RawEnds ends = raw_ends();
  run(shake_raw(ends, soon()));
  ASSERT_TRUE(ends.result.has_value()) << ends.result.error().cause;
  run(update_keys(ends, soon()));
}

loop::Task<void> update_while_sending(RawEnds& ends, std::string text, Deadline by) {
  Result<void> sent;
  std::string back;
  std::string got;
  std::optional<Error> error;
  loop::Gate gate;
  gate.spawn(send_text(*ends.server, text, sent, by));  // gets stuck: nobody reads
  SSL_key_update(ends.peer->ssl.get(), SSL_KEY_UPDATE_REQUESTED);
  co_await ends.peer->write("ping", by);
  co_await receive_text(*ends.server, 4, got, error, by);  // its answer must wait for the send
  EXPECT_EQ(got, "ping");
  co_await ends.peer->read(text.size(), back, by);
  EXPECT_TRUE(back == text);
  co_await gate.close();
  EXPECT_TRUE(sent.has_value());
}

TEST_P(SessionTest, AnswersKeyUpdatesWhileASendIsUnderWay) {
  for (const std::size_t size : {std::size_t{3000}, std::size_t{400'000}}) {
    auto [ours, theirs] = MemoryStream::pair(*loop_);
    RawEnds ends;
    theirs->capacity = 2000;
    ends.server = Stream::server(*core_, std::move(ours), server_context());
    ends.peer = std::make_unique<RawPeer>(std::move(theirs), false);
    run(shake_raw(ends, soon()));
    ASSERT_TRUE(ends.result.has_value()) << ends.result.error().cause;
    run(update_while_sending(ends, std::string(size, 'x'), soon()));
  }
}

loop::Task<void> flood_updates(RawEnds& ends, std::optional<Error>& error, Deadline by) {
  for (int i = 0; i < 100; ++i) {
    SSL_key_update(ends.peer->ssl.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(ends.peer->ssl.get());
  }
  co_await ends.peer->flush(by);
  std::string got;
  co_await receive_text(*ends.server, 1, got, error, by);
}

TEST_P(SessionTest, EndsAFloodOfKeyUpdates) {
  RawEnds ends = raw_ends();
  run(shake_raw(ends, soon()));
  ASSERT_TRUE(ends.result.has_value());
  FailureNotes told;
  ends.server->watch_failure(told);
  std::optional<Error> error;
  run(flood_updates(ends, error, soon()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->reason, reason::kTooManyEmptyRecords);
  EXPECT_EQ(error->kind, ErrorKind::limit);
  EXPECT_EQ(told.reasons, std::vector<std::string>{"tls_too_many_empty_records"});
}

loop::Task<void> renegotiate(RawEnds& ends, bool& done, Deadline by) {
  SSL_renegotiate(ends.peer->ssl.get());
  SSL_do_handshake(ends.peer->ssl.get());
  co_await ends.peer->flush(by);
  std::string got;
  std::optional<Error> error;
  loop::Gate gate;
  gate.spawn(receive_text(*ends.server, 1, got, error, by));
  done = co_await ends.peer->fill(by);
  done = done && SSL_do_handshake(ends.peer->ssl.get()) == 1;
  ends.server->cancel_recv();
  co_await gate.close();
}

TEST_P(SessionTest, DoesNotRenegotiate) {
  RawEnds ends = raw_ends();
  SSL_CTX_set_max_proto_version(ends.peer->context.get(), TLS1_2_VERSION);
  run(shake_raw(ends, soon()));
  ASSERT_TRUE(ends.result.has_value());
  bool done = true;
  run(renegotiate(ends, done, soon()));
  EXPECT_FALSE(done);
}

TEST_P(SessionTest, StaplesAnOcspResponse) {
  const CertificatePtr own = certificate(leaf_, &ca_);
  const std::string der = ocsp_response(leaf_, ca_, ca_);
  auto staple = OcspStaple::parse("a.ocsp", der, *own, std::chrono::system_clock::now());
  ASSERT_TRUE(staple.has_value()) << staple.error().cause;
  server_.certificates =
      std::make_shared<const CertificateSet>(std::vector<ServedCertificate>{{own, *staple}}, false);
  for (const bool asks : {true, false}) {
    RawEnds ends = raw_ends();
    if (asks) SSL_CTX_set_tlsext_status_type(ends.peer->context.get(), TLSEXT_STATUSTYPE_ocsp);
    run(shake_raw(ends, soon()));
    ASSERT_TRUE(ends.result.has_value()) << ends.result.error().cause;
    const unsigned char* got = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(ends.peer->ssl.get(), &got);
    EXPECT_EQ(size, asks ? static_cast<long>(der.size()) : -1);
  }
}

}  // namespace
}  // namespace doorward::tls
