// A policy in shadow mode: it decides on copies of everything, so that nothing it does reaches the
// client or the backend; a reply it would have made is reported. What it asks of services is
// really asked.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "policy/policy.h"

namespace doorward::policy {

// The exchange as a policy in shadow mode sees it. Owner: the exchange's arena, by way of
// PolicyContext::state(): what the policy changed, it finds changed in its later functions.
class ShadowContext final : public PolicyContext {
 public:
  void attach(PolicyContext& real) { real_ = &real; }
  PolicyContext& real() { return *real_; }
  // Takes fresh copies of the heads.
  void copy_request();
  void copy_response();
  // The policy would have ended the exchange here: it is not asked any more.
  bool decided() const { return decided_; }
  void set_decided() { decided_ = true; }

  http::RequestHead& request() override {
    if (!request_) copy_request();
    return *request_;
  }
  http::ResponseHead& response() override {
    if (!response_) copy_response();
    return *response_;
  }
  std::string_view host() const override { return real_->host(); }
  std::string_view path() const override { return path_ ? *path_ : real_->path(); }
  std::string_view query() const override { return query_ ? *query_ : real_->query(); }
  void set_path(std::string_view path) override { path_ = path; }
  void set_query(std::string_view query) override { query_ = query; }
  const loop::Address& client() const override { return real_->client(); }
  std::string_view client_ip() const override { return real_->client_ip(); }
  std::string_view scheme() const override { return real_->scheme(); }
  const tls::HandshakeFacts* tls() const override { return real_->tls(); }
  void check_websocket(const codec::websocket::Rules&) override {}
  void end_websocket_at(TimePoint, std::string_view) override {}
  void end_websocket_with(std::string_view, std::string_view) override {}
  void end_websocket_with_certificate() override {}
  std::string_view route() const override { return real_->route(); }
  std::string_view request_id() const override { return id_ ? *id_ : real_->request_id(); }
  void set_request_id(std::string_view id) override { id_ = id; }
  Arena& arena() override { return real_->arena(); }
  TimePoint now() const override { return real_->now(); }
  WallTime wall_now() const override { return real_->wall_now(); }
  Random& random() override { return real_->random(); }
  bool response_has_body() const override { return real_->response_has_body(); }
  void response_length_unknown() override {}
  loop::Task<Result<CallResponse>> call(std::string_view service, CallRequest request,
                                        Deadline deadline) override {
    return real_->call(service, std::move(request), deadline);
  }
  void on_shadow_reply(std::string_view policy, const http::Reply& reply) override {
    real_->on_shadow_reply(policy, reply);
  }
  void on_skipped(std::string_view policy, const http::Reply& instead) override {
    real_->on_skipped(policy, instead);
  }
  std::string_view lookup(http::Variable variable, std::string_view name) override;

 private:
  void*& state_slot() override { return slot_; }

  PolicyContext* real_ = nullptr;
  std::optional<http::RequestHead> request_;
  std::optional<http::ResponseHead> response_;
  std::optional<std::string_view> path_, query_, id_;
  void* slot_ = nullptr;
  bool decided_ = false;
};

// Stands in the chain in the policy's place.
class ShadowPolicy final : public Policy {
 public:
  ShadowPolicy(std::shared_ptr<const Policy> real, std::string name)
      : real_(std::move(real)), name_(std::move(name)) {}

  BodyNeed request_body_need() const override { return real_->request_body_need(); }
  BodyNeed response_body_need() const override { return real_->response_body_need(); }
  Verdict on_request(PolicyContext& context) const override;
  Verdict on_request_body(PolicyContext& context, BodyPiece& piece) const override;
  Verdict on_response(PolicyContext& context) const override;
  Verdict on_response_body(PolicyContext& context, BodyPiece& piece) const override;
  void on_log(PolicyContext& context) const override;

 private:
  Verdict report(ShadowContext& shadow, Verdict verdict) const;
  Outcome reported(ShadowContext& shadow, Outcome outcome) const;
  Verdict wait(ShadowContext& shadow, Verdict verdict) const;
  Verdict wait_with(ShadowContext& shadow, std::unique_ptr<BodyPiece> piece, Verdict verdict) const;

  std::shared_ptr<const Policy> real_;
  std::string name_;
};

}  // namespace doorward::policy
