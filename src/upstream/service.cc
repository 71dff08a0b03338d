#include "upstream/service.h"

#include <algorithm>

#include "codec/h2/refusal.h"

namespace doorward::upstream {
namespace {

// What a name's weight is a multiple of, so that up to 16 addresses share it without rest.
constexpr std::int64_t kShares = 720'720;

Error without_endpoint() {
  return {ErrorKind::unavailable,
          Side::doorward,
          Retry::no,
          0,
          "no_endpoint",
          "The service has no endpoint to ask."};
}

Error exhausted(std::string_view why) {
  return {ErrorKind::unavailable, Side::doorward,  Retry::yes, 0,
          "pool_exhausted",       std::string(why)};
}

Error unresolved(Error why) {
  why.side = Side::backend;
  why.retry = Retry::yes;
  why.reason = "name_unresolved";
  return why;
}

codec::h1::ClientSettings http1_settings(const ServiceConfig& config) {
  codec::h1::ClientSettings settings;
  settings.parse.head_bytes = static_cast<std::uint32_t>(config.limits.header_bytes.count);
  settings.parse.header_count = config.limits.header_count;
  settings.parse.line_length = settings.parse.head_bytes;
  settings.idle_timeout = config.timeouts.idle;
  return settings;
}

codec::h2::ClientSettings http2_settings(const ServiceConfig& config) {
  const codec::h1::ClientSettings same = http1_settings(config);
  codec::h2::ClientSettings settings;
  settings.parse = same.parse;
  settings.idle_timeout = same.idle_timeout;
  settings.session.max_concurrent_streams = config.http2.max_concurrent_streams;
  settings.session.stream_window = static_cast<std::uint32_t>(config.http2.stream_window.count);
  settings.session.connection_window =
      static_cast<std::uint32_t>(config.http2.connection_window.count);
  settings.ping_every = config.http2.ping_every;
  settings.ping_timeout = config.http2.ping_timeout;
  return settings;
}

}  // namespace

Service::Service(const Discovery::Tools& tools, tls::PerCore& core,
                 std::shared_ptr<const ServiceConfig> config,
                 std::shared_ptr<const tls::ClientContext> tls, observe::ServiceSeries series)
    : loop_(tools.loop),
      config_(std::move(config)),
      series_(series),
      settings_{tools.loop, core,           tools.events, connections_, *config_,
                series_,    std::move(tls), {},           {},           {}},
      unresolved_(without_endpoint()),
      queue_(tools.loop, *this) {
  settings_.http1 = http1_settings(*config_);
  settings_.http2 = http2_settings(*config_);
  settings_.http2_over_tls = settings_.http2;
  settings_.http2_over_tls.https = true;
  Discovery::Sink& sink = *this;
  for (const EndpointConfig& endpoint : config_->endpoints) {
    if (endpoint.weight == 0) continue;  // taken out
    discoveries_.push_back(std::make_unique<Discovery>(tools, endpoint, config_->name, sink));
  }
  for (const auto& discovery : discoveries_) discovery->start();
}

Endpoint* Service::choose_among_many(const Tried& tried, Want want) {
  Endpoint* endpoint = best(tried, want, false);
  return endpoint != nullptr ? endpoint : best(tried, want, true);
}

// Smooth weighted round robin, as nginx does it: every turn each candidate gains its weight, the
// richest is taken and pays the sum. Spreads heavy endpoints evenly over a round.
Endpoint* Service::best(const Tried& tried, Want want, bool failing_too) {
  Weighted* richest = nullptr;
  Endpoint* full = nullptr;
  std::int64_t sum = 0;
  for (Weighted& candidate : endpoints_) {
    if (tried.has(*candidate.endpoint)) continue;
    if (!failing_too && candidate.endpoint->failing(loop_.now())) continue;
    if (candidate.endpoint->pool().full(want)) [[unlikely]] {
      full = candidate.endpoint.get();
      continue;
    }
    candidate.current += candidate.weight;
    sum += candidate.weight;
    if (richest == nullptr || candidate.current > richest->current) richest = &candidate;
  }
  if (richest == nullptr) return full;
  richest->current -= sum;
  return richest->endpoint.get();
}

bool Service::has_untried(const Tried& tried) const {
  return std::ranges::any_of(endpoints_,
                             [&](const Weighted& w) { return !tried.has(*w.endpoint); });
}

bool Service::names_pending() const {
  return std::ranges::any_of(discoveries_, [](const auto& d) { return d->pending(); });
}

Place Service::place_at(EndpointRef endpoint, Want want) {
  Pool& pool = endpoint->pool();
  Place place{std::move(endpoint), nullptr, pool.alone(want)};
  if (pool.may_take(want)) place.connection = pool.take(want);
  if (place.connection == nullptr) pool.reserve(place.alone);
  return place;
}

// How long it may wait, if at all.
Result<Deadline> Service::patience(const Waiter& waiter) const {
  if (endpoints_.empty()) {
    if (!names_pending()) return Failure(unresolved_);
    return Deadline::after(loop_.now(), config_->timeouts.connect);
  }
  if (!has_untried(waiter.tried())) return Failure(without_endpoint());
  if (queue_.size() >= config_->pool.queue.size) {
    return Failure(exhausted("All connections are in use, and no further request may wait."));
  }
  return Deadline::after(loop_.now(), config_->pool.queue.timeout);
}

loop::Task<Result<Place>> Service::await_place(Waiter& waiter, Deadline deadline) {
  const Result<Deadline> by = patience(waiter);
  if (!by) co_return Failure(by.error());
  const TimePoint since = loop_.now();
  series_.raise(observe::Metric::service_waiting);
  Result<Place> place = co_await queue_.wait(waiter, by->earlier(deadline));
  series_.lower(observe::Metric::service_waiting);
  series_.observe(observe::Metric::service_wait, micros(since, loop_.now()));
  if (place || place.error().kind != ErrorKind::timeout) co_return place;
  if (endpoints_.empty()) {
    place.error().cause = "the name of its endpoint was not resolved in time";
    co_return Failure(unresolved(std::move(place.error())));
  }
  co_return Failure(exhausted("All connections are in use, and none became free in time."));
}

// Who wants a connection alone does not keep those behind it from a stream of a shared one.
void Service::serve_queue() {
  for (std::size_t i = 0; i < queue_.size();) {
    const Want want = queue_.at(i).want();
    EndpointRef endpoint = choose(queue_.at(i).tried(), want);
    if (!endpoint) endpoint = choose({}, want);
    if (endpoint && !endpoint->pool().full(want)) {
      queue_.serve(i, place_at(std::move(endpoint), want));
    } else if (want == Want::alone) {
      ++i;
    } else {
      return;
    }
  }
}

// One at a time would wait for the same refusal; as long as another endpoint may do, they wait on.
void Service::on_connect_failed(const Error& why) {
  const bool all = std::ranges::all_of(
      endpoints_, [&](const Weighted& w) { return w.endpoint->failing(loop_.now()); });
  if (all) queue_.fail_all(why);
}

void Service::on_unresolved(const Discovery&, const Error& why) {
  unresolved_ = unresolved(why);
  if (endpoints_.empty() && !names_pending()) queue_.fail_all(unresolved_);
}

void Service::on_addresses(const Discovery& from, const std::vector<loop::Address>& now) {
  const bool dropped = drop_missing(from, now);
  const bool added = add_missing(from, now);
  if (!dropped && !added) return;
  const std::int64_t share =
      from.endpoint().weight * kShares / static_cast<std::int64_t>(now.size());
  for (Weighted& weighted : endpoints_) {
    if (weighted.from == &from) weighted.weight = std::max<std::int64_t>(1, share);
    weighted.current = 0;  // a new round
  }
  serve_queue();
}

bool Service::drop_missing(const Discovery& from, const std::vector<loop::Address>& now) {
  return std::erase_if(endpoints_, [&](const Weighted& weighted) {
           if (weighted.from != &from) return false;
           if (std::ranges::find(now, weighted.endpoint->address()) != now.end()) return false;
           weighted.endpoint->pool().retire();
           return true;
         }) > 0;
}

bool Service::add_missing(const Discovery& from, const std::vector<loop::Address>& now) {
  const std::size_t before = endpoints_.size();
  for (const loop::Address& address : now) {
    if (lists(from, address)) continue;
    endpoints_.push_back(
        {new Endpoint(settings_, queue_, from.endpoint(), address, next_number_++), &from});
  }
  return endpoints_.size() > before;
}

bool Service::lists(const Discovery& from, const loop::Address& address) const {
  return std::ranges::any_of(endpoints_, [&](const Weighted& weighted) {
    return weighted.from == &from && weighted.endpoint->address() == address;
  });
}

void Service::note_refusal(const Error& why) {
  if (why.kind != ErrorKind::protocol || why.side != Side::backend) return;
  if (const unsigned number = codec::h2::number_of_refusal(why.reason); number != 0) {
    series_.add_value(observe::Metric::service_parser_refusals, number);
  }
}

void Service::cut() {
  for (Weighted& weighted : endpoints_) weighted.endpoint->pool().cut();
}

// No exchange is left, so nobody waits.
loop::Task<void> Service::close() {
  for (Weighted& weighted : endpoints_) weighted.endpoint->pool().retire();
  for (const auto& discovery : discoveries_) co_await discovery->close();
  co_await connections_.close();
}

}  // namespace doorward::upstream
