// AdminConnection: a connection to the admin listener and the sink of its requests.
// Owner: the coroutine that serves it, spawned into the AdminServer's gate.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "admin/endpoints.h"
#include "base/arena.h"
#include "codec/h1/server_connection.h"
#include "codec/request_sink.h"
#include "loop/socket.h"

namespace doorward::admin {

class AdminServer;

// The memory of one request and its answer.
struct AdminExchange {
  alignas(16) std::byte first_block[2048];
  Arena arena{first_block, sizeof first_block};
  http::RequestHead head{arena};
  codec::Incoming incoming{arena, head};
  AdminReply reply;
  http::ResponseHead response{arena};
};

class AdminConnection final : public codec::RequestSink {
 public:
  AdminConnection(AdminServer& server, int fd);
  ~AdminConnection();
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;

  loop::Task<void> serve() { return codec_.serve(); }
  void drain() { codec_.drain(); }
  void cut() { codec_.abort(); }
  AdminConnection* next() const { return next_; }

  // RequestSink
  codec::Incoming& open(codec::ServerStream& stream) override;
  loop::Task<void> run(codec::Incoming& incoming, codec::ServerStream& stream) override;
  loop::Task<void> refuse(codec::Incoming& incoming, codec::ServerStream& stream,
                          codec::BadRequest why) override;
  void close(codec::Incoming& incoming) override;

 private:
  loop::Task<void> send(AdminReply reply, codec::ServerStream& stream);
  AdminRequest read(const http::RequestHead& head, bool has_body);

  AdminServer& server_;
  std::unique_ptr<loop::Socket> socket_;
  codec::h1::ServerConnection codec_;
  std::optional<AdminExchange> exchange_;
  AdminConnection* next_ = nullptr;
  AdminConnection** link_ = nullptr;
};

}  // namespace doorward::admin
