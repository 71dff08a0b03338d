#include "admin/admin_connection.h"

#include <fmt/format.h>

#include "admin/admin_server.h"
#include "http/status.h"

namespace doorward::admin {

using http::HeaderName;

AdminConnection::AdminConnection(AdminServer& server, int fd)
    : server_(server),
      socket_(server.loop_.adopt(fd)),
      codec_(server.loop_, *socket_, *this, server.settings_),
      next_(server.connections_),
      link_(&server.connections_) {
  if (next_ != nullptr) next_->link_ = &next_;
  server.connections_ = this;
}

AdminConnection::~AdminConnection() {
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
}

codec::Incoming& AdminConnection::open(codec::ServerStream&) {
  return exchange_.emplace().incoming;
}

void AdminConnection::close(codec::Incoming&) { exchange_.reset(); }

loop::Task<void> AdminConnection::run(codec::Incoming& incoming, codec::ServerStream& stream) {
  const bool has_body = stream.received_size().may_have_bytes();
  if (has_body) stream.close_after();  // it is not read
  return send(server_.endpoints_.answer(read(incoming.head, has_body)), stream);
}

loop::Task<void> AdminConnection::refuse(codec::Incoming&, codec::ServerStream& stream,
                                         codec::BadRequest why) {
  return send(problem(why.status, why.code, why.detail, server_.new_id()), stream);
}

AdminRequest AdminConnection::read(const http::RequestHead& head, bool has_body) {
  AdminRequest request;
  request.id = exchange_->arena.copy(server_.new_id());
  request.method = head.method_text;
  request.target = codec_.parser().path_and_query();
  request.host = codec_.parser().host();
  if (head.headers.count(HeaderName::authorization) == 1) {
    request.authorization = head.headers.value(HeaderName::authorization);
  }
  request.has_body = has_body;
  return request;
}

loop::Task<void> AdminConnection::send(AdminReply reply, codec::ServerStream& stream) {
  exchange_->reply = std::move(reply);
  const AdminReply& kept = exchange_->reply;
  http::ResponseHead& head = exchange_->response;
  head.status = kept.status;
  head.reason = http::reason_phrase(kept.status);
  head.headers.add(HeaderName::content_type, kept.content_type);
  head.headers.add(HeaderName::date, exchange_->arena.copy(server_.date()));
  head.headers.add(HeaderName::cache_control, "no-store");
  head.headers.add(HeaderName::x_content_type_options, "nosniff");
  if (kept.tells_methods) head.headers.add(HeaderName::allow, kAllowedMethods);
  if (kept.asks_for_token) head.headers.add(HeaderName::www_authenticate, kChallenge);
  if (exchange_->head.method == http::Method::head) {
    head.headers.add(HeaderName::content_length,
                     exchange_->arena.copy(fmt::format("{}", kept.body.size())));
  }
  // A client that left needs no answer: the codec ends the connection.
  [[maybe_unused]] const Result<void> sent = co_await stream.send_response(
      head, codec::BodySize::known(kept.body.size()), kept.body, true);
}

}  // namespace doorward::admin
