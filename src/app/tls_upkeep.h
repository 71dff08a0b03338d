// What TLS needs while the process runs: the keys of session tickets change, OCSP responses are
// fetched, and it is told when a certificate nears its end. Owner: the Gateway; on the control
// thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "app/ocsp_refresh.h"
#include "exchange/snapshot.h"
#include "observe/event_log.h"
#include "observe/metrics.h"

namespace doorward::app {

class TlsUpkeep {
 public:
  TlsUpkeep(observe::EventLog& events, observe::MetricsShard& metrics)
      : events_(events), metrics_(metrics), ocsp_(events) {}

  // To be called about once a second.
  void tick(loop::Loop& loop, const exchange::Snapshot& snapshot);
  // Ends what is under way; then no further tick.
  loop::Task<void> stop() { return ocsp_.stop(); }

 private:
  void rotate_tickets(const exchange::Snapshot& snapshot, TimePoint now);
  void judge_certificates(const exchange::Snapshot& snapshot);

  void tell_expiry(const exchange::Snapshot& snapshot);

  observe::EventLog& events_;
  observe::MetricsShard& metrics_;
  OcspRefresh ocsp_;
  std::map<std::string, TimePoint> rotated_;  // when, by the listener's key()
  TimePoint judged_{};
  std::set<observe::Slot> told_expiry_;  // listeners whose gauge is set
};

}  // namespace doorward::app
