// Asks the responders of certificates for OCSP responses (RFC 6960 appendix A), well before those
// that are stapled run out. Owner: the Gateway; on the control thread's loop. Whatever fails is
// told and tried again later: nothing waits for it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/h1/client_connection.h"
#include "exchange/snapshot.h"
#include "loop/loop.h"
#include "loop/resolver.h"
#include "loop/task.h"
#include "observe/event_log.h"

namespace doorward::app {

class OcspRefresh {
 public:
  explicit OcspRefresh(observe::EventLog& events) : events_(events) {}

  // To be called about once a second.
  void tick(loop::Loop& loop, const exchange::Snapshot& snapshot);
  // Ends what is under way; then no further tick.
  loop::Task<void> stop();

 private:
  using SlotPtr = std::shared_ptr<tls::OcspSlot>;
  struct Job {
    TimePoint due{};
    Duration retry{};  // after the next failure
    bool busy = false;
  };

  loop::Task<void> refresh(loop::Loop& loop, SlotPtr slot, tls::CertificatePtr certificate);
  loop::Task<Result<std::string>> ask(loop::Loop& loop, tls::OcspQuestion question);
  loop::Task<Result<std::unique_ptr<loop::Socket>>> connect(loop::Loop& loop, std::string host,
                                                            std::uint16_t port, Deadline deadline);
  loop::Task<Result<std::string>> post(codec::h1::ClientConnection& connection,
                                       const http::RequestHead& head, std::string_view question,
                                       Arena& arena, Deadline deadline);
  Result<WallTime> take(loop::Loop& loop, tls::OcspSlot& slot, const tls::Certificate& certificate,
                        Result<std::string> answer);
  void settle(loop::Loop& loop, Job& job, const tls::Certificate& certificate,
              const Result<WallTime>& until);

  observe::EventLog& events_;
  loop::Gate gate_;
  std::optional<loop::Resolver> resolver_;  // from the first question on
  codec::h1::ClientSettings settings_;
  std::map<SlotPtr, Job> jobs_;
  std::vector<codec::h1::ClientConnection*> open_;
  bool stopped_ = false;
};

}  // namespace doorward::app
