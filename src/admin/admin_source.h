// AdminSource: what the admin listener asks of the process that it belongs to. Called on the
// thread of the AdminServer's loop. Owner: the app; outlives the AdminServer.
#pragma once

#include <string>

namespace doorward::admin {

class AdminSource {
 public:
  // Takes traffic: false until everything listens, and again while draining.
  virtual bool ready() const = 0;
  // Prometheus' text format 0.0.4.
  virtual std::string metrics_text() = 0;
  // The running configuration as it was loaded (YAML, or JSON, which is YAML too).
  virtual std::string config_text() = 0;

 protected:
  ~AdminSource() = default;
};

}  // namespace doorward::admin
