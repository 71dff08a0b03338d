#include "exchange/grpc.h"

#include <fmt/format.h>

#include "exchange/core.h"
#include "exchange/exchange.h"
#include "exchange/problems.h"
#include "translate/grpc/message.h"
#include "translate/grpc/status.h"
#include "translate/grpc/timeout.h"
#include "translate/grpc/web_trailers.h"

namespace doorward::exchange {
namespace {

namespace grpc = translate::grpc;
using http::HeaderList;
using http::HeaderName;

// "No route matches this request. (no_route)": for people, and for who looks it up.
std::string_view message_of(Exchange& x, std::string_view detail, std::string_view code,
                            std::uint16_t http_status) {
  std::string text(detail);
  if (text.empty()) text = fmt::format("Answered with HTTP status {}.", http_status);
  if (!code.empty()) text += fmt::format(" ({})", code);
  return grpc::encode_message(x.arena().copy(text), x.arena());
}

void add_status(Exchange& x, HeaderList& headers, std::uint16_t http_status, std::string_view code,
                std::string_view detail) {
  headers.add(HeaderName::grpc_status, grpc::number_of(grpc::status_for(http_status, code)));
  headers.add("grpc-message", message_of(x, detail, code, http_status));
}

// What a reply says of the content that it has no more, or of how HTTP would go on.
bool is_of_http_only(HeaderName name) {
  switch (name) {
    case HeaderName::accept_ranges:
    case HeaderName::allow:
    case HeaderName::content_digest:
    case HeaderName::content_disposition:
    case HeaderName::content_encoding:
    case HeaderName::content_language:
    case HeaderName::content_length:
    case HeaderName::content_location:
    case HeaderName::content_md5:
    case HeaderName::content_range:
    case HeaderName::content_type:
    case HeaderName::etag:
    case HeaderName::last_modified:
    case HeaderName::location:
      return true;
    default:
      return false;
  }
}

std::uint16_t http_status_of(std::string_view code) {
  const std::size_t number = problem_number(code);
  return number == kProblems.size() ? std::uint16_t{500} : kProblems[number].status;
}

}  // namespace

void note_grpc(Exchange& x) {
  const HeaderList& headers = x.request().headers;
  if (!headers.has(HeaderName::content_type)) return;
  x.grpc.type = grpc::read_content_type(headers.value(HeaderName::content_type));
}

bool take_grpc_timeout(Exchange& x) {
  const HeaderList& headers = x.request().headers;
  if (!x.grpc || !headers.has(HeaderName::grpc_timeout)) return true;
  const auto timeout = grpc::parse_timeout(headers.value(HeaderName::grpc_timeout));
  if (!timeout) {
    x.reply_with(400, "grpc_timeout_invalid", timeout.error());
    return false;
  }
  x.grpc.has_timeout = true;
  if (*timeout == grpc::kLongestTimeout) return true;  // as good as none
  x.set_client_deadline(Deadline(x.times.begun + *timeout));
  return true;
}

void ask_for_trailers(Exchange& x) {
  HeaderList& headers = x.request().headers;
  if (!x.grpc || !grpc::is_grpc(headers.value(HeaderName::content_type))) return;
  headers.set(HeaderName::te, "trailers");
}

bool is_told_by_status(const Exchange& x, const http::Reply& reply) {
  if (!x.grpc) return false;
  const bool own = reply.has_body && grpc::read_content_type(reply.content_type).wire !=
                                         grpc::Wire::none;  // it knows what it answers
  return !own;
}

void fill_grpc_head(Exchange& x, const http::Reply& reply) {
  http::ResponseHead& head = x.response();
  HeaderList& headers = head.headers;
  head.status = 200;
  head.reason = "OK";
  headers.add(HeaderName::content_type, grpc::write_content_type(x.grpc.type, x.arena()));
  headers.add(HeaderName::date, x.core.date());
  headers.add(HeaderName::x_request_id, x.request_id());
  add_status(x, headers, reply.status, reply.code, reply.detail);
  if (grpc::is_web(x.grpc.type.wire) && x.request().headers.has(HeaderName::origin)) {
    grpc::expose_status(headers);
  }
  for (const http::ReplyHeader* h = reply.headers; h != nullptr; h = h->next) {
    if (!is_of_http_only(http::classify(h->name))) headers.add(h->name, h->value);
  }
}

// The end passes the policies, as the backend's would have: they may carry the trailers elsewhere.
loop::Task<bool> end_with_status(Exchange& x, Error error) {
  if (error.side != Side::backend || x.response_size.kind != codec::BodySize::Kind::unknown) {
    co_return false;
  }
  auto* told = x.arena().make<HeaderList>(x.arena());
  add_status(x, *told, http_status_of(x.error_code), x.error_code,
             x.words_for(error, x.error_code));
  codec::Piece last{Chunk(), true, false};
  const HeaderList* trailers = told;
  if (x.chain_sees_response_body()) {
    Result<codec::Piece> piece = co_await x.run_response_body(std::move(last), trailers);
    if (!piece) co_return false;
    last = std::move(*piece);
    trailers = x.response_trailers;
  }
  const bool readable = grpc::is_web(x.grpc.type.wire)
                            ? trailers == nullptr
                            : x.request().version == http::Version::http2;
  if (!readable) co_return false;
  x.grpc.status = told->value(HeaderName::grpc_status);
  const Result<void> sent = co_await x.client_stream.send_body(last.chunk.view(), true, trailers);
  co_return sent.has_value();
}

void note_grpc_status(Exchange& x) {
  std::string_view& status = x.grpc.status;
  if (!status.empty()) return;
  if (x.response_head != nullptr) status = x.response().headers.value(HeaderName::grpc_status);
  const HeaderList* trailers =
      x.attempt.connection == nullptr ? nullptr : x.attempt.connection->received_trailers();
  if (status.empty() && trailers != nullptr) status = trailers->value(HeaderName::grpc_status);
  if (status.empty() && http_status_of(x.error_code) == 499) {
    status = grpc::number_of(grpc::Status::cancelled);
  }
}

}  // namespace doorward::exchange
