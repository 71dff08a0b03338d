#include "exchange/client_connection.h"

namespace doorward::exchange {
namespace {

observe::TimedOutIn timed_out_in(codec::Late late) {
  switch (late) {
    case codec::Late::no:
    case codec::Late::header:
      return observe::TimedOutIn::header;
    case codec::Late::body:
      return observe::TimedOutIn::body;
    case codec::Late::idle:
      return observe::TimedOutIn::idle;
    case codec::Late::send:
      return observe::TimedOutIn::send;
    case codec::Late::data_rate:
      return observe::TimedOutIn::data_rate;
  }
  return observe::TimedOutIn::idle;
}

}  // namespace

ClientConnection::ClientConnection(ListenerState& listener, int fd, const loop::Address& peer)
    : core_(listener.core),
      listener_(listener),
      peer_(peer),
      peer_ip_(peer.host()),
      socket_(core_.loop().adopt(fd)),
      codec_(core_.loop(), *socket_, *this, listener.settings),
      next_(listener.connections),
      link_(&listener.connections) {
  if (next_ != nullptr) next_->link_ = &next_;
  listener.connections = this;
}

ClientConnection::~ClientConnection() {
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
}

loop::Task<void> ClientConnection::serve() {
  if (core_.draining()) codec_.drain();
  co_await codec_.serve();
  count_bytes();
  if (codec_.late() != codec::Late::no) {
    listener_.series.add_value(observe::Metric::connections_timed_out,
                               static_cast<unsigned>(timed_out_in(codec_.late())));
  }
}

// With each request, so that a connection that stays open is not left out.
void ClientConnection::count_bytes() {
  const std::uint64_t received = socket_->received();
  const std::uint64_t sent = socket_->sent();
  listener_.series.add(observe::Metric::bytes_received,
                       received - std::exchange(counted_received_, received));
  listener_.series.add(observe::Metric::bytes_sent, sent - std::exchange(counted_sent_, sent));
}

void ClientConnection::cut() {
  codec_.abort();
  if (exchange_ != nullptr) exchange_->give_up();
}

codec::Incoming& ClientConnection::open(codec::ServerStream& stream) {
  exchange_ = core_.make_exchange(listener_, peer_, peer_ip_, stream);
  return exchange_->incoming;
}

loop::Task<void> ClientConnection::run(codec::Incoming&, codec::ServerStream&) {
  listener_.series.add(observe::Metric::requests);
  return run_steps(*exchange_, Step::accept_head);
}

loop::Task<void> ClientConnection::refuse(codec::Incoming&, codec::ServerStream&,
                                          codec::BadRequest why) {
  if (why.number != 0) listener_.series.add_value(observe::Metric::parser_refusals, why.number);
  exchange_->reply_with(why.status, why.code, why.detail);
  return run_steps(*exchange_, Step::reply);
}

void ClientConnection::close(codec::Incoming&) {
  count_bytes();
  core_.free_exchange(std::exchange(exchange_, nullptr));
  codec_.use_settings(listener_.settings);
}

}  // namespace doorward::exchange
