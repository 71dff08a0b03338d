#include "exchange/client_connection.h"

#include "exchange/debug_answer.h"
#include "exchange/grpc.h"

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
      next_(listener.connections),
      link_(&listener.connections) {
  std::unique_ptr<loop::Socket> socket = core_.loop().adopt(fd);
  facts_.peer = peer;
  facts_.peer_ip = peer.host();
  facts_.socket = socket.get();
  bytes_ = std::move(socket);
  if (next_ != nullptr) next_->link_ = &next_;
  listener.connections = this;
}

ClientConnection::~ClientConnection() {
  core_.loop().timers().disarm(age_);
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
}

loop::Task<void> ClientConnection::serve() {
  draining_ = core_.draining();
  limit_age();
  if (co_await find_protocol()) {
    const auto protocol =
        speaks_http2_ ? observe::ConnectionProtocol::http2 : observe::ConnectionProtocol::http1;
    listener_.series.add_value(observe::Metric::connections_by_protocol,
                               static_cast<unsigned>(protocol));
    co_await (speaks_http2_ ? serve_http2() : serve_http1());
  }
  count_bytes();
}

// Up to a tenth earlier, each at a time of its own: clients that came together do not leave, and
// come again, all at once.
void ClientConnection::limit_age() {
  const Duration limit = listener_.config->max_connection_age;
  if (limit == Duration(0)) return;
  const auto spread = static_cast<std::uint64_t>(limit.count() / 10);
  const Duration age = limit - Duration(core_.loop().random().below(spread));
  core_.loop().timers().arm(age_, Deadline::after(core_.loop().now(), age));
}

loop::Task<void> ClientConnection::serve_http1() {
  http1_.emplace(core_.loop(), *bytes_, *this, listener_.http1);
  if (draining_) http1_->drain();
  co_await http1_->serve(std::move(received_));
  count_end(http1_->late());
}

loop::Task<void> ClientConnection::serve_http2() {
  http2_ =
      std::make_unique<codec::h2::ServerConnection>(core_.loop(), *bytes_, *this, listener_.http2);
  if (draining_) http2_->drain();
  co_await http2_->serve(std::move(received_));
  count_end(http2_->late());
  if (const std::string_view why = http2_->end_reason(); !why.empty()) on_http2_broken(why);
}

void ClientConnection::count_end(codec::Late late) {
  if (late == codec::Late::no) return;
  listener_.series.add_value(observe::Metric::connections_timed_out,
                             static_cast<unsigned>(timed_out_in(late)));
}

void ClientConnection::on_http2_broken(std::string_view why) {
  listener_.series.add_value(observe::Metric::http2_connections_broken,
                             codec::h2::number_of_end_reason(why));
  if (why == "reset") return;  // clients leave
  core_.events().info("http2_connection_broken", {{"listener", listener_.config->name},
                                                  {"client", facts_.peer_ip},
                                                  {"reason", why},
                                                  {"detail", http2_->end_detail()}});
}

// With each request, so that a connection that stays open is not left out.
void ClientConnection::count_bytes() {
  const std::uint64_t received = bytes_->received();
  const std::uint64_t sent = bytes_->sent();
  listener_.series.add(observe::Metric::bytes_received,
                       received - std::exchange(counted_received_, received));
  listener_.series.add(observe::Metric::bytes_sent, sent - std::exchange(counted_sent_, sent));
}

void ClientConnection::drain() {
  draining_ = true;
  for (Exchange* x = exchanges_; x != nullptr; x = x->next) x->drain();
  if (http1_) return http1_->drain();
  if (http2_ != nullptr) return http2_->drain();
  if (waiting_) bytes_->cancel_recv();
}

void ClientConnection::cut() {
  if (http1_) {
    http1_->abort();
  } else if (http2_ != nullptr) {
    http2_->cut();
  } else {
    bytes_->abort();
  }
  for (Exchange* x = exchanges_; x != nullptr; x = x->next) x->give_up();
}

void ClientConnection::on_timer(loop::Timer&) { drain(); }

codec::Incoming& ClientConnection::open(codec::ServerStream& stream) {
  Exchange* x = core_.make_exchange(listener_, facts_, stream);
  x->join(exchanges_);
  if (draining_) x->drain();
  if (http2_ != nullptr) {
    ++listener_.http2_streams;
    listener_.series.raise(observe::Metric::http2_streams_open);
  }
  return x->incoming;
}

loop::Task<void> ClientConnection::run(codec::Incoming& incoming, codec::ServerStream&) {
  listener_.series.add_value(observe::Metric::requests,
                             static_cast<unsigned>(incoming.head.version));
  Exchange& x = Exchange::of(incoming);
  if (x.request().headers.has(http::HeaderName::doorward_debug)) [[unlikely]]
    return run_debugged(x);
  return run_steps(x, Step::accept_head);
}

loop::Task<void> ClientConnection::refuse(codec::Incoming& incoming, codec::ServerStream&,
                                          codec::BadRequest why) {
  if (why.number != 0) listener_.series.add_value(observe::Metric::parser_refusals, why.number);
  Exchange& x = Exchange::of(incoming);
  x.times.begun = core_.loop().now();
  note_grpc(x);
  x.reply_with(why.status, why.code, why.detail);
  return run_steps(x, Step::reply);
}

void ClientConnection::on_stream_reset(Side by, std::uint32_t code) {
  if (by == Side::client) {
    listener_.series.add_value(observe::Metric::http2_resets_by_client, code);
  } else {
    listener_.series.add_value(observe::Metric::http2_resets_by_doorward, code);
  }
}

void ClientConnection::close(codec::Incoming& incoming) {
  count_bytes();
  Exchange& x = Exchange::of(incoming);
  x.leave();
  core_.free_exchange(&x);
  if (http1_) {
    http1_->use_settings(listener_.http1);
  } else {
    --listener_.http2_streams;
    listener_.series.lower(observe::Metric::http2_streams_open);
    http2_->use_settings(listener_.http2);
  }
}

}  // namespace doorward::exchange
