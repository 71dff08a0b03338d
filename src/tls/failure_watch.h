// FailureWatch: told once when a Stream's peer breaks TLS after the handshake: a fatal alert, a
// record that does not decrypt, a flood. Not of connections that merely end, in order or not.
// Called from inside of the Stream: counts and logs, and touches no connection.
#pragma once

#include "base/error.h"

namespace doorward::tls {

class FailureWatch {
 public:
  virtual void on_tls_failed(const Error& error) = 0;

 protected:
  ~FailureWatch() = default;
};

}  // namespace doorward::tls
