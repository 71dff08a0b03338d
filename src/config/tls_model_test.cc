// How TLS, HTTP/2 and the PROXY protocol are written: what is read, and every finding with its
// exact text.
#include <gtest/gtest.h>

#include "config/model.h"

namespace doorward::config {
namespace {

struct Read {
  std::optional<Model> model;
  std::string findings;  // "LINE:COLUMN: [warning: ]PATH: MESSAGE\n"
};

Read read(std::string_view yaml) {
  const auto source = std::make_shared<text::SourceFile>("a.yaml", std::string(yaml));
  const text::Node root = text::parse_yaml(source).value();
  schema::Diagnostics diagnostics;
  Read out{read_model(root, {}, diagnostics), {}};
  for (const schema::Diagnostic& found : diagnostics.sorted()) {
    out.findings += fmt::format("{}:{}: {}{}: {}\n", found.place.line, found.place.column,
                                found.severity == schema::Severity::warning ? "warning: " : "",
                                found.path, found.message);
  }
  return out;
}

TEST(TlsModel, ReadsAllOfListeners) {
  const Read done = read(R"(version: 1
listeners:
  - address: ":443"
    tls:
      certificates: [all.pem, {certificate: a.crt, key: a.key, ocsp: a.ocsp}, {folder: certs}]
      strict_sni: true
      profile: modern
      client_certificates: {mode: optional, ca: ca.pem, crl: ca.crl, depth: 2}
      session_tickets: false
      ticket_rotation: 1h
      handshake_timeout: 5s
    http2: {max_concurrent_streams: 10, stream_window: 64KiB, connection_window: 128KiB}
    proxy_protocol: {trusted: [10.0.0.0/8, unix]}
    max_connection_age: 1h
  - {address: ":444", tls: {certificates: one.pem}, http2: {enabled: false}}
  - {address: ":445", tls: {certificates: one.pem, client_certificates: {mode: none}}}
routes: [{respond: {}}]
)");
  EXPECT_EQ(done.findings, "");
  ASSERT_TRUE(done.model.has_value());
  const exchange::ListenerConfig& first = done.model->listeners[0];
  ASSERT_TRUE(first.tls.has_value());
  ASSERT_EQ(first.tls->certificates.size(), 3U);
  EXPECT_EQ(first.tls->certificates[0].certificate, "all.pem");
  EXPECT_EQ(first.tls->certificates[0].key, "");
  EXPECT_EQ(first.tls->certificates[1].key, "a.key");
  EXPECT_EQ(first.tls->certificates[2].folder, "certs");
  EXPECT_TRUE(first.tls->strict_sni);
  EXPECT_EQ(first.tls->profile, tls::Profile::modern);
  EXPECT_EQ(first.tls->client_certificates->mode, tls::ClientCertificates::optional);
  EXPECT_EQ(first.tls->client_certificates->depth, 2U);
  EXPECT_FALSE(first.tls->session_tickets);
  EXPECT_EQ(first.http2.max_concurrent_streams, 10U);
  EXPECT_EQ(first.proxy_protocol->trusted.size(), 2U);
  EXPECT_EQ(first.max_connection_age, Duration(3'600'000));
  const exchange::ListenerConfig& second = done.model->listeners[1];
  EXPECT_EQ(second.tls->certificates[0].certificate, "one.pem");
  EXPECT_EQ(second.tls->profile, tls::Profile::intermediate);
  EXPECT_FALSE(second.tls->client_certificates.has_value());
  EXPECT_FALSE(second.http2.enabled);
  EXPECT_EQ(done.model->listeners[2].tls->client_certificates->mode, tls::ClientCertificates::none);
}

TEST(TlsModel, ReadsAllOfServices) {
  const Read done = read(R"(version: 1
listeners: [{address: ":0"}]
services:
  a:
    endpoints: ["https://a.example", "https://[::1]:8443/", "http://b.example"]
    protocol: auto
    tls: {ca: ca.pem, name: a.internal, sni: b.internal, certificate: me.pem, key: me.key}
  b: {endpoints: ["http://b"], protocol: http2}
  c: {endpoints: ["http://c"], proxy_protocol: v2}
routes: [{service: a}, {match: {path: /b}, service: b}, {match: {path: /c}, service: c}]
)");
  EXPECT_EQ(done.findings, "");
  ASSERT_TRUE(done.model.has_value());
  const upstream::ServiceConfig& a = done.model->services[0].value;
  EXPECT_EQ(a.endpoints[0].port, 443);
  EXPECT_TRUE(a.endpoints[0].tls);
  EXPECT_EQ(a.endpoints[0].authority(), "a.example");
  EXPECT_EQ(a.endpoints[1].authority(), "[::1]:8443");
  EXPECT_FALSE(a.endpoints[2].tls);
  EXPECT_EQ(a.endpoints[2].authority(), "b.example");
  EXPECT_EQ(a.protocol, upstream::Protocol::automatic);
  EXPECT_EQ(a.tls.key, "me.key");
  EXPECT_TRUE(a.tls.verify);
  EXPECT_EQ(done.model->services[1].value.protocol, upstream::Protocol::http2);
  EXPECT_EQ(done.model->services[2].value.proxy_protocol, upstream::SendProxyProtocol::v2);
}

TEST(TlsModelErrors, OfListeners) {
  EXPECT_EQ(read(R"(version: 1
listeners:
  - address: ":1"
    tls: {strict_sni: true}
  - {address: ":2", tls: {certificates: []}}
  - {address: ":3", tls: {certificates: [{key: a.key}, {certificate: a, folder: b}]}}
  - {address: ":4", tls: {certificates: [{folder: a, key: b}], client_certificates: {}}}
  - {address: ":5", http2: {max_concurrent_streams: 0}, proxy_protocol: {}}
)")
                .findings,
            "4:10: listeners[0].tls.certificates: is missing: Chosen by the name that a client "
            "asks for (SNI); the first is the default.\n"
            "5:41: listeners[1].tls.certificates: must not be empty\n"
            "6:42: listeners[2].tls.certificates[0]: needs exactly one of \"certificate\", "
            "\"folder\", has none\n"
            "6:73: listeners[2].tls.certificates[1].folder: stands beside \"certificate\"; the "
            "section needs exactly one of \"certificate\", \"folder\"\n"
            "7:54: listeners[3].tls.certificates[0].key: cannot stand beside \"folder\", whose "
            "files have keys of their own\n"
            "7:85: listeners[3].tls.client_certificates.ca: is missing: A file (PEM): whose "
            "certificates are accepted.\n"
            "8:53: listeners[4].http2.max_concurrent_streams: must be at least 1, not 0\n"
            "8:73: listeners[4].proxy_protocol.trusted: is missing: Their addresses. Each "
            "connection must come from one of them and begin with a PROXY protocol header (version "
            "1 or 2); any other is closed.\n");
}

TEST(TlsModelErrors, OfServices) {
  EXPECT_EQ(read(R"(version: 1
listeners: [{address: ":0"}]
services:
  a: {endpoints: ["http://a"], tls: {ca: ca.pem}}
  b: {endpoints: ["https://b"], tls: {key: me.key, profile: old}}
  c: {endpoints: ["https://c"], tls: {key: me.key}}
  d: {endpoints: ["http://d"], protocol: http2, proxy_protocol: v1}
  e: {endpoints: ["https://e/x", "https://"], tls: {}}
)")
                .findings,
            "4:37: services.a.tls: no endpoint of this service speaks TLS; write its endpoints as "
            "https://HOST[:PORT]\n"
            "5:61: services.b.tls.profile: must be one of modern, intermediate, not \"old\"\n"
            "6:39: services.c.tls.key: needs its certificate: give \"certificate\" too\n"
            "7:42: services.d.protocol: http2 cannot stand beside proxy_protocol: a connection "
            "would carry the requests of many clients, and its header tells of one; leave protocol "
            "out, or proxy_protocol\n"
            "8:19: services.e.endpoints[0]: 'https://e/x' has a path: an endpoint is only "
            "https://HOST:PORT (use the rewrite policy for paths)\n"
            "8:34: services.e.endpoints[1]: 'https://' is not https://HOST:PORT\n");
}

TEST(TlsModelWarnings, UnverifiedBackends) {
  EXPECT_EQ(read(R"(version: 1
listeners: [{address: ":0"}]
services:
  a: {endpoints: ["https://a"], tls: {verify: false}}
routes: [{service: a}]
)")
                .findings,
            "4:47: warning: services.a.tls.verify: the backend's certificate is not verified: "
            "anybody on the way can read and change everything; name its CA in \"ca\" instead\n");
}

}  // namespace
}  // namespace doorward::config
