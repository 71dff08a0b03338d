// Exchange: one request and its response on their way. The steps (steps.h) work on it; policies
// see it as PolicyContext.
//
// Owner: its Core, which keeps the memory of finished ones for the next. Everything it made lies in
// its arena and goes with it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/arena.h"
#include "codec/request_sink.h"
#include "exchange/client_facts.h"
#include "exchange/expectation.h"
#include "exchange/grpc_call.h"
#include "exchange/listener.h"
#include "exchange/snapshot.h"
#include "exchange/steps.h"
#include "http/reply.h"
#include "observe/access_record.h"
#include "policy/policy.h"
#include "upstream/service.h"

namespace doorward::handler {
class WebSocketTunnel;
}

namespace doorward::exchange {

class Core;
class DebugAnswer;

// One try to one endpoint.
struct Attempt {
  upstream::EndpointRef endpoint;
  std::unique_ptr<upstream::Connection> connection;
  bool reused = false;
  bool has_room = false;  // reserved at the endpoint, for the connection to be opened
  bool alone = false;     // … which is for this exchange only

  observe::AttemptBytes bytes() const {
    if (connection == nullptr) return {};
    return {connection->bytes_sent(), connection->bytes_received()};
  }
};

// The client went away while the backend was asked.
inline Error client_left() {
  return {ErrorKind::closed, Side::client, Retry::no, 0, "client_closed", "the client left"};
}

// When the exchange passed which point, by the loop's clock; unset ones are zero.
struct Times {
  TimePoint begun;          // the head was complete
  TimePoint policies;       // request policies done
  TimePoint first_attempt;  // began; unset as long as it is the only one
  // Of the last attempt:
  TimePoint queued;      // it began to wait in the service's queue, if it had to
  TimePoint placed;      // … and its wait was over
  TimePoint asked;       // its endpoint was chosen, or the streamed body ended
  TimePoint opening;     // a connection began to be opened; unset: a kept one was used
  TimePoint connected;   // it had a connection, or could not open one
  TimePoint sent;        // the request's head
  TimePoint uploaded;    // what of the body did not go out with the head
  TimePoint first_byte;  // the response's head
  TimePoint replied;     // Doorward answers itself
  // Of the response:
  TimePoint answered;  // response policies done
  TimePoint streamed;  // the head went out, and bytes were still to come

