#include "app/tls_upkeep.h"

#include <algorithm>

namespace doorward::app {
namespace {

using observe::Metric;
using tls::ShownBy;

// A revocation list may last for hours only.
constexpr std::chrono::hours kJudgeEvery{1};
constexpr std::chrono::hours kTellEvery{24};

void append(std::vector<tls::CertificateFinding>& all, std::vector<tls::CertificateFinding> more) {
  std::ranges::move(more, std::back_inserter(all));
}

std::vector<tls::CertificateFinding> judge(const tls::ServerSettings& settings, WallTime today) {
  std::vector<tls::CertificateFinding> all;
  for (const tls::ServedCertificate& served : settings.certificates->all()) {
    append(all, tls::check_certificate(*served.certificate, today));
  }
  if (settings.client_trust != nullptr) {
    append(all, tls::check_trust(*settings.client_trust, today));
  }
  return all;
}

std::vector<tls::CertificateFinding> judge(const tls::ClientSettings& settings, WallTime today) {
  std::vector<tls::CertificateFinding> all;
  if (settings.certificate != nullptr) {
    append(all, tls::check_certificate(*settings.certificate, today, tls::kExpiresSoon,
                                       ShownBy::client));
  }
  if (settings.trust != nullptr) append(all, tls::check_trust(*settings.trust, today));
  return all;
}

}  // namespace

void TlsUpkeep::tick(loop::Loop& loop, const exchange::Snapshot& snapshot) {
  ocsp_.tick(loop, snapshot);
  look(snapshot, loop.now(), std::chrono::system_clock::now());
}

void TlsUpkeep::look(const exchange::Snapshot& snapshot, TimePoint now, WallTime today) {
  rotate_tickets(snapshot, now);
  show_expiry(snapshot);
  if (judged_ != TimePoint{} && now - judged_ < kJudgeEvery) return;
  judge_all(snapshot, now, today);
  judged_ = now;
}

void TlsUpkeep::rotate_tickets(const exchange::Snapshot& snapshot, TimePoint now) {
  std::map<std::string, TimePoint> rotated;
  for (const exchange::ListenerEntry& listener : snapshot.listeners) {
    if (listener.tickets == nullptr || !listener.config->tls) continue;
    const std::string key = listener.config->key();
    const auto known = rotated_.find(key);
    TimePoint& last = rotated[key] = known == rotated_.end() ? now : known->second;
    if (now - last < listener.config->tls->ticket_rotation) continue;
    last = now;
    if (const Result<void> done = listener.tickets->rotate(); !done) {
      events_.error("ticket_rotation_failed",
                    {{"listener", listener.config->name}, {"error", done.error().cause}});
    }
  }
  rotated_ = std::move(rotated);
}

void TlsUpkeep::show_expiry(const exchange::Snapshot& snapshot) {
  const Expiry before = std::exchange(shown_, {});
  for (const exchange::ListenerEntry& listener : snapshot.listeners) {
    if (listener.tls.empty()) continue;
    const tls::ServerSettings& settings = listener.tls.front()->settings();
    WallTime first = WallTime::max();
    for (const tls::ServedCertificate& served : settings.certificates->all()) {
      first = std::min(first, served.certificate->facts().not_after);
    }
    set_gauge(Metric::tls_certificate_expiry, listener.slot, first);
    if (settings.client_trust == nullptr) continue;
    set_gauge(Metric::tls_crl_next_update, listener.slot, settings.client_trust->lists_until());
  }
  for (const exchange::ServiceEntry& service : snapshot.services) {
    if (service.tls.empty()) continue;
    const tls::CertificatePtr& own = service.tls.front()->settings().certificate;
    if (own == nullptr) continue;
    set_gauge(Metric::service_tls_certificate_expiry, service.slot, own->facts().not_after);
  }
  for (const auto& [gauge, time] : before) {
    if (!shown_.contains(gauge)) set_gauge(gauge.first, gauge.second, {});
  }
}

// 0, which is not shown, for what has no end.
void TlsUpkeep::set_gauge(Metric metric, observe::Slot slot, WallTime time) {
  const bool ends = time > WallTime{} && time != WallTime::max();
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
  const std::uint64_t seconds = ends ? static_cast<std::uint64_t>(since.count()) : 0;
  if (metric == Metric::tls_certificate_expiry) {
    metrics_.listener(slot).set(Metric::tls_certificate_expiry, seconds);
  } else if (metric == Metric::tls_crl_next_update) {
    metrics_.listener(slot).set(Metric::tls_crl_next_update, seconds);
  } else {
    metrics_.service(slot).set(Metric::service_tls_certificate_expiry, seconds);
  }
  if (ends) shown_[{metric, slot}] = time;
}

// What is to be said at the start the configuration's findings say.
void TlsUpkeep::judge_all(const exchange::Snapshot& snapshot, TimePoint now, WallTime today) {
  Told told;
  for (const exchange::ListenerEntry& listener : snapshot.listeners) {
    if (listener.tls.empty()) continue;
    tell("listener", listener.config->name, judge(listener.tls.front()->settings(), today), now,
         told);
  }
  for (const exchange::ServiceEntry& service : snapshot.services) {
    if (service.tls.empty()) continue;
    tell("service", service.config->name, judge(service.tls.front()->settings(), today), now, told);
  }
  told_ = std::move(told);
}

void TlsUpkeep::tell(std::string_view kind, const std::string& name, const Findings& findings,
                     TimePoint now, Told& told) {
  for (const tls::CertificateFinding& found : findings) {
    const auto key = std::make_tuple(kind, name, found.text);
    const auto before = told_.find(key);
    const bool lately = before != told_.end() && now - before->second < kTellEvery;
    told[key] = lately ? before->second : now;
    if (lately || judged_ == TimePoint{}) continue;
    events_.warning(found.code, {{kind, name}, {"finding", found.text}});
  }
}

}  // namespace doorward::app
