// OfflineExchange: a request that is only thought through (doorward explain). Policies run on it as
// on a real one, but no service is asked: a policy that wants to is noted, and taken as passed.
// Owner: the command. Views live in the arena, or in what the caller gave.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/h1/refusal.h"
#include "http/uri.h"
#include "policy/chain.h"
#include "route/request.h"

namespace doorward::app {

class OfflineExchange final : public policy::PolicyContext {
 public:
  OfflineExchange(Arena& arena, const loop::Address& client)
      : arena_(arena), client_(client), client_ip_(arena.copy(client.host())) {}

  // From "GET http://api.example.com/orders/7" and "name: value" lines. False: error() says why.
  bool read_request(std::string_view text);
  bool read_header(std::string_view line);
  bool read_host();  // when all headers are known
  // The client came over TLS. A certificate is known by any of its three values.
  bool read_tls(std::string_view sni, std::string_view subject,
                const std::vector<std::string>& names, std::string_view fingerprint);
  const std::string& error() const { return error_; }

  route::RouteRequest question() const;
  void take_route(std::string_view name, const route::RouteMatch& match);

  // What one policy does with the request.
  struct Told {
    const http::Reply* reply = nullptr;   // it answers so
    const http::Reply* shadow = nullptr;  // it would, but is in shadow mode
    std::string_view asks;                // the service that it would ask
  };
  Told run(const policy::ChainStep& step);
  // The target that a backend would get now.
  std::string_view target() const;

  // PolicyContext
  http::RequestHead& request() override { return head_; }
  http::ResponseHead& response() override { return response_; }
  std::string_view host() const override { return host_; }
  std::string_view path() const override { return path_; }
  std::string_view query() const override { return query_; }
  void set_path(std::string_view path) override { path_ = path; }
  void set_query(std::string_view query) override { query_ = query; }
  const loop::Address& client() const override { return client_; }
  std::string_view client_ip() const override { return client_ip_; }
  std::string_view scheme() const override { return scheme_; }
  const tls::HandshakeFacts* tls() const override { return tls_ ? &*tls_ : nullptr; }
  void check_websocket(const codec::websocket::Rules&) override {}
  void end_websocket_at(TimePoint, std::string_view) override {}
  void end_websocket_with(std::string_view, std::string_view) override {}
  void end_websocket_with_certificate() override {}
  std::string_view route() const override { return route_; }
  std::string_view request_id() const override { return request_id_; }
  void set_request_id(std::string_view id) override { request_id_ = id; }
  Arena& arena() override { return arena_; }
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const override { return std::chrono::system_clock::now(); }
  Random& random() override { return random_; }
  bool response_has_body() const override { return false; }
  void response_length_unknown() override {}
  loop::Task<Result<policy::CallResponse>> call(std::string_view service, policy::CallRequest,
                                                Deadline) override;
  void on_shadow_reply(std::string_view, const http::Reply& reply) override {
    told_.shadow = &reply;
  }
  void on_skipped(std::string_view, const http::Reply&) override {}
  std::string_view lookup(http::Variable variable, std::string_view name) override;

 private:
  bool read_target();
  bool refuse(codec::h1::Refusal refusal);
  bool refuse(http::UriRefusal refusal);
  bool refuse(std::string_view sentence, std::string_view code);
  loop::Task<void> finish(policy::Verdict verdict);
  void*& state_slot() override { return chain_.slots[chain_.current]; }

  Arena& arena_;
  const loop::Address client_;
  const std::string_view client_ip_;
  http::RequestHead head_{arena_};
  http::ResponseHead response_{arena_};
  std::string_view scheme_ = "http";
  std::string_view host_, path_, query_, route_, request_id_;
  std::optional<tls::HandshakeFacts> tls_;
  tls::ClientTls told_tls_;
  route::RouteMatch match_;
  policy::ChainState chain_;
  Random random_;
  Told told_;
  std::string error_;
};

}  // namespace doorward::app