  // When the last attempt began.
  TimePoint attempt() const {
    if (queued != TimePoint{}) return queued;
    return opening != TimePoint{} ? opening : connected;
  }
  // Another attempt begins.
  void repeat() {
    if (first_attempt == TimePoint{}) first_attempt = attempt();
    queued = placed = opening = connected = sent = uploaded = first_byte = {};
  }
};

class Exchange final : public policy::PolicyContext,
                       public loop::PeerWatch,
                       private loop::TimerTarget {
 public:
  Exchange(Core& core, ListenerState& listener, const ClientFacts& connection,
           CoreSnapshot& snapshot, codec::ServerStream& client);
  ~Exchange();
  // Whose Incoming it is.
  static Exchange& of(codec::Incoming& incoming) {
    return static_cast<OwnIncoming&>(incoming).exchange;
  }
  // The list of its connection's exchanges.
  void join(Exchange*& first);
  void leave();

  // PolicyContext
  http::RequestHead& request() override { return head_; }
  http::ResponseHead& response() override { return *response_head; }
  std::string_view host() const override { return host_; }
  std::string_view path() const override { return path_; }
  std::string_view query() const override { return query_; }
  void set_path(std::string_view path) override;
  void set_query(std::string_view query) override;
  const loop::Address& client() const override { return client_address; }
  std::string_view client_ip() const override;
  std::string_view scheme() const override { return scheme_; }
  const tls::HandshakeFacts* tls() const override { return connection.tls; }
  void check_websocket(const codec::websocket::Rules& rules) override { websocket_rules = &rules; }
  void end_websocket_at(TimePoint when, std::string_view reason) override;
  void end_websocket_with(std::string_view credential, std::string_view reason) override;
  void end_websocket_with_certificate() override;
  // As the client asked, whatever policies made of it.
  std::string_view asked_path() const { return rewritten_ ? asked_path_ : path_; }
  std::string_view asked_query() const { return rewritten_ ? asked_query_ : query_; }
  std::string_view route() const override;
  std::string_view request_id() const override;
  void set_request_id(std::string_view id) override { request_id_ = id; }
  Arena& arena() override { return arena_; }
  TimePoint now() const override;
  WallTime wall_now() const override;
  Random& random() override;
  bool response_has_body() const override { return response_size.may_have_bytes(); }
  void response_length_unknown() override { response_size = codec::BodySize::unknown(); }
  loop::Task<Result<policy::CallResponse>> call(std::string_view service,
                                                policy::CallRequest request,
                                                Deadline deadline) override;
  void on_shadow_reply(std::string_view policy, const http::Reply& reply) override;
  void on_skipped(std::string_view policy, const http::Reply& instead) override;
  std::string_view lookup(http::Variable variable, std::string_view name) override;

  // PeerWatch: the client went away while nothing was read from it.
  void on_peer_end(ErrorKind how) override;

  // Where the request goes on with its own answer.
  Step reply_with(policy::Outcome outcome) {
    reply_to_send = outcome.reply;
    return Step::reply;
  }
  Step reply_with(std::uint16_t answer, std::string_view code, std::string_view detail) {
    return reply_with(reply(answer, code, detail));
  }
  // The answer that fits an error (reply.cc has the table), or none when nobody could read it.
  Step reply_to(const Error& failure);

  // The stable code that an error stands for.
  std::string_view code_of(const Error& failure);
  // … and what is said of it to people.
  std::string words_for(const Error& failure, std::string_view code) const;

  // The bodies on their way (body.cc).
  loop::Task<policy::Outcome> check_request_piece(codec::Piece& piece);
  // `trailers` come with the last piece; what policies leave of them is response_trailers.
  loop::Task<Result<codec::Piece>> run_response_body(codec::Piece piece,
                                                     const http::HeaderList* trailers);
  loop::Task<void> stop_upload();
  // What goes out of it is kept as long as a backend may refuse the request unseen, up to a limit;
  // the next attempt begins with that.
  void keep_for_repeat(const codec::Piece& piece);
  bool kept_any() const { return kept_all_ || !kept_body_.empty(); }
  bool kept_all() const { return kept_all_; }  // up to its end
  // Theirs who send it again, until they put it back: the response may come meanwhile.
  std::string take_kept_body() { return std::exchange(kept_body_, {}); }
  void put_back(std::string kept) {
    if (!body_let_go_) kept_body_ = std::move(kept);
  }
  // There is no further attempt.
  void let_body_go();
  bool body_let_go() const { return body_let_go_; }
  void prepare_repeat();
  // The attempt failed by `why`; another one begins.
  void note_repeat(const Error& why);
  // The body's way to the backend has ended; from now on the response is due.
  void end_upload(Result<void> sent);
  bool chain_sees_response_body() const;
  codec::BodySize outgoing_size() const;

  // The target that the backend gets; views live in the arena.
  std::string_view backend_target();
  void begin_response();
  // What the listener says of all its responses; before policies see the head.
  void add_listener_fields() {
    if (listener.hsts != nullptr) [[unlikely]]
      add_hsts();
  }
  // When all of it must be done, and what of that is the client's own wish.
  Deadline total_deadline() const { return total_deadline_; }
  Deadline client_deadline() const { return client_deadline_; }
  // The connection goes: what has no end of its own is told so.
  void drain();
  // While it passes through: a drain, and the end of a credential, reach it.
  void begin_websocket(handler::WebSocketTunnel& tunnel);
  void end_websocket();
  // Ends its waits, since nobody waits for it any more.
  void give_up();
  // The attempt got its response: counts it, and lets go.
  void complete_attempt();
  // … or none: its connection, if it has one, is not used again.
  void fail_attempt();
  // … or it need not go on: the client's doing.
  void abandon_attempt();
  // Lets go of the attempt's connection: back to the pool when it may be used again.
  void end_attempt();

  Core& core;
  ListenerState& listener;
  CoreSnapshot& snapshot;
  codec::ServerStream& client_stream;
  const ClientFacts& connection;
  loop::Address client_address;  // behind trusted proxies
  bool peer_trusted = false;

  const Route* matched = nullptr;
  route::RouteMatch match;
  policy::ChainState chain_state;
  GrpcCall grpc;

  // The request's body.
  std::uint64_t body_received = 0;
  codec::BodySize request_size;
  Chunk first_piece;         // what of it was there with the head
  bool body_in_hand = true;  // all of it is in first_piece: it can be sent again
  bool upgrade = false;
  // What an attempt can be sent on.
  upstream::Want want() const {
    if (upgrade) [[unlikely]]
      return upstream::Want::alone;
    return body_in_hand ? upstream::Want::any : upstream::Want::fresh;
  }
  const codec::websocket::Rules* websocket_rules = nullptr;  // of the policy, when it is one
  handler::WebSocketTunnel* websocket = nullptr;             // while it passes through
  bool draining = false;                                     // the connection goes
  Expectation expectation;                                   // of a 100 before it
  loop::Gate uploads;  // the rest of it, streaming beside the response

  // The backend.
  std::shared_ptr<upstream::Service> service;
  Attempt attempt;
  upstream::Tried tried;
  upstream::Waiter* waiter = nullptr;  // for a connection
  std::uint32_t attempts = 0;
  bool head_prepared = false;
  bool client_gone = false;
  bool client_watched = false;
  bool upload_failed = false;            // by the client's doing, or a policy's
  bool upload_stopping = false;          // nobody wants the rest
  std::optional<Error> backend_refusal;  // why the backend takes no more of the body
  loop::Timer overdue{*this};            // the response, once the body has gone out
  bool response_overdue = false;
  bool tunnelled = false;  // how long it lasted is no time of a response

  // The response.
  http::ResponseHead* response_head = nullptr;
  codec::BodySize response_size;
  const http::HeaderList* response_trailers = nullptr;  // that body policies left
  http::Reply* reply_to_send = nullptr;
  std::uint16_t status = 0;        // sent to the client
  std::string_view error_code;     // the reply's code, or what went wrong after the head
  std::string_view backend_fault;  // what is malformed in its response: a codec's code
  std::string_view deciding_policy;

  Times times;
  DebugAnswer* debug = nullptr;  // when the client asked for one

 private:
  friend class ClientConnection;
  friend loop::Task<Step> steps::accept_head(Exchange&);
  struct OwnIncoming : codec::Incoming {
    Exchange& exchange;
  };
  loop::Task<void> wait_for_upload();
  void keep_asked_target();
  void add_hsts();
  class RevocableUse;
  // When what let a WebSocket in is over; the words are static.
  struct WebSocketEnd {
    TimePoint when = TimePoint::max();
    std::string_view code;
    std::string_view reason;
  };
  void bring_forward(const WebSocketEnd& end);
  void watch_credential();
  void on_timer(loop::Timer&) override;
  void*& state_slot() override { return chain_state.slots[chain_state.current]; }

  alignas(16) std::byte first_block_[6 * 1024];
  Arena arena_{first_block_, sizeof first_block_};
  http::RequestHead head_{arena_};

 public:
  OwnIncoming incoming{{arena_, head_}, *this};
  Exchange* next = nullptr;  // of the same connection

 private:
  std::string_view host_;
  std::string_view authority_;  // as the client sent it
  std::string_view path_;
  std::string_view query_;
  std::string_view asked_path_;  // before a policy rewrote them
  std::string_view asked_query_;
  bool rewritten_ = false;
  bool has_query_ = false;
  bool target_changed_ = false;
  mutable std::string_view request_id_;
  std::string_view scheme_;
  mutable std::string_view client_ip_;
  Exchange** link_ = nullptr;
  std::string kept_body_;  // behind first_piece
  bool kept_all_ = false;
  bool body_let_go_ = false;
  bool ends_with_certificate_ = false;
  Deadline total_deadline_ = Deadline::never();
  Deadline client_deadline_ = Deadline::never();
  WebSocketEnd websocket_end_;
  loop::Timer credential_{*this};
  loop::Timer half_closed_{*this};  // looks whether a client that sent FIN is still there

 public:
  std::string_view authority() const { return authority_; }
  void end_by(Deadline deadline) { total_deadline_ = deadline.earlier(total_deadline_); }
  void set_client_deadline(Deadline deadline) {
    client_deadline_ = deadline.earlier(client_deadline_);
    end_by(deadline);
  }
};

}  // namespace doorward::exchange
