// reply: what Doorward answers itself, and the one table from errors to answers.
#include <cstring>
#include <fmt/format.h>

#include "codec/h2/refusal.h"
#include "exchange/core.h"
#include "exchange/deadline.h"
#include "exchange/debug_answer.h"
#include "exchange/exchange.h"
#include "exchange/grpc.h"
#include "exchange/problems.h"
#include "http/status.h"
#include "observe/json_escape.h"
#include "schema/scalar.h"
#include "tls/reasons.h"

namespace doorward::exchange {
namespace {

template <class T>
std::string text_of(T setting) {
  return schema::ScalarTraits<T>::format(setting);
}

// Which code an error stands for, when it brings none of its own.
std::string_view code_by_kind(const Error& error) {
  const bool client = error.side == Side::client;
  switch (error.kind) {
    case ErrorKind::timeout:
      return client ? "client_stalled" : "first_byte_timeout";
    case ErrorKind::closed:
      return client ? "client_closed" : "backend_closed";
    case ErrorKind::reset:
      return client ? "client_reset" : "backend_reset";
    case ErrorKind::cancelled:
      return "client_closed";
    case ErrorKind::refused:
    case ErrorKind::unreachable:
      return "connect_failed";
    case ErrorKind::unresolved:
      return "name_unresolved";
    case ErrorKind::protocol:
      return client ? "bad_request" : "backend_protocol_error";
    case ErrorKind::unavailable:
      return "no_endpoint";
    case ErrorKind::limit:
    case ErrorKind::invalid:
    case ErrorKind::system:
      return "internal_error";
  }
  return "internal_error";
}

// Where a service's endpoints are is no client's business; the access log names the endpoint.
std::string detail_of_service(const Exchange& x, const Error& failure, std::string_view code) {
  const std::string& service = x.service->config().name;
  const upstream::ServiceTimeouts& timeouts = x.service->config().timeouts;
  const auto timed = [&](std::string_view what, std::string_view setting, Duration limit) {
    return fmt::format("{} {} ({} of service {}).", what, text_of(limit), setting, service);
  };
  const bool own = code == "out_of_resources";
  if ((own || code == "connect_failed") && failure.code > 0) {
    const char* why = strerrordesc_np(failure.code);
    return fmt::format("{} service {}: {}.",
                       own ? "Doorward itself can open no connection to" : "No connection to",
                       service, why == nullptr ? code : why);
  }
  if (code == "connect_timeout") {
    return timed("No backend took a connection within", "timeouts.connect", timeouts.connect);
  }
  if (code == "name_unresolved") {
    return fmt::format("The name of an endpoint of service {} was not resolved.", service);
  }
  if (code == "first_byte_timeout") {
    return timed("The backend did not begin its response within", "timeouts.first_byte",
                 timeouts.first_byte);
  }
  if (code == "backend_idle_timeout") {
    return timed("The backend neither sent nor took anything for", "timeouts.idle", timeouts.idle);
  }
  if (code == "backend_ping_timeout") {
    return timed("The backend did not answer a PING within", "http2.ping_timeout",
                 x.service->config().http2.ping_timeout);
  }
  if (code == "total_timeout") {
    return timed("The exchange took longer than", "timeouts.total", timeouts.total);
  }
  return failure.cause;
}

// Who was too slow, in what, and the setting that says so; otherwise the error's own words.
std::string detail_of(const Exchange& x, const Error& failure, std::string_view code) {
  const ListenerConfig& listener = *x.listener.config;
  const auto by_listener = [&](std::string_view what, std::string_view setting,
                               const std::string& limit) {
    return fmt::format("{} {} ({} of listener {}).", what, limit, setting, listener.name);
  };
  if (code == "body_timeout") {
    return by_listener("The client sent nothing of the request's body for", "timeouts.body",
                       text_of(listener.timeouts.body));
  }
  if (code == "request_too_slow") {
    return by_listener("The client sends its request more slowly than", "min_data_rate",
                       text_of(listener.min_data_rate));
  }
  if (code == "grpc_deadline_exceeded") {
    return "The call took longer than its client allows (grpc-timeout).";
  }
  if (code == "deadline_exceeded") {
    return fmt::format("The request took longer than its client allows ({}).",
                       x.service->config().timeouts.deadline_header);
  }
  const bool has_own_reason = code == "backend_protocol_error" || code == "backend_tls_failed";
  if (has_own_reason && !failure.reason.empty() && failure.reason != code) {
    return fmt::format("{}: {}", failure.reason, failure.cause);
  }
  return x.service == nullptr ? failure.cause : detail_of_service(x, failure, code);
}

// RFC 9457 §3. `type` leads to the code's documentation.
std::string_view problem_body(Exchange& x, const http::Reply& reply) {
  std::string text =
      fmt::format("{{\"type\":\"https://doorward.dev/problems/{}\",\"title\":\"{}\",\"status\":{}",
                  reply.code, http::reason_phrase(reply.status), reply.status);
  const auto member = [&](std::string_view name, std::string_view value) {
    text += fmt::format(",\"{}\":", name);
    observe::append_json_string(text, value);
  };
  member("code", reply.code);
  if (!reply.detail.empty()) member("detail", reply.detail);
  member("request_id", x.request_id());
  if (!x.route().empty()) member("route", x.route());
  if (!reply.policy.empty()) member("policy", reply.policy);
  text += "}\n";
  return x.arena().copy(text);
}

// The length is announced before the policies see the head, as a backend would; to HEAD it is all
// that is told of the body (RFC 9110 §9.3.2).
void fill_head(Exchange& x, const http::Reply& reply, std::string_view content_type,
               std::size_t length) {
  http::ResponseHead& head = x.response();
  head.status = reply.status;
  head.reason = http::reason_phrase(reply.status);
  if (!content_type.empty()) head.headers.add(http::HeaderName::content_type, content_type);
  head.headers.add(http::HeaderName::date, x.core.date());
  if (!http::has_no_content(reply.status)) {
    const fmt::format_int text(length);
    head.headers.set(http::HeaderName::content_length, x.arena().copy({text.data(), text.size()}));
  }
  for (const http::ReplyHeader* h = reply.headers; h != nullptr; h = h->next) {
    head.headers.add(h->name, h->value);
  }
  x.add_listener_fields();
}

// A reply passes the policies that the request passed, as a backend's response would.
loop::Task<std::string_view> through_policies(Exchange& x, std::string_view body) {
  if (x.matched == nullptr || !x.matched->chain.has_response()) co_return body;
  const policy::Outcome outcome = co_await x.matched->chain.run_response(x, x.chain_state);
  if (outcome.reply != nullptr) co_return body;  // a reply is not replaced by another
  if (!x.response_has_body() || !x.chain_sees_response_body()) co_return body;
  policy::BodyPiece piece{Chunk(body), true, false};
  co_await x.matched->chain.run_response_body(x, x.chain_state, piece);
  co_return x.arena().copy(piece.chunk.view());
}

// Those that are no problem are counted with their route only.
void count_reply(Exchange& x, std::string_view code) {
  if (code.empty()) return;
  std::size_t number = problem_number(code);
  // Behind the table: what a codec refused, which it counts by code, and any other.
  if (number == kProblems.size() && codec::h2::number_of_refusal(code) == 0) ++number;
  x.core.metrics().add_value(observe::Metric::replies, static_cast<unsigned>(number));
}

// To a gRPC client a reply is a status in a head without content.
loop::Task<Step> send_status(Exchange& x, const http::Reply& reply) {
  fill_grpc_head(x, reply);
  x.add_listener_fields();
  x.response_size = codec::BodySize::empty();
  co_await through_policies(x, {});
  if (x.debug != nullptr) x.debug->tell();
  x.status = x.response().status;
  // HTTP/2 needs no length to say that there is none, and gRPC knows no such field.
  const bool http2 = x.request().version == http::Version::http2;
  const codec::BodySize size = http2 ? codec::BodySize::unknown() : codec::BodySize::empty();
  const Result<void> sent = co_await x.client_stream.send_response(x.response(), size, {}, true);
  if (!sent) x.error_code = x.code_of(sent.error());
  co_return Step::finish;
}

}  // namespace

std::string_view Exchange::code_of(const Error& error) {
  const bool timeout = error.kind == ErrorKind::timeout || error.reason == "total_timeout";
  if (timeout && error.side != Side::client && client_deadline_passed(*this)) {
    return grpc.has_timeout ? "grpc_deadline_exceeded" : "deadline_exceeded";
  }
  // What TLS says of a connection that broke is no code of a reply.
  const bool by_tls = !tls::sentence_of(error.reason).empty();
  if (by_tls && (error.kind == ErrorKind::protocol || error.kind == ErrorKind::limit)) {
    return error.side == Side::client ? "client_reset" : "backend_tls_failed";
  }
  const bool own_code = problem_number(error.reason) < kProblems.size();
  if (error.side == Side::backend && error.kind == ErrorKind::protocol && !own_code) {
    backend_fault = error.reason;
    return "backend_protocol_error";
  }
  if (!error.reason.empty() && !by_tls) return error.reason;
  if (error.kind == ErrorKind::timeout && error.side == Side::backend && response_head != nullptr &&
      times.first_byte != TimePoint{}) {
    return "backend_idle_timeout";
  }
  return code_by_kind(error);
}

std::string Exchange::words_for(const Error& failure, std::string_view code) const {
  return detail_of(*this, failure, code);
}

Step Exchange::reply_to(const Error& failure) {
  const std::string_view code = code_of(failure);
  const std::size_t number = problem_number(code);
  const bool codec_refusal = number == kProblems.size();
  const std::uint16_t answer =
      codec_refusal ? static_cast<std::uint16_t>(failure.code) : kProblems[number].status;
  if (answer == 499) {
    error_code = code;
    status = 0;
    client_stream.abort();
    return Step::finish;
  }
  if (failure.side == Side::client) client_stream.close_after();
  return reply_with(answer < 400 ? 500 : answer, code, detail_of(*this, failure, code));
}

namespace steps {

loop::Task<Step> reply(Exchange& x) {
  const http::Reply& reply = *x.reply_to_send;
  x.times.replied = x.core.loop().now();
  co_await x.stop_upload();
  x.complete_attempt();  // a policy answers instead of the backend
  x.error_code = reply.code;
  x.deciding_policy = reply.policy;
  count_reply(x, reply.code);
  if (reply.close) x.client_stream.close_after();
  x.begin_response();
  if (is_told_by_status(x, reply)) co_return co_await send_status(x, reply);
  std::string_view body = reply.has_body ? reply.body.view() : problem_body(x, reply);
  fill_head(x, reply, reply.has_body ? reply.content_type : "application/problem+json",
            body.size());
  const bool bodiless =
      x.request().method == http::Method::head || http::has_no_content(reply.status);
  if (bodiless) body = {};
  x.response_size = bodiless ? codec::BodySize::empty() : codec::BodySize::known(body.size());
  body = co_await through_policies(x, body);
  x.status = reply.status;
  const codec::BodySize size =
      bodiless ? codec::BodySize::empty() : codec::BodySize::known(body.size());
  if (!bodiless) x.response().headers.remove(http::HeaderName::content_length);
  if (x.debug != nullptr) x.debug->tell();
  const Result<void> sent = co_await x.client_stream.send_response(x.response(), size, body, true);
  if (!sent) x.error_code = x.code_of(sent.error());
  co_return Step::finish;
}

}  // namespace steps
}  // namespace doorward::exchange
