// A policy's own request to a service: one attempt on a pooled connection (a stale one is replaced
// once, since such calls carry small bodies), the whole answer read into the arena. The service
// counts them as it counts the attempts of requests.
#include <fmt/format.h>

#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange {
namespace {

using policy::CallRequest;
using policy::CallResponse;

// Of a call whose kept connection had ended; each uses up one of HTTP/1.1.
constexpr int kMostRepeats = 16;

// One attempt, as its service counts it.
class Attempted {
 public:
  Attempted(loop::Loop& loop, upstream::Service& service)
      : loop_(loop), service_(service), begun_(loop.now()) {
    service.series().begin();
  }
  void end_unopened(const Error& why) {
    if (why.side == Side::doorward) return service_.series().abandoned({});
    end_broken(why, {});
  }
  void head_came(const http::ResponseHead& head) {
    status_ = head.status;
    took_ = micros(begun_, loop_.now());
  }
  void end_broken(const Error& why, observe::AttemptBytes bytes) {
    service_.note_refusal(why);
    if (status_ == 0) return service_.series().failed(micros(begun_, loop_.now()), bytes);
    if (why.side == Side::backend) {
      service_.series().add(observe::Metric::service_responses_broken);
    }
    end(bytes);
  }
  void end(observe::AttemptBytes bytes) { service_.series().answered(status_, took_, bytes); }

 private:
  loop::Loop& loop_;
  upstream::Service& service_;
  const TimePoint begun_;
  std::uint64_t took_ = 0;
  unsigned status_ = 0;  // 0: no head came
};

std::shared_ptr<upstream::Service> find_service(CoreSnapshot& snapshot, std::string_view name) {
  for (const auto& service : snapshot.services()) {
    if (service->config().name == name) return service;
  }
  return nullptr;
}

void fill_head(http::RequestHead& head, const CallRequest& request, std::string_view authority) {
  head.method_text = request.method;
  head.method = http::classify_method(request.method);
  head.target = request.target;
  bool has_host = false;
  for (const auto& [name, value] : request.headers) {
    head.headers.add(name, value);
    has_host |= http::classify(name) == http::HeaderName::host;
  }
  if (!has_host) head.headers.add(http::HeaderName::host, authority);
}

loop::Task<Result<void>> read_body(upstream::Connection& connection, Arena& arena,
                                   std::size_t limit, std::string_view& body) {
  char* all = nullptr;
  std::size_t size = 0;
  std::size_t room = 0;
  for (bool last = false; !last;) {
    Result<codec::Piece> piece = co_await connection.read_body();
    if (!piece) co_return Failure(std::move(piece.error()));
    const std::string_view bytes = piece->chunk.view();
    if (size + bytes.size() > limit) {
      co_return fail(ErrorKind::limit, fmt::format("its answer is larger than {} bytes", limit));
    }
    if (size + bytes.size() > room) {
      room = std::max(2 * room, size + bytes.size());
      char* larger = arena.bytes(room);
      all = size == 0 ? larger : static_cast<char*>(std::memcpy(larger, all, size));
    }
    if (!bytes.empty()) std::memcpy(all + size, bytes.data(), bytes.size());
    size += bytes.size();
    last = piece->last;
  }
  body = {all, size};
  co_return Result<void>();
}

// Reads the answer; 1xx heads are skipped.
loop::Task<Result<CallResponse>> ask(upstream::Connection& connection,
                                     const http::RequestHead& head, const CallRequest& request,
                                     Arena& arena, Deadline deadline, Attempted& attempt) {
  const bool empty = request.body.empty();
  Result<void> done = co_await connection.send_request(
      head, empty ? codec::BodySize::empty() : codec::BodySize::known(request.body.size()),
      request.body, true);
  CallResponse response;
  do {
    response.head = arena.make<http::ResponseHead>(arena);
    done = co_await connection.read_response(*response.head, arena, deadline);
    if (!done) co_return Failure(std::move(done.error()));
  } while (response.head->status < 200);
  attempt.head_came(*response.head);
  done = co_await read_body(connection, arena, request.response_body_max, response.body);
  if (!done) co_return Failure(std::move(done.error()));
  co_return response;
}

bool worth_another(const upstream::Connection& connection, bool reused, const Error& error) {
  if (reused && error.retry == Retry::yes) return true;
  const bool ended = error.kind == ErrorKind::closed || error.kind == ErrorKind::reset;
  return reused && connection.connection_ended() && ended && connection.nothing_received();
}

loop::Task<Result<upstream::Place>> place_for(upstream::Service& service,
                                              const upstream::Tried& tried, Deadline deadline) {
  upstream::Endpoint* endpoint = service.choose(tried, upstream::Want::any);
  if (endpoint != nullptr && !endpoint->pool().full(upstream::Want::any)) {
    co_return service.place_at(endpoint, upstream::Want::any);
  }
  upstream::Waiter waiter(tried, upstream::Want::any);
  co_return co_await service.await_place(waiter, deadline);
}

// Ends the attempt, and with it the hold on the connection.
void settle(Attempted& attempt, upstream::Pool& pool,
            std::unique_ptr<upstream::Connection> connection, const Error* failure) {
  const observe::AttemptBytes bytes{connection->bytes_sent(), connection->bytes_received()};
  if (failure == nullptr) {
    attempt.end(bytes);
  } else {
    attempt.end_broken(*failure, bytes);
    connection->abort();
  }
  pool.give(std::move(connection));
}

loop::Task<Result<CallResponse>> call_service(loop::Loop& loop,
                                              std::shared_ptr<upstream::Service> service,
                                              CallRequest request, Arena& arena,
                                              Deadline deadline) {
  using observe::Metric;
  upstream::Tried tried;
  bool again = false;
  for (int left = kMostRepeats;; --left) {
    Result<upstream::Place> place = co_await place_for(*service, tried, deadline);
    if (!place) co_return Failure(std::move(place.error()));
    upstream::EndpointRef endpoint = std::move(place->endpoint);
    std::unique_ptr<upstream::Connection> connection = std::move(place->connection);
    const bool reused = connection != nullptr;
    Attempted attempt(loop, *service);
    if (std::exchange(again, true)) service->series().add(Metric::service_retries);
    if (reused) service->series().add(Metric::service_reuses);
    if (!reused) {
      auto opened = co_await endpoint->connect(deadline, false);
      tried.add(*endpoint);
      const bool elsewhere = !tried.full() && service->has_untried(tried);
      if (!opened) attempt.end_unopened(opened.error());
      if (!opened && opened.error().retry == Retry::yes && elsewhere) continue;
      if (!opened) co_return Failure(std::move(opened.error()));
      connection = std::move(*opened);
    }
    connection->begin(arena);
    connection->set_total_deadline(deadline);
    auto* head = arena.make<http::RequestHead>(arena);
    fill_head(*head, request, endpoint->authority());
    Result<CallResponse> answer =
        co_await ask(*connection, *head, request, arena, deadline, attempt);
    const bool repeat = !answer && left > 0 && worth_another(*connection, reused, answer.error());
    settle(attempt, endpoint->pool(), std::move(connection), answer ? nullptr : &answer.error());
    if (!repeat) co_return answer;
  }
}

}  // namespace

loop::Task<Result<CallResponse>> Exchange::call(std::string_view name, CallRequest request,
                                                Deadline deadline) {
  std::shared_ptr<upstream::Service> target = find_service(snapshot, name);
  if (target == nullptr) co_return fail(ErrorKind::invalid, "there is no such service");
  co_return co_await call_service(core.loop(), std::move(target), std::move(request), arena_,
                                  deadline);
}

}  // namespace doorward::exchange
