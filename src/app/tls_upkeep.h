// What TLS needs while the process runs: the keys of session tickets change, OCSP responses are
// fetched, and it is told when a certificate nears its end. Owner: the Gateway; on the control
// thread.
#pragma once

#include <map>
#include <string>

#include "app/ocsp_refresh.h"
#include "exchange/snapshot.h"
#include "observe/event_log.h"

namespace doorward::app {

class TlsUpkeep {
 public:
  explicit TlsUpkeep(observe::EventLog& events) : events_(events), ocsp_(events) {}

  // To be called about once a second.
  void tick(loop::Loop& loop, const exchange::Snapshot& snapshot);
  // Ends what is under way; then no further tick.
  loop::Task<void> stop() { return ocsp_.stop(); }

 private:
  void rotate_tickets(const exchange::Snapshot& snapshot, TimePoint now);
  void judge_certificates(const exchange::Snapshot& snapshot);

  observe::EventLog& events_;
  OcspRefresh ocsp_;
  std::map<std::string, TimePoint> rotated_;  // when, by the listener's key()
  TimePoint judged_{};
};

}  // namespace doorward::app
