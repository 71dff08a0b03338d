#include "exchange/core.h"

#include "loop/acceptor.h"

namespace doorward::exchange {
namespace {

constexpr std::size_t kKeptExchanges = 1024;  // at most 8 MB of a core
// How long a handshake may still take that began before nobody new was heard: longer than most
// round trips.
constexpr Duration kHandshake{200};

}  // namespace

Core::Core(unsigned index, std::unique_ptr<loop::Loop> loop, observe::MetricsShard& metrics,
           observe::EventLog& events)
    : index_(index),
      loop_(std::move(loop)),
      metrics_(metrics),
      events_(events),
      resolver_(*loop_),
      tls_(*loop_) {}

Core::~Core() {
  for (void* memory : free_exchanges_) ::operator delete(memory, std::align_val_t{64});
}

std::string_view Core::date() {
  using std::chrono::duration_cast;
  return date_.at(
      duration_cast<std::chrono::seconds>(loop_->wall_now().time_since_epoch()).count());
}

void Core::use(std::shared_ptr<const Snapshot> snapshot) {
  auto services = services_for(*snapshot);
  auto* fresh = new CoreSnapshot(std::move(snapshot), std::move(services));
  fresh->hold();
  CoreSnapshot* old = std::exchange(snapshot_, fresh);
  refresh_listeners();
  if (old != nullptr) drop(*old);
}

void Core::drop(CoreSnapshot& snapshot) {
  if (!snapshot.drop()) return;
  std::vector<std::shared_ptr<upstream::Service>> services = snapshot.services();
  delete &snapshot;
  for (auto& service : services) {
    if (service.use_count() == 1) services_.spawn(retire(std::move(service)));
  }
}

loop::Task<void> Core::retire(std::shared_ptr<upstream::Service> service) {
  retiring_.push_back(service.get());
  if (out_of_patience_) service->cut();
  co_await service->close();
  std::erase(retiring_, service.get());
}

std::vector<std::shared_ptr<upstream::Service>> Core::services_for(const Snapshot& snapshot) {
  std::vector<std::shared_ptr<upstream::Service>> services;
  for (const ServiceEntry& entry : snapshot.services) {
    std::shared_ptr<upstream::Service> kept;
    if (snapshot_ != nullptr) {
      for (const auto& old : snapshot_->services()) {
        if (old->config() == *entry.config) kept = old;
      }
    }
    if (kept == nullptr) {
      kept = std::make_shared<upstream::Service>(
          upstream::Discovery::Tools{*loop_, resolver_, events_}, tls_, entry.config,
          entry.tls.empty() ? nullptr : entry.tls[index_], metrics_.service(entry.slot));
    }
    services.push_back(std::move(kept));
  }
  return services;
}

void Core::refresh_listeners() {
  for (const ListenerEntry& entry : (*snapshot_)->listeners) {
    const auto at = listeners_.find(entry.config->key());
    if (at != listeners_.end()) at->second->use(entry);
  }
}

void Core::listen(const ListenerEntry& entry, int listening_fd, unsigned cores) {
  auto& listener = listeners_[entry.config->key()];
  if (listener == nullptr) listener = std::make_unique<ListenerState>(*this, entry, cores);
  listener->accept_from(listening_fd);
}

void Core::unlisten(const std::string& key, std::function<void()> closed) {
  const auto at = listeners_.find(key);
  if (at == listeners_.end()) return closed();
  std::erase_if(closed_listeners_, [](const auto& listener) { return listener->is_done(); });
  closed_listeners_.push_back(std::move(at->second));  // its connections still point at it
  listeners_.erase(at);
  gate_.spawn(close_listener(*closed_listeners_.back(), std::move(closed)));
}

loop::Task<void> Core::close_listener(ListenerState& listener, std::function<void()> closed) {
  co_await loop_->sleep(kHandshake);
  co_await listener.stop();
  listener.drain();
  if (out_of_patience_) listener.cut();
  listener.stopped = true;
  closed();
}

void Core::drain(Duration patience) {
  const bool again = std::exchange(draining_, true);
  loop_->timers().arm(cut_, Deadline::after(loop_->now(), patience));
  if (!again) lifetime_.spawn(shut_down());
}

void Core::on_timer(loop::Timer&) { cut_all(); }

// Patience is over: what is still open is cut.
void Core::cut_all() {
  for (auto& [name, listener] : listeners_) listener->cut();
  for (auto& listener : closed_listeners_) listener->cut();
  out_of_patience_ = true;
  for (upstream::Service* service : retiring_) service->cut();
}

loop::Task<void> Core::shut_down() {
  co_await loop_->sleep(kHandshake);
  for (auto& [name, listener] : listeners_) {
    co_await listener->stop();
    listener->drain();
  }
  if (out_of_patience_) cut_all();  // who came since
  co_await gate_.close();
  if (CoreSnapshot* last = std::exchange(snapshot_, nullptr)) drop(*last);
  resolver_.cancel_all();
  co_await services_.close();
  co_await tls_.close();
  loop_->timers().disarm(cut_);
  loop_->stop();
}

void Core::report_counters() {
  const loop::LoopCounters& counters = loop_->counters();
  metrics_.set_total(observe::Metric::loop_turns, counters.turns);
  metrics_.set_total(observe::Metric::loop_no_buffers, counters.buffers_exhausted);
  metrics_.set_total(observe::Metric::loop_overflows, counters.overflows);
}

Exchange* Core::make_exchange(ListenerState& listener, const ClientFacts& connection,
                              codec::ServerStream& client) {
  void* memory;
  if (free_exchanges_.empty()) {
    memory = ::operator new(sizeof(Exchange), std::align_val_t{64});
  } else {
    memory = free_exchanges_.back();
    free_exchanges_.pop_back();
  }
  snapshot_->hold();
  return new (memory) Exchange(*this, listener, connection, *snapshot_, client);
}

void Core::free_exchange(Exchange* exchange) {
  CoreSnapshot& snapshot = exchange->snapshot;
  exchange->~Exchange();
  if (free_exchanges_.size() < kKeptExchanges) {
    free_exchanges_.push_back(exchange);
  } else {
    ::operator delete(exchange, std::align_val_t{64});
  }
  drop(snapshot);
}

}  // namespace doorward::exchange
