#include "app/ocsp_refresh.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <set>

#include "http/uri.h"
#include "loop/socket.h"

namespace doorward::app {
namespace {

constexpr std::size_t kAtOnce = 4;
constexpr std::size_t kAddressesMax = 3;
constexpr std::size_t kAnswerMax = std::size_t{64} << 10;
constexpr Duration kPatience{10'000};
constexpr Duration kConnectPatience{3'000};
constexpr Duration kRetryFirst{60'000};
constexpr Duration kRetryMost{3'600'000};
constexpr Duration kRefreshLeast{60'000};
constexpr Duration kRefreshMost{24 * 3'600'000};

loop::Task<Result<std::string>> read_answer(codec::h1::ClientConnection& connection) {
  std::string answer;
  for (bool last = false; !last;) {
    Result<codec::Piece> piece = co_await connection.read_body();
    if (!piece) co_return Failure(std::move(piece.error()));
    answer += piece->chunk.view();
    if (answer.size() > kAnswerMax) co_return fail(ErrorKind::limit, "its answer is too large");
    last = piece->last;
  }
  co_return answer;
}

std::string minute(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%MZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace

void OcspRefresh::tick(loop::Loop& loop, const exchange::Snapshot& snapshot) {
  std::set<SlotPtr> served_now;
  for (const exchange::ListenerEntry& listener : snapshot.listeners) {
    if (listener.tls.empty()) continue;
    for (const tls::ServedCertificate& served :
         listener.tls.front()->settings().certificates->all()) {
      if (served.fetched == nullptr) continue;
      served_now.insert(served.fetched);
      Job& job = jobs_[served.fetched];
      if (job.busy || job.due > loop.now() || gate_.count() >= kAtOnce) continue;
      job.busy = true;
      gate_.spawn(refresh(loop, served.fetched, served.certificate));
    }
  }
  std::erase_if(
      jobs_, [&](const auto& job) { return !job.second.busy && !served_now.contains(job.first); });
}

loop::Task<void> OcspRefresh::stop() {
  stopped_ = true;
  if (resolver_) resolver_->cancel_all();
  for (codec::h1::ClientConnection* connection : open_) connection->abort();
  co_await gate_.close();
}

loop::Task<void> OcspRefresh::refresh(loop::Loop& loop, SlotPtr slot,
                                      tls::CertificatePtr certificate) {
  Result<tls::OcspQuestion> question = tls::ocsp_question(*certificate);
  Result<std::string> answer = std::string();
  if (question) {
    answer = co_await ask(loop, *std::move(question));
  } else {
    answer = Failure(std::move(question.error()));
  }
  const Result<WallTime> until = take(loop, *slot, *certificate, std::move(answer));
  settle(loop, jobs_[slot], *certificate, until);
}

// Until when the staple is good that the answer gave.
Result<WallTime> OcspRefresh::take(loop::Loop& loop, tls::OcspSlot& slot,
                                   const tls::Certificate& certificate,
                                   Result<std::string> answer) {
  if (!answer) return Failure(std::move(answer.error()));
  Result<tls::OcspStaplePtr> staple =
      tls::OcspStaple::parse("its answer", *answer, certificate, loop.wall_now());
  if (!staple) return Failure(std::move(staple.error()));
  slot.put(*staple);
  return (*staple)->next_update();
}

// The next time: half-way to the end of what there is, or later and later while it fails.
void OcspRefresh::settle(loop::Loop& loop, Job& job, const tls::Certificate& certificate,
                         const Result<WallTime>& until) {
  job.busy = false;
  if (until) {
    const auto left = std::chrono::duration_cast<Duration>(*until - loop.wall_now());
    job.due = loop.now() + std::clamp<Duration>(left / 2, kRefreshLeast, kRefreshMost);
    job.retry = kRetryFirst;
    events_.info("ocsp_fetched", {{"certificate", certificate.file()}, {"until", minute(*until)}});
    return;
  }
  job.retry = std::clamp(job.retry, kRetryFirst, kRetryMost);
  job.due = loop.now() + job.retry;
  if (until.error().kind != ErrorKind::cancelled) {
    events_.warning(
        "ocsp_failed",
        {{"certificate", certificate.file()},
         {"error", until.error().cause},
         {"retry_s", std::chrono::duration_cast<std::chrono::seconds>(job.retry).count()}});
  }
  job.retry *= 2;
}

loop::Task<Result<std::string>> OcspRefresh::ask(loop::Loop& loop, tls::OcspQuestion question) {
  Arena arena;
  const auto url = http::split_target(question.url);
  if (!url || url->form != http::TargetForm::absolute) {
    co_return fail(ErrorKind::invalid, "its responder's URL cannot be read");
  }
  const auto host = http::normalize_host(url->authority, arena);
  if (!host) co_return fail(ErrorKind::invalid, "its responder's host is not valid");
  const Deadline deadline = Deadline::after(loop.now(), kPatience);
  const auto port = static_cast<std::uint16_t>(host->port != 0 ? host->port : 80);
  auto socket = co_await connect(loop, std::string(host->host), port, deadline);
  if (!socket) co_return Failure(std::move(socket.error()));

  http::RequestHead head(arena);
  head.method = http::Method::post;
  head.method_text = "POST";
  head.target = arena.join(url->path, url->has_query ? "?" : "", url->query);
  head.headers.add(http::HeaderName::host, url->authority);
  head.headers.add(http::HeaderName::content_type, "application/ocsp-request");
  codec::h1::ClientConnection connection(loop, *std::move(socket), settings_);
  connection.begin(arena);
  connection.set_total_deadline(deadline);
  open_.push_back(&connection);
  auto answer = co_await post(connection, head, question.der, arena, deadline);
  std::erase(open_, &connection);
  co_return answer;
}

loop::Task<Result<std::unique_ptr<loop::Socket>>> OcspRefresh::connect(loop::Loop& loop,
                                                                       std::string host,
                                                                       std::uint16_t port,
                                                                       Deadline deadline) {
  if (!resolver_) resolver_.emplace(loop);
  Result<loop::Resolved> resolved = co_await resolver_->resolve(std::move(host), port, deadline);
  if (!resolved) co_return Failure(std::move(resolved.error()));
  Result<std::unique_ptr<loop::Socket>> socket = fail(ErrorKind::unresolved, "no address");
  const std::size_t count = std::min(resolved->addresses.size(), kAddressesMax);
  for (std::size_t i = 0; i < count && !socket && !stopped_; ++i) {
    const Deadline soon = Deadline::after(loop.now(), kConnectPatience);
    socket = co_await loop.connect(resolved->addresses[i], soon.earlier(deadline));
  }
  if (stopped_) co_return fail(ErrorKind::cancelled, "Doorward stops");
  co_return socket;
}

loop::Task<Result<std::string>> OcspRefresh::post(codec::h1::ClientConnection& connection,
                                                  const http::RequestHead& head,
                                                  std::string_view question, Arena& arena,
                                                  Deadline deadline) {
  Result<void> done = co_await connection.send_request(
      head, codec::BodySize::known(question.size()), question, true);
  http::ResponseHead response(arena);
  do {
    response.headers.clear();
    if (done) done = co_await connection.read_response(response, arena, deadline);
    if (!done) co_return Failure(std::move(done.error()));
  } while (response.status < 200);
  if (response.status != 200) {
    co_return fail(ErrorKind::protocol,
                   fmt::format("its responder answers with status {}", response.status));
  }
  co_return co_await read_answer(connection);
}

}  // namespace doorward::app
