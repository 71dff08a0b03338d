// What is told while the process runs, at made-up times: the keys of tickets, and whatever expires.
#include "app/tls_upkeep.h"

#include <cstdio>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "observe/prometheus.h"
#include "tls/test_certificates.h"

namespace doorward::app {
namespace {

using namespace std::chrono_literals;
using tls::issue;
using tls::Issued;
using tls::kDay;

class TlsUpkeepTest : public testing::Test {
 protected:
  ~TlsUpkeepTest() override { close(log_); }

  void add_listener(tls::CertificatePtr certificate, tls::TrustPtr clients) {
    auto config = std::make_shared<exchange::ListenerConfig>();
    config->name = "web";
    config->tls.emplace();
    config->tls->ticket_rotation = 1h;
    auto settings = std::make_shared<tls::ServerSettings>();
    settings->certificates = std::make_shared<const tls::CertificateSet>(
        std::vector<tls::ServedCertificate>{{std::move(certificate), nullptr}});
    settings->client_certificates = tls::ClientCertificates::required;
    settings->client_trust = std::move(clients);
    exchange::ListenerEntry entry{config, metrics_.slot(observe::Scope::listener, "web"), {}, {}};
    entry.tls.push_back(*tls::ServerContext::make(settings));
    entry.tickets = std::make_shared<tls::TicketKeyring>(*tls::TicketKeys::make());
    snapshot_.listeners.push_back(std::move(entry));
  }
  void add_service(tls::CertificatePtr own, tls::TrustPtr backends) {
    auto config = std::make_shared<upstream::ServiceConfig>();
    config->name = "app";
    auto settings = std::make_shared<tls::ClientSettings>();
    settings->trust = std::move(backends);
    settings->certificate = std::move(own);
    exchange::ServiceEntry entry{config, metrics_.slot(observe::Scope::service, "app"), {}};
    entry.tls.push_back(*tls::ClientContext::make(settings));
    snapshot_.services.push_back(std::move(entry));
  }
  // What was written to the log since.
  std::string events() {
    std::string text(static_cast<std::size_t>(lseek(log_, 0, SEEK_END)) - read_, '\0');
    read_ +=
        static_cast<std::size_t>(pread(log_, text.data(), text.size(), static_cast<off_t>(read_)));
    return text;
  }
  void look(std::chrono::hours since) {
    upkeep_.look(snapshot_, start_ + since, std::chrono::system_clock::now() + since);
  }
  std::string gauge(std::string_view name, std::string_view label) {
    const std::string text = observe::render_prometheus(metrics_);
    const std::string series = fmt::format("\n{}{{{}}} ", name, label);
    const std::size_t at = text.find(series);
    if (at == std::string::npos) return "";
    return text.substr(at + series.size(), text.find('\n', at + 1) - at - series.size());
  }

  int log_ = memfd_create("events", MFD_CLOEXEC);
  std::size_t read_ = 0;
  observe::EventLog events_{log_};
  observe::Metrics metrics_;
  TlsUpkeep upkeep_{events_, metrics_.make_shard()};
  exchange::Snapshot snapshot_;
  const TimePoint start_{1h};
  const Issued ca_ = issue({.cn = "Test CA", .is_ca = true, .until = 300 * kDay});
};

TEST_F(TlsUpkeepTest, TellsOfAllThatExpires) {
  add_listener(certificate(issue({.cn = "a", .sans = "DNS:a", .until = 23 * kDay}, &ca_)),
               trust(ca_, revocation_list(ca_, {}, 5 * kDay)));
  add_service(certificate(issue({.cn = "me", .until = 24 * kDay}, &ca_)),
              trust(issue({.cn = "Backends", .is_ca = true, .until = 25 * kDay})));
  look(0h);
  EXPECT_EQ(events(), "");  // the configuration's findings have told it
  look(24h);
  EXPECT_EQ(events(), "");
  look(4 * 24h);
  const std::string soon = events();
  for (const std::string_view expected :
       {"\"certificate_expires_soon\",\"listener\":\"web\",\"finding\":\"test.pem: expires on ",
        "\"crl_ends_soon\",\"listener\":\"web\",\"finding\":\"crl.pem: the list of CN=Test CA "
        "runs ",
        "\"certificate_expires_soon\",\"service\":\"app\",\"finding\":\"test.pem: expires on ",
        "\"ca_expires_soon\",\"service\":\"app\",\"finding\":\"ca.pem: the CA CN=Backends "
        "expires "}) {
    EXPECT_TRUE(soon.contains(expected)) << expected << soon;
  }
  EXPECT_EQ(std::ranges::count(soon, '\n'), 4) << soon;
  look(4 * 24h + 23h);
  EXPECT_EQ(events(), "");  // once a day
  look(6 * 24h);
  EXPECT_TRUE(events().contains("crl_out_of_date"));
  look(26 * 24h);
  const std::string over = events();
  EXPECT_TRUE(over.contains("\"certificate_expired\",\"listener\"")) << over;
  EXPECT_TRUE(over.contains("\"certificate_expired\",\"service\"")) << over;
  EXPECT_TRUE(over.contains("\"ca_expired\",\"service\"")) << over;
}

TEST_F(TlsUpkeepTest, GaugesTellWhenItEnds) {
  const tls::CertificatePtr served = certificate(issue({.cn = "a", .sans = "DNS:a"}, &ca_));
  const tls::TrustPtr clients = trust(ca_, revocation_list(ca_, {}));
  const tls::CertificatePtr own = certificate(issue({.cn = "me", .until = 9 * kDay}, &ca_));
  add_listener(served, clients);
  add_service(own, trust(ca_));
  look(0h);
  const auto seconds = [](WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  };
  const auto shown = [&] {
    return std::vector<std::string>{
        gauge("doorward_tls_certificate_expiry_timestamp_seconds", "listener=\"web\""),
        gauge("doorward_tls_crl_next_update_timestamp_seconds", "listener=\"web\""),
        gauge("doorward_service_tls_certificate_expiry_timestamp_seconds", "service=\"app\"")};
  };
  const std::vector<std::string> expected{std::to_string(seconds(served->facts().not_after)),
                                          std::to_string(seconds(clients->lists_until())),
                                          std::to_string(seconds(own->facts().not_after))};
  EXPECT_EQ(shown(), expected);
  snapshot_ = {};
  look(0h);
  EXPECT_EQ(shown(), std::vector<std::string>(3));
}

TEST_F(TlsUpkeepTest, RotatesTheKeysOfTickets) {
  add_listener(certificate(issue({.cn = "a", .sans = "DNS:a"}, &ca_)), trust(ca_));
  const auto key = [this] { return snapshot_.listeners[0].tickets->keys(); };
  look(0h);
  const auto first = key();
  look(0h);
  EXPECT_EQ(key(), first);
  look(1h);
  const auto second = key();
  EXPECT_NE(second, first);
  look(1h);
  EXPECT_EQ(key(), second);
  EXPECT_EQ(second->keys().size(), 2U);
  look(2h);
  look(3h);
  EXPECT_EQ(key()->keys().size(), 3U);
}

}  // namespace
}  // namespace doorward::app
