// Discovery: keeps the addresses of one configured endpoint current. Literal addresses and unix
// sockets are known at once and for ever; a name is resolved when its service begins, and again
// whenever the TTL of its answer is over, used or not. When that fails, the last addresses stay.
// Owner: a Service. One thread only.
#pragma once

#include <string>
#include <vector>

#include "loop/resolver.h"
#include "loop/task.h"
#include "loop/timer.h"
#include "observe/event_log.h"
#include "upstream/service_config.h"

namespace doorward::upstream {

class Discovery final : loop::TimerTarget {
 public:
  // Who uses the addresses.
  class Sink {
   public:
    // The addresses are now these (never none, each once); also told when they are as before.
    virtual void on_addresses(const Discovery& from, const std::vector<loop::Address>& now) = 0;
    // There is no first answer. Not told when addresses are known.
    virtual void on_unresolved(const Discovery& from, const Error& why) = 0;

   protected:
    ~Sink() = default;
  };

  struct Tools {
    loop::Loop& loop;
    loop::Resolver& resolver;
    observe::EventLog& events;
  };

  // `endpoint` and `service` (its name, for events) outlive it.
  Discovery(const Tools& tools, const EndpointConfig& endpoint, const std::string& service,
            Sink& sink);

  // Begins; the sink may be told at once.
  void start() { gate_.spawn(resolve()); }
  // Tells the sink nothing more, and waits for a query under way.
  loop::Task<void> close();

  const EndpointConfig& endpoint() const { return endpoint_; }
  // Nothing is known yet: the first query is under way.
  bool pending() const { return !answered_; }

 private:
  loop::Task<void> resolve();
  loop::Task<Result<loop::Resolved>> look_up();
  void accept(loop::Resolved resolved);
  void keep_old(const Error& why);
  void on_timer(loop::Timer&) override;

  const Tools tools_;
  const EndpointConfig& endpoint_;
  const std::string& service_;
  Sink& sink_;
  std::size_t known_ = 0;  // addresses of the last good answer
  Duration retry_in_{};
  bool answered_ = false;  // well or not
  bool failing_ = false;
  bool closed_ = false;
  loop::Timer again_{*this};
  loop::Gate gate_;
};

}  // namespace doorward::upstream
