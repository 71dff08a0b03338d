// What TLS needs while the process runs: the keys of session tickets change, OCSP responses are
// fetched, and it is told when a certificate or a revocation list nears its end. Owner: the
// Gateway; on the control thread.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "app/ocsp_refresh.h"
#include "exchange/snapshot.h"
#include "observe/event_log.h"
#include "observe/metrics.h"
#include "tls/certificate_checks.h"

namespace doorward::app {

class TlsUpkeep {
 public:
  TlsUpkeep(observe::EventLog& events, observe::MetricsShard& metrics)
      : events_(events), metrics_(metrics), ocsp_(events) {}

  // To be called about once a second.
  void tick(loop::Loop& loop, const exchange::Snapshot& snapshot);
  // What of it has to do with time; `today` is what dates are compared with.
  void look(const exchange::Snapshot& snapshot, TimePoint now, WallTime today);
  // Ends what is under way; then no further tick.
  loop::Task<void> stop() { return ocsp_.stop(); }

 private:
  using Findings = std::vector<tls::CertificateFinding>;
  // When a finding was told last, by whose it is and its text.
  using Told = std::map<std::tuple<std::string_view, std::string, std::string>, TimePoint>;
  using Expiry = std::map<std::pair<observe::Metric, observe::Slot>, WallTime>;

  void rotate_tickets(const exchange::Snapshot& snapshot, TimePoint now);
  void judge_all(const exchange::Snapshot& snapshot, TimePoint now, WallTime today);
  void tell(std::string_view kind, const std::string& name, const Findings& findings, TimePoint now,
            Told& told);
  void show_expiry(const exchange::Snapshot& snapshot);
  void set_gauge(observe::Metric metric, observe::Slot slot, WallTime time);

  observe::EventLog& events_;
  observe::MetricsShard& metrics_;
  OcspRefresh ocsp_;
  std::map<std::string, TimePoint> rotated_;  // when, by the listener's key()
  TimePoint judged_{};
  Told told_;
  Expiry shown_;  // the gauges that are set
};

}  // namespace doorward::app
