// What a handshake refuses, and what both sides are told: one test for each reason, and more.
#include <openssl/ssl.h>
#include <set>

#include "tls/raw_peer.h"
#include "tls/reasons.h"

namespace doorward::tls {
namespace {

class HandshakeTest : public RawPeerTest {
 protected:
  // A server that hears `bytes` first, and then the end if `ends`.
  Error refused(std::string_view bytes, bool ends) {
    auto [ours, theirs] = MemoryStream::pair(*loop_);
    ours->put(bytes);
    if (ends) ours->end_of_peer();
    auto stream = Stream::server(*core_, std::move(ours), server_context());
    Result<void> result;
    run(keep_result(*stream, result, soon()));
    EXPECT_FALSE(result.has_value());
    answered_ = theirs->inbox.size();
    return result ? Error() : result.error();
  }
  // The client's reason when the server shows `leaf`.
  std::string_view client_refuses(const Issued& leaf) {
    server_.certificates = serve({certificate(leaf)});
    Ends ends = shaken();
    EXPECT_FALSE(ends.client_result.has_value());
    if (!ends.client_result) {
      EXPECT_EQ(ends.client_result.error().side, Side::backend);
      EXPECT_EQ(ends.client_result.error().retry, Retry::yes);
      EXPECT_FALSE(ends.client_result.error().cause.empty());
    }
    EXPECT_EQ(ends.server_reason(), reason::kPeerAlert);
    return ends.client_reason();
  }
  std::size_t answered_ = 0;
};
DOORWARD_TLS_BOTH_BACKENDS(HandshakeTest);

TEST_P(HandshakeTest, TellsPlainHttpFromTls) {
  for (const std::string_view request : {"GET / HTTP/1.1\r\n\r\n", "DELETE /a HTTP/1.1\r\n\r\n",
                                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    const Error error = refused(request, false);
    EXPECT_EQ(error.reason, reason::kPlainHttp);
    EXPECT_EQ(error.side, Side::client);
    EXPECT_EQ(answered_, 0u);  // the caller may answer in cleartext
  }
  auto [ours, theirs] = MemoryStream::pair(*loop_);
  ours->put("HTTP/1.1 400 Bad Request\r\n\r\n");
  auto stream = Stream::client(*core_, std::move(ours), client_context(), target_);
  Result<void> result;
  run(keep_result(**stream, result, soon()));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, reason::kPlainHttp);
  EXPECT_EQ(result.error().side, Side::backend);
}

TEST_P(HandshakeTest, TellsGarbageAndAnEarlyEnd) {
  EXPECT_EQ(refused("\x01\x02\x03\x04\x05\x06\x07\x08", true).reason, reason::kNotTls);
  EXPECT_EQ(refused("", true).reason, reason::kClosedInHandshake);
  EXPECT_EQ(refused(std::string_view("\x16\x03\x01\x00\x50\x01", 6), true).reason,
            reason::kClosedInHandshake);
  // A record of a server's message.
  const std::string_view finished("\x16\x03\x01\x00\x04\x14\x00\x00\x00", 9);
  EXPECT_EQ(refused(finished, true).reason, reason::kProtocol);
}

TEST_P(HandshakeTest, ModernIsTls13Only) {
  server_.profile = Profile::modern;
  RawEnds ends = raw_ends();
  SSL_CTX_set_max_proto_version(ends.peer->context.get(), TLS1_2_VERSION);
  run(shake_raw(ends, soon()));
  EXPECT_EQ(ends.reason(), reason::kNoSharedVersion);
  EXPECT_FALSE(ends.peer_done);
}

TEST_P(HandshakeTest, IntermediateSpeaksTls12ButNothingOlder) {
  RawEnds ends = raw_ends();
  SSL_CTX_set_max_proto_version(ends.peer->context.get(), TLS1_2_VERSION);
  run(shake_raw(ends, soon()));
  ASSERT_TRUE(ends.result.has_value()) << ends.result.error().cause;
  EXPECT_EQ(ends.server->facts().version, "TLSv1.2");
  RawEnds old = raw_ends();
  SSL_CTX_set_security_level(old.peer->context.get(), 0);
  SSL_CTX_set_min_proto_version(old.peer->context.get(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(old.peer->context.get(), TLS1_1_VERSION);
  run(shake_raw(old, soon()));
  EXPECT_EQ(old.reason(), reason::kNoSharedVersion);
}

TEST_P(HandshakeTest, NothingInCommon) {
  RawEnds cipher = raw_ends();
  SSL_CTX_set_max_proto_version(cipher.peer->context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(cipher.peer->context.get(), "AES128-SHA");
  run(shake_raw(cipher, soon()));
  EXPECT_EQ(cipher.reason(), reason::kNoSharedCipher);

  RawEnds rsa_only = raw_ends();  // the certificate's key is ECDSA
  SSL_CTX_set1_sigalgs_list(rsa_only.peer->context.get(), "RSA-PSS+SHA256");
  run(shake_raw(rsa_only, soon()));
  EXPECT_EQ(rsa_only.reason(), reason::kNoSharedCipher);

  RawEnds group = raw_ends();
  SSL_CTX_set1_groups_list(group.peer->context.get(), "P-521");
  run(shake_raw(group, soon()));
  EXPECT_EQ(group.reason(), reason::kNoSharedGroup);
}

TEST_P(HandshakeTest, NegotiatesAlpn) {
  server_.alpn = {"h2", "http/1.1"};
  client_.alpn = {"http/1.1", "h2"};
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  EXPECT_EQ(ends.server->facts().alpn, "h2");  // the server's order
  EXPECT_EQ(ends.client->facts().alpn, "h2");
  client_.alpn = {};
  EXPECT_EQ(shaken().server->facts().alpn, "");
  client_.alpn = {"spdy/1"};
  EXPECT_EQ(shaken().server_reason(), reason::kNoSharedAlpn);
  EXPECT_FALSE(alpn_wire({std::string(256, 'a')}).has_value());
  EXPECT_FALSE(alpn_wire({""}).has_value());
}

std::string shown(const Ends& ends) {
  return ends.ok() ? ends.client->facts().peer_certificate->subject : ends.why();
}

TEST_P(HandshakeTest, ChoosesTheCertificateByName) {
  const Issued exact = issue({.cn = "exact", .sans = "DNS:b.example,DNS:x.w.example"}, &ca_);
  const Issued wildcard = issue({.cn = "wildcard", .sans = "DNS:*.w.example"}, &ca_);
  server_.certificates = serve({certificate(leaf_), certificate(exact), certificate(wildcard)});
  client_.verify = false;
  const auto asked = [&](std::string name) {
    target_.host = std::move(name);
    return shown(shaken());
  };
  EXPECT_EQ(asked("b.example"), "CN=exact");
  EXPECT_EQ(asked("B.EXAMPLE"), "CN=exact");
  EXPECT_EQ(asked("x.w.example"), "CN=exact");
  EXPECT_EQ(asked("y.w.example"), "CN=wildcard");
  EXPECT_EQ(asked("z.y.w.example"), "CN=a.example");  // one label only; so the default
  EXPECT_EQ(asked("w.example"), "CN=a.example");
  EXPECT_EQ(asked("127.0.0.1"), "CN=a.example");  // no SNI
}

TEST_P(HandshakeTest, RefusesAnUnknownNameWhereThereIsNoDefault) {
  server_.certificates = serve({certificate(leaf_)}, true);
  EXPECT_TRUE(shaken().ok());
  target_.host = "other.example";
  Ends ends = shaken();
  EXPECT_EQ(ends.server_reason(), reason::kUnknownName);
  EXPECT_EQ(ends.client_reason(), reason::kPeerAlert);
  EXPECT_EQ(ends.client_result.error().code, SSL_AD_UNRECOGNIZED_NAME);
}

TEST_P(HandshakeTest, ServesTheKeyThatTheClientCanVerify) {
  const Issued rsa = issue({.cn = "rsa", .sans = "DNS:a.example", .rsa_bits = 2048}, &ca_);
  server_.certificates = serve({certificate(leaf_), certificate(rsa)});
  for (const auto& [algorithms, subject] : {std::pair{"RSA-PSS+SHA256:RSA+SHA256", "CN=rsa"},
                                            std::pair{"ECDSA+SHA256", "CN=a.example"}}) {
    RawEnds ends = raw_ends();
    SSL_CTX_set1_sigalgs_list(ends.peer->context.get(), algorithms);
    run(shake_raw(ends, soon()));
    ASSERT_TRUE(ends.result.has_value()) << ends.result.error().cause;
    const Owned<X509> shown(SSL_get1_peer_certificate(ends.peer->ssl.get()));
    EXPECT_EQ(peer_certificate(shown.get()).subject, subject);
  }
}

TEST_P(HandshakeTest, NoNameIsServedWithTheDefaultsKeyOfAnotherKind) {
  const Issued rsa = issue({.cn = "rsa", .sans = "DNS:a.example", .rsa_bits = 2048}, &ca_);
  const Issued other = issue({.cn = "other", .sans = "DNS:b.example"}, &ca_);
  server_.certificates = serve({certificate(leaf_), certificate(rsa), certificate(other)});
  for (const char* name : {"a.example", "b.example"}) {
    RawEnds ends = raw_ends();
    SSL_CTX_set1_sigalgs_list(ends.peer->context.get(), "RSA-PSS+SHA256:RSA+SHA256");
    ends.peer->name = name;
    run(shake_raw(ends, soon()));
    EXPECT_EQ(ends.reason(), name == std::string_view("a.example") ? "" : reason::kNoSharedCipher);
  }
}

TEST_P(HandshakeTest, VerifiesTheBackendsCertificate) {
  const auto a = [](Recipe recipe) {
    recipe.cn = "a.example";
    recipe.sans = "DNS:a.example";
    return recipe;
  };
  EXPECT_EQ(client_refuses(issue(a({.from = -9 * kDay, .until = -kDay}), &ca_)),
            reason::kCertificateExpired);
  EXPECT_EQ(client_refuses(issue(a({.from = kDay}), &ca_)), reason::kCertificateNotYetValid);
  EXPECT_EQ(client_refuses(issue(a({}))), reason::kUnknownCa);
  const Issued other_ca = issue({.cn = "Other CA", .is_ca = true});
  EXPECT_EQ(client_refuses(issue(a({}), &other_ca)), reason::kUnknownCa);
  EXPECT_EQ(client_refuses(issue(a({.usage = "clientAuth"}), &ca_)), reason::kCertificatePurpose);
  EXPECT_EQ(client_refuses(issue({.cn = "a.example", .sans = "DNS:b.example"}, &ca_)),
            reason::kNameMismatch);
  EXPECT_EQ(client_refuses(issue({.cn = "a.example"}, &ca_)), reason::kNameMismatch);  // CN only
  const Issued impostor = issue({.cn = "Test CA", .is_ca = true});
  EXPECT_EQ(client_refuses(issue(a({}), &impostor)), reason::kCertificateInvalid);
  target_.host = "127.0.0.1";
  EXPECT_EQ(client_refuses(issue(a({}), &ca_)), reason::kNameMismatch);
}

TEST_P(HandshakeTest, AcceptsAddressesPinnedNamesAndWhatItNeedNotVerify) {
  server_.certificates =
      serve({certificate(issue({.cn = "b", .sans = "DNS:b.example,IP:127.0.0.1,IP:::1"}, &ca_))});
  for (const std::string host : {"127.0.0.1", "::1", "b.example"}) {
    target_.host = host;
    Ends ends = shaken();
    EXPECT_TRUE(ends.ok()) << host << ends.why();
  }
  target_.host = "10.0.0.1";
  client_.pinned_name = "b.example";
  client_.sni = "sni.example";
  Ends pinned = shaken();
  ASSERT_TRUE(pinned.ok()) << pinned.why();
  EXPECT_EQ(pinned.server->facts().sni, "sni.example");
  client_.pinned_name = "";
  client_.verify = false;
  EXPECT_TRUE(shaken().ok());
}

TEST_P(HandshakeTest, LimitsTheChain) {
  const Issued middle = issue({.cn = "Middle", .is_ca = true}, &ca_);
  const Issued low = issue({.cn = "Low", .is_ca = true}, &middle);
  const Issued leaf = issue({.cn = "a", .sans = "DNS:a.example"}, &low);
  const PemFile file = pem(leaf.certificate_pem() + low.certificate_pem() +
                           middle.certificate_pem() + leaf.key_pem());
  server_.certificates = serve({*Certificate::parse(file, file)});
  EXPECT_TRUE(shaken().ok());
  client_.verify_depth = 1;
  EXPECT_EQ(shaken().client_reason(), reason::kChainTooLong);
}

TEST_P(HandshakeTest, WhatCannotWorkIsToldBeforeAnyoneConnects) {
  const auto server_error = [&] {
    auto made = ServerContext::make(std::make_shared<ServerSettings>(server_));
    return made ? "" : made.error().cause;
  };
  server_.client_certificates = ClientCertificates::optional;
  EXPECT_EQ(server_error(), "client certificates are asked for, but no CA is trusted");
  server_.certificates = serve({certificate(issue({.cn = "weak", .rsa_bits = 1024}, &ca_))});
  EXPECT_EQ(server_error(), "test.pem: cannot be served: ee key too small");
  server_.certificates = serve({});
  EXPECT_EQ(server_error(), "TLS without a certificate");
  client_.trust = nullptr;
  EXPECT_FALSE(ClientContext::make(std::make_shared<ClientSettings>(client_)).has_value());
  client_.trust = trust(ca_);
  target_.host = "";
  auto [ours, theirs] = MemoryStream::pair(*loop_);
  EXPECT_FALSE(Stream::client(*core_, std::move(ours), client_context(), target_).has_value());
}

TEST_P(HandshakeTest, EachReasonHasASentence) {
  std::set<std::string_view> words;
  for (const Reason& reason : reasons()) {
    EXPECT_TRUE(reason.word.starts_with("tls_"));
    EXPECT_FALSE(reason.sentence.empty());
    EXPECT_TRUE(words.insert(reason.word).second) << reason.word;
  }
  EXPECT_EQ(sentence_of("no_such"), "");
}

loop::Task<void> shake_and_cancel(loop::Loop& loop, Ends& ends, bool abort, Deadline deadline) {
  loop::Gate gate;
  gate.spawn(keep_result(*ends.server, ends.server_result, deadline));
  gate.spawn(keep_result(*ends.client, ends.client_result, deadline));
  if (abort) co_await NextTurn{loop};
  for (Stream* stream : {ends.server.get(), ends.client.get()}) {
    abort ? stream->abort() : stream->cancel_recv();
  }
  co_await gate.close();
}

TEST_P(HandshakeTest, IsCancelled) {
  for (const bool abort : {false, true}) {
    Ends ends = this->ends();
    run(shake_and_cancel(*loop_, ends, abort, soon()));
    ASSERT_FALSE(ends.server_result.has_value() || ends.client_result.has_value());
    EXPECT_EQ(ends.server_result.error().kind, ErrorKind::cancelled);
    EXPECT_EQ(ends.client_result.error().kind, ErrorKind::cancelled);
  }
}

TEST_P(HandshakeTest, AStreamMayGoWithoutOne) {
  Ends unused = ends();
  EXPECT_TRUE(unused.server_result.has_value());
}

loop::Task<void> shake_all(std::vector<Ends>& all, Deadline deadline) {
  loop::Gate gate;
  for (Ends& ends : all) gate.spawn(shake_both(ends, deadline));
  co_await gate.close();
}

TEST_P(HandshakeTest, OnlyOneStepRunsInATurn) {
  std::vector<Ends> all;
  for (int i = 0; i < 20; ++i) all.push_back(ends());
  const std::uint64_t turns = loop_->counters().turns;
  run(shake_all(all, soon()));
  for (const Ends& ends : all) EXPECT_TRUE(ends.ok()) << ends.why();
  EXPECT_GE(loop_->counters().turns - turns, 20u * 4 - 1);
}

}  // namespace
}  // namespace doorward::tls
