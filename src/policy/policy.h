// The contract of a policy, and what it may ask for. A policy is a folder below this one, a class
// with at most five functions, a schema and one line in registry.cc; docs/guide/writing-a-policy.md
// shows one whole.
//
// Lifetime: a Policy is part of a Snapshot: made when configuration is compiled, immutable, called
// by all cores at once (so every function is const). What it keeps for one exchange it asks of
// PolicyContext::state(); nothing else outlives a call.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/chunk.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "codec/websocket/rules.h"
#include "http/head.h"
#include "http/reply.h"
#include "http/template.h"
#include "loop/address.h"
#include "loop/task.h"
#include "tls/facts.h"

namespace doorward::policy {

// How a policy's function ends: let the exchange go on, or answer it (the Reply lives in the
// exchange's arena; PolicyContext::reply makes one).
struct Outcome {
  http::Reply* reply = nullptr;
  static Outcome pass() { return {}; }
};

// An Outcome at once, or, only from functions that must wait, a coroutine that ends in one.
using Verdict = loop::Task<Outcome>;

// What a policy must see of a body; declared, never found out on the way.
enum class BodyNeed : std::uint8_t {
  none,    // bodies stream past it
  stream,  // every piece as it flows
};

// One piece of a body on its way. A policy may replace `chunk` (with arena or heap memory; it may
// become empty, and grow); `last` comes exactly once.
struct BodyPiece {
  Chunk chunk;
  bool last = false;
  bool more_ready = false;  // further bytes are there already: nothing need be flushed for them
  // Of a response, with its last piece; null: none. A policy may take them away.
  const http::HeaderList* trailers = nullptr;
};

// A request a policy makes to a service of the configuration (PolicyContext::call).
struct CallRequest {
  std::string_view method = "GET";
  std::string_view target;  // path and query
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;
  std::size_t response_body_max = 64 * 1024;
};

// Its answer; views live in the exchange's arena.
struct CallResponse {
  http::ResponseHead* head = nullptr;
  std::string_view body;
};

// One exchange as policies see it. Owner: the exchange; implemented in exchange/.
class PolicyContext : public http::TemplateSource {
 public:
  // The heads may be changed; new bytes belong into arena(). response() only in response functions.
  virtual http::RequestHead& request() = 0;
  virtual http::ResponseHead& response() = 0;

  // The request as it was matched: host in lower case without port; path normalised, query
  // without '?'. set_path changes what the backend gets.
  virtual std::string_view host() const = 0;
  virtual std::string_view path() const = 0;
  virtual std::string_view query() const = 0;
  virtual void set_path(std::string_view path) = 0;
  virtual void set_query(std::string_view query) = 0;

  // The client, after trusted proxies' headers were taken into account.
  virtual const loop::Address& client() const = 0;
  virtual std::string_view client_ip() const = 0;
  // "http" or "https", as the client asked: behind trusted proxies what they say.
  virtual std::string_view scheme() const = 0;
  // Of the client's connection; null in cleartext.
  virtual const tls::HandshakeFacts* tls() const = 0;
  virtual std::string_view route() const = 0;
  virtual std::string_view request_id() const = 0;
  virtual void set_request_id(std::string_view id) = 0;

  virtual Arena& arena() = 0;
  virtual TimePoint now() const = 0;
  virtual WallTime wall_now() const = 0;
  virtual Random& random() = 0;

  // The length of the response's body when known (after its head came).
  virtual bool response_has_body() const = 0;
  // The body's length is no longer what the head says: it is sent chunked (or to the close).
  virtual void response_length_unknown() = 0;

  // Asks a service (by its name in the configuration) and waits for the whole answer.
  virtual loop::Task<Result<CallResponse>> call(std::string_view service, CallRequest request,
                                                Deadline deadline) = 0;

  // When the request becomes a WebSocket, its frames are held to these rules, which live as long
  // as the policy. The last call counts.
  virtual void check_websocket(const codec::websocket::Rules& rules) = 0;

  // What let the request in does not last: when it becomes a WebSocket, it ends with that (close
  // code 1008). `reason` tells both sides why: static ASCII text of at most 123 bytes. All calls
  // hold, whatever ends first; to other requests they mean nothing, and cost nothing.
  //  - At a time that is known, at once when it has passed:
  virtual void end_websocket_at(TimePoint when, std::string_view reason) = 0;
  //  - When this credential is revoked (exchange/live_credentials.h). Its name is what the policy
  //    and who revokes agree on, with the kind before it ("api_key 17"); it is copied. To be called
  //    in the turn in which the credential was found good: no revocation falls between.
  virtual void end_websocket_with(std::string_view credential, std::string_view reason) = 0;
  //  - When the certificate of the client's connection expires or is revoked; needs tls().
  virtual void end_websocket_with_certificate() = 0;

  // A policy in shadow mode would have answered so; reported, never sent.
  virtual void on_shadow_reply(std::string_view policy, const http::Reply& reply) = 0;

  // A policy let pass what it could not decide, in place of `instead`: failing open must be seen.
  virtual void on_skipped(std::string_view policy, const http::Reply& instead) = 0;

  // A refusal as problem+json with a stable code; `detail` is copied.
  Outcome reply(std::uint16_t status, std::string_view code, std::string_view detail) {
    auto* made = arena().make<http::Reply>();
    made->status = status;
    made->code = code;
    made->detail = arena().copy(detail);
    return {made};
  }

  // What the policy that runs now keeps for this exchange: made by the first call, destroyed with
  // the exchange.
  template <class T>
  T& state() {
    void*& slot = state_slot();
    if (slot == nullptr) slot = arena().make<T>();
    return *static_cast<T*>(slot);
  }

 protected:
  ~PolicyContext() = default;
  virtual void*& state_slot() = 0;
};

class Policy {
 public:
  virtual ~Policy() = default;

  virtual BodyNeed request_body_need() const { return BodyNeed::none; }
  virtual BodyNeed response_body_need() const { return BodyNeed::none; }

  virtual Verdict on_request(PolicyContext&) const { return Outcome::pass(); }
  virtual Verdict on_request_body(PolicyContext&, BodyPiece&) const { return Outcome::pass(); }
  virtual Verdict on_response(PolicyContext&) const { return Outcome::pass(); }
  virtual Verdict on_response_body(PolicyContext&, BodyPiece&) const { return Outcome::pass(); }
  virtual void on_log(PolicyContext&) const {}
};

}  // namespace doorward::policy
