// AdminServer: the admin listener, on the control thread's own loop. Serves HTTP/1.1 through the
// same codec as clients' listeners; what it answers is in endpoints.h.
// Owner: the app. stop() must have ended before it goes.
#pragma once

#include <memory>
#include <string>

#include "admin/admin_source.h"
#include "admin/endpoints.h"
#include "codec/h1/server_connection.h"
#include "http/date.h"
#include "loop/acceptor.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/timer.h"

namespace doorward::admin {

class AdminConnection;

class AdminServer final : private loop::TimerTarget {
 public:
  // `token`: what clients must show; empty: a random one is made. `loop` and `source` outlive it.
  AdminServer(loop::Loop& loop, AdminSource& source, std::string token);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // `listening_fd` stays the caller's. Once.
  void start(int listening_fd);
  // Accepts no more, ends the connections (responses on their way get a second) and waits.
  loop::Task<void> stop();
  // The random token, to be printed once; empty when the configuration gave one.
  const std::string& shown_token() const { return shown_token_; }

 private:
  friend class AdminConnection;
  static constexpr unsigned kConnectionsMax = 64;

  loop::Task<void> serve(int fd);
  void refuse(int fd) const;
  void on_timer(loop::Timer& timer) override;  // stop()'s patience is over
  std::string_view date();
  std::string new_id() const;

  loop::Loop& loop_;
  const std::string shown_token_;
  Endpoints endpoints_;
  std::shared_ptr<const codec::h1::ServerSettings> settings_;
  std::unique_ptr<loop::Acceptor> acceptor_;
  AdminConnection* connections_ = nullptr;  // an intrusive list
  loop::Gate gate_;
  loop::Timer cut_{*this};
  http::DateCache date_;
};

}  // namespace doorward::admin
