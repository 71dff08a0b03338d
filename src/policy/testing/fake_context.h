// A PolicyContext for tests of policies: requests and responses are plain members, calls to
// services are answered by the test, at once or when it says so.
#pragma once

#include <coroutine>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/chain.h"

namespace doorward::policy::testing {

class FakeContext final : public PolicyContext {
 public:
  struct Call {
    std::string service, method, target, body;
    std::map<std::string, std::string> headers;
    Deadline deadline;
  };

  FakeContext() {
    request_.method_text = "GET";
    response_.status = 200;
    client_address = *loop::Address::parse("192.0.2.7:1234");
  }
  FakeContext(const FakeContext&) = delete;
  FakeContext& operator=(const FakeContext&) = delete;

  http::RequestHead& request() override { return request_; }
  http::ResponseHead& response() override { return response_; }
  std::string_view host() const override { return host_text; }
  std::string_view path() const override { return path_; }
  std::string_view query() const override { return query_; }
  void set_path(std::string_view path) override { path_ = path; }
  void set_query(std::string_view query) override { query_ = query; }
  const loop::Address& client() const override { return client_address; }
  std::string_view client_ip() const override { return arena_.copy(client_address.host()); }
  std::string_view scheme() const override { return scheme_text; }
  const tls::HandshakeFacts* tls() const override { return tls_facts; }
  void check_websocket(const codec::websocket::Rules& rules) override { websocket_rules = &rules; }
  void end_websocket_at(TimePoint when, std::string_view reason) override {
    if (when >= websocket_end) return;
    websocket_end = when;
    websocket_end_reason = reason;
  }
  void end_websocket_with(std::string_view credential, std::string_view) override {
    websocket_credentials.emplace_back(credential);
  }
  void end_websocket_with_certificate() override { websocket_credentials.emplace_back("tls"); }
  std::string_view route() const override { return "orders"; }
  std::string_view request_id() const override { return id_; }
  void set_request_id(std::string_view id) override { id_ = id; }
  Arena& arena() override { return arena_; }
  TimePoint now() const override { return TimePoint(std::chrono::seconds(1000)); }
  WallTime wall_now() const override { return WallTime(std::chrono::seconds(5000)); }
  Random& random() override { return random_; }
  bool response_has_body() const override { return has_body; }
  void response_length_unknown() override { ++length_unknown; }
  void on_shadow_reply(std::string_view policy, const http::Reply& reply) override {
    shadow_replies.push_back(std::string(policy) + " " + std::to_string(reply.status));
  }

  void on_skipped(std::string_view policy, const http::Reply& instead) override {
    skipped.push_back(std::string(policy) + " " + std::string(instead.code));
  }

  // The answers come from `answers`, first in, first out; with `hold` set, on release().
  loop::Task<Result<CallResponse>> call(std::string_view service, CallRequest request,
                                        Deadline deadline) override {
    Call& made = calls.emplace_back();
    made.service = service;
    made.method = request.method;
    made.target = request.target;
    made.body = request.body;
    made.deadline = deadline;
    for (const auto& [name, value] : request.headers) made.headers[std::string(name)] = value;
    if (hold) co_await Hold{*this};
    if (answers.empty()) co_return fail(ErrorKind::timeout, "no answer in time");
    CallResponse* answer = answers.front();
    answers.pop_front();
    co_return *answer;
  }
  CallResponse& answer(std::uint16_t status, std::string_view body = {}) {
    auto* made = arena_.make<CallResponse>();
    made->head = arena_.make<http::ResponseHead>(arena_);
    made->head->status = status;
    made->body = body;
    answers.push_back(made);
    return *made;
  }
  // Lets the call that waits go on.
  void release() { std::exchange(held_, nullptr).resume(); }
  bool holds() const { return held_ != nullptr; }

  std::string_view lookup(http::Variable variable, std::string_view name) override {
    using http::Variable;
    switch (variable) {
      case Variable::request_method:
        return request_.method_text;
      case Variable::request_host:
        return host_text;
      case Variable::request_path:
        return path_;
      case Variable::request_query:
        return query_;
      case Variable::request_target:
        return arena_.join(path_, "?", query_);
      case Variable::request_id:
        return id_;
      case Variable::request_header:
        return request_.headers.value(name);
      case Variable::request_scheme:
        return scheme_text;
      case Variable::client_ip:
        return client_ip();
      case Variable::tls_version:
        return tls_facts == nullptr ? std::string_view() : tls_facts->version;
      case Variable::tls_cipher:
        return tls_facts == nullptr ? std::string_view() : tls_facts->cipher;
      case Variable::tls_sni:
        return tls_facts == nullptr ? std::string_view() : tls_facts->sni;
      case Variable::tls_subject:
      case Variable::tls_names:
      case Variable::tls_fingerprint:
        return {};
      case Variable::route_name:
        return route();
      case Variable::route_param:
        return params[std::string(name)];
      case Variable::response_status:
        return arena_.copy(std::to_string(response_.status));
      case Variable::response_header:
        return response_.headers.value(name);
    }
    return {};
  }

  // Runs a chain's function to its end; a wait (hold) must have been released by `meanwhile`.
  template <class Meanwhile>
  Outcome run(Verdict verdict, Meanwhile meanwhile) {
    Outcome outcome;
    loop::Gate gate;
    gate.spawn(finish(std::move(verdict), outcome));
    meanwhile();
    DOORWARD_CHECK(gate.count() == 0);
    return outcome;
  }
  Outcome run(Verdict verdict) {
    return run(std::move(verdict), [] {});
  }

  ChainState chain;  // of the chain under test; or of a single policy: use_single()
  void use_single() {
    chain.slots = arena_.array<void*>(1);
    chain.slots[0] = nullptr;
    chain.current = 0;
  }

  std::string_view scheme_text = "http";
  const tls::HandshakeFacts* tls_facts = nullptr;
  const codec::websocket::Rules* websocket_rules = nullptr;
  TimePoint websocket_end = TimePoint::max();
  std::string_view websocket_end_reason;
  std::vector<std::string> websocket_credentials;
  std::string host_text = "shop.example.com";
  loop::Address client_address;
  std::map<std::string, std::string> params;
  bool has_body = true;
  bool hold = false;
  int length_unknown = 0;
  std::vector<Call> calls;
  std::deque<CallResponse*> answers;
  std::vector<std::string> shadow_replies, skipped;

 private:
  struct Hold {
    FakeContext& context;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { context.held_ = waiter; }
    void await_resume() const {}
  };
  static loop::Task<void> finish(Verdict verdict, Outcome& outcome) {
    outcome = co_await std::move(verdict);
  }
  void*& state_slot() override { return chain.slots[chain.current]; }

  mutable Arena arena_;
  http::RequestHead request_{arena_};
  http::ResponseHead response_{arena_};
  std::string_view path_ = "/orders/7";
  std::string_view query_ = "page=2";
  std::string_view id_ = "id-0";
  Random random_{7};
  std::coroutine_handle<> held_ = nullptr;
};

// The fields as "name: value" lines, for comparisons.
inline std::string text_of(const http::HeaderList& headers) {
  std::string text;
  for (const http::Header& header : headers) {
    text += std::string(header.name) + ": " + std::string(header.value) + "\n";
  }
  return text;
}

}  // namespace doorward::policy::testing
