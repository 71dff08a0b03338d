// The copies that a policy in shadow mode works on, and its reports.
#include "policy/shadow.h"

namespace doorward::policy {
namespace {

ShadowContext& shadow_of(PolicyContext& context) {
  auto& shadow = context.state<ShadowContext>();
  shadow.attach(context);
  return shadow;
}

}  // namespace

void ShadowContext::copy_request() {
  const http::RequestHead& from = real_->request();
  http::RequestHead& to = request_.emplace(arena());
  to.method = from.method;
  to.version = from.version;
  to.method_text = from.method_text;
  to.target = from.target;
  to.headers = from.headers.copy(arena());
}

void ShadowContext::copy_response() {
  const http::ResponseHead& from = real_->response();
  http::ResponseHead& to = response_.emplace(arena());
  to.status = from.status;
  to.version = from.version;
  to.reason = from.reason;
  to.headers = from.headers.copy(arena());
}

// What the policy may have changed itself comes from its copies.
std::string_view ShadowContext::lookup(http::Variable variable, std::string_view name) {
  using http::Variable;
  switch (variable) {
    case Variable::request_path:
      return path();
    case Variable::request_query:
      return query();
    case Variable::request_id:
      return request_id();
    case Variable::request_header:
      return request_ ? request_->headers.value(name) : real_->lookup(variable, name);
    case Variable::response_header:
      return response_ ? response_->headers.value(name) : real_->lookup(variable, name);
    default:
      return real_->lookup(variable, name);
  }
}

Outcome ShadowPolicy::reported(ShadowContext& shadow, Outcome outcome) const {
  if (outcome.reply != nullptr) {
    shadow.set_decided();
    outcome.reply->policy = name_;
    shadow.real().on_shadow_reply(name_, *outcome.reply);
  }
  return Outcome::pass();
}

Verdict ShadowPolicy::wait(ShadowContext& shadow, Verdict verdict) const {
  co_return reported(shadow, co_await std::move(verdict));
}

// Keeps the copy of the piece for as long as the policy looks at it.
Verdict ShadowPolicy::wait_with(ShadowContext& shadow, std::unique_ptr<BodyPiece> piece,
                                Verdict verdict) const {
  const Outcome outcome = co_await std::move(verdict);
  piece.reset();
  co_return reported(shadow, outcome);
}

Verdict ShadowPolicy::report(ShadowContext& shadow, Verdict verdict) const {
  if (!verdict.is_ready()) return wait(shadow, std::move(verdict));
  return reported(shadow, verdict.take());
}

Verdict ShadowPolicy::on_request(PolicyContext& context) const {
  ShadowContext& shadow = shadow_of(context);
  shadow.copy_request();
  return report(shadow, real_->on_request(shadow));
}

Verdict ShadowPolicy::on_response(PolicyContext& context) const {
  ShadowContext& shadow = shadow_of(context);
  if (shadow.decided()) return Outcome::pass();
  shadow.copy_request();
  shadow.copy_response();
  return report(shadow, real_->on_response(shadow));
}

Verdict ShadowPolicy::on_request_body(PolicyContext& context, BodyPiece& piece) const {
  ShadowContext& shadow = shadow_of(context);
  if (shadow.decided()) return Outcome::pass();
  auto copy = std::make_unique<BodyPiece>(piece);
  Verdict verdict = real_->on_request_body(shadow, *copy);
  if (!verdict.is_ready()) return wait_with(shadow, std::move(copy), std::move(verdict));
  return reported(shadow, verdict.take());
}

Verdict ShadowPolicy::on_response_body(PolicyContext& context, BodyPiece& piece) const {
  ShadowContext& shadow = shadow_of(context);
  if (shadow.decided()) return Outcome::pass();
  auto copy = std::make_unique<BodyPiece>(piece);
  Verdict verdict = real_->on_response_body(shadow, *copy);
  if (!verdict.is_ready()) return wait_with(shadow, std::move(copy), std::move(verdict));
  return reported(shadow, verdict.take());
}

void ShadowPolicy::on_log(PolicyContext& context) const { real_->on_log(shadow_of(context)); }

}  // namespace doorward::policy
