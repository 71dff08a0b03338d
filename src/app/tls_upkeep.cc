#include "app/tls_upkeep.h"

#include <algorithm>

#include "tls/certificate_checks.h"

namespace doorward::app {
namespace {

constexpr std::chrono::hours kJudgeEvery{24};

}  // namespace

void TlsUpkeep::tick(loop::Loop& loop, const exchange::Snapshot& snapshot) {
  const TimePoint now = loop.now();
  rotate_tickets(snapshot, now);
  ocsp_.tick(loop, snapshot);
  tell_expiry(snapshot);
  // What is to be said at the start, and after a reload, the configuration's findings say.
  if (judged_ == TimePoint{}) judged_ = now;
  if (now - judged_ < kJudgeEvery) return;
  judged_ = now;
  judge_certificates(snapshot);
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

void TlsUpkeep::tell_expiry(const exchange::Snapshot& snapshot) {
  std::set<observe::Slot> told;
  for (const exchange::ListenerEntry& listener : snapshot.listeners) {
    if (listener.tls.empty()) continue;
    WallTime first = WallTime::max();
    for (const auto& served : listener.tls.front()->settings().certificates->all()) {
      first = std::min(first, served.certificate->facts().not_after);
    }
    if (first <= WallTime{} || first == WallTime::max()) continue;
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(first.time_since_epoch());
    metrics_.listener(listener.slot)
        .set(observe::Metric::tls_certificate_expiry, static_cast<std::uint64_t>(since.count()));
    told.insert(listener.slot);
  }
  for (const observe::Slot slot : told_expiry_) {
    if (told.contains(slot)) continue;
    metrics_.listener(slot).set(observe::Metric::tls_certificate_expiry, 0);
  }
  told_expiry_ = std::move(told);
}

void TlsUpkeep::judge_certificates(const exchange::Snapshot& snapshot) {
  const WallTime now = std::chrono::system_clock::now();
  for (const exchange::ListenerEntry& listener : snapshot.listeners) {
    if (listener.tls.empty()) continue;
    for (const auto& served : listener.tls.front()->settings().certificates->all()) {
      for (const tls::CertificateFinding& found :
           tls::check_certificate(*served.certificate, now)) {
        events_.warning(found.code, {{"listener", listener.config->name}, {"finding", found.text}});
      }
    }
  }
}

}  // namespace doorward::app
