#include "app/gateway.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "observe/prometheus.h"

namespace doorward::app {
Gateway::Gateway(RunOptions options, observe::EventLog& events, Upgrade& upgrade)
    : options_(std::move(options)),
      events_(events),
      upgrade_(upgrade),
      shard_(metrics_.make_shard()) {}

Gateway::~Gateway() {
  for (CoreThread& core : cores_) {
    if (core.thread.joinable()) core.thread.join();
  }
}

Result<void> Gateway::start() {
  Result<std::unique_ptr<loop::Loop>> loop = loop::Loop::create({.backend = loop::Backend::epoll});
  if (!loop) return Failure(std::move(loop.error()));
  loop_ = std::move(*loop);
  Result<config::Loaded> loaded = load();
  if (!loaded) return Failure(std::move(loaded.error()));
  const unsigned count = std::max(
      1u, options_.workers != 0 ? options_.workers : std::thread::hardware_concurrency());
  auto compiled = config::compile(loaded->model, {metrics_, events_, count, nullptr});
  if (!compiled) return Failure(std::move(compiled.error()));
  snapshot_ = *compiled;
  files_ = loaded->files;
  config_text_ = loaded->text;
  sockets_.inherit(upgrade_.inherited());
  if (Result<void> done = start_cores(count); !done) return done;
  if (Result<void> done = open_sockets(*snapshot_); !done) return done;
  if (Result<void> done = start_admin(loaded->model); !done) return done;
  sockets_.close_unclaimed();
  use(snapshot_, [] {});
  for (const auto& listener : snapshot_->listeners) add_listener(listener);
  for (CoreThread& core : cores_) {
    core.thread = std::thread([this, c = core.core.get()] {
      c->loop().run();
      loop_->post([this] { core_ended(); });
    });
  }
  cores_running_ = count;
  ready_ = true;
  events_.info("ready", {{"cores", count}, {"pid", getpid()}});
  upgrade_.say_ready();
  return {};
}

Result<config::Loaded> Gateway::load() {
  if (options_.config.empty()) return config::load_upstream(options_.upstream);
  return config::load(options_.config, events_);
}

// All sockets of the snapshot that are not open yet; on failure none of them stays.
Result<void> Gateway::open_sockets(const exchange::Snapshot& snapshot) {
  std::vector<std::string> opened;
  for (const auto& listener : snapshot.listeners) {
    const std::string key = listener->key();
    if (sockets_.has(key)) continue;
    Result<void> open =
        sockets_.open(key, listener->address, static_cast<unsigned>(cores_.size()));
    if (!open) {
      for (const std::string& name : opened) sockets_.close(name);
      open.error().cause = fmt::format("listener \"{}\": {}", listener->name, open.error().cause);
      return open;
    }
    opened.push_back(key);
  }
  return {};
}

Result<void> Gateway::start_cores(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    Result<std::unique_ptr<loop::Loop>> loop =
        loop::Loop::create({.backend = options_.backend});
    if (!loop) return Failure(std::move(loop.error()));
    if (i == 0) {
      events_.info("loop", {{"backend", (*loop)->name()}, {"reason", (*loop)->choice_reason()}});
    }
    cores_.push_back({std::make_unique<exchange::Core>(i, std::move(*loop),
                                                       metrics_.make_shard(), events_),
                      {}});
  }
  return {};
}

Result<void> Gateway::start_admin(const config::Model& model) {
  if (!model.admin.enabled) return {};
  admin_ = std::make_unique<admin::AdminServer>(*loop_, *this, model.admin);
  if (Result<void> open = sockets_.open("admin", model.admin.address, 1); !open) {
    open.error().cause = fmt::format("admin: {}", open.error().cause);
    return open;
  }
  admin_->start(sockets_.of("admin").front());
  events_.info("admin_listening", {{"address", sockets_.bound("admin")},
                                   {"token", admin_->shown_token()}});
  return {};
}

void Gateway::on_all_cores(std::function<void(exchange::Core&)> work, std::function<void()> done) {
  auto left = std::make_shared<std::size_t>(cores_.size());
  auto report = [this, left, done = std::move(done)] {
    loop_->post([left, done] {
      if (--*left == 0) done();
    });
  };
  for (CoreThread& core : cores_) {
    core.core->loop().post([c = core.core.get(), work, report] {
      work(*c);
      report();
    });
  }
}

void Gateway::use(std::shared_ptr<const exchange::Snapshot> snapshot, std::function<void()> done) {
  on_all_cores([snapshot](exchange::Core& core) { core.use(snapshot); }, std::move(done));
}

void Gateway::add_listener(const std::shared_ptr<const exchange::ListenerConfig>& listener) {
  const std::string key = listener->key();
  const observe::Slot slot = metrics_.slot(observe::Scope::listener, listener->name);
  const std::vector<int>& fds = sockets_.of(key);
  const auto cores = static_cast<unsigned>(cores_.size());
  // A former process may have left more sockets than there are cores now: none may be deaf.
  for (std::size_t i = 0; i < fds.size(); ++i) {
    exchange::Core* core = cores_[i % cores].core.get();
    core->loop().post([core, listener, fd = fds[i], slot, cores] {
      core->listen(listener, fd, slot, cores);
    });
  }
  events_.info("listening", {{"listener", listener->name}, {"address", sockets_.bound(key)}});
}

void Gateway::remove_listener(const std::string& key) {
  auto left = std::make_shared<std::size_t>(cores_.size());
  for (CoreThread& core : cores_) {
    core.core->loop().post([this, c = core.core.get(), key, left] {
      c->unlisten(key, [this, key, left] {
        loop_->post([this, key, left] {
          if (--*left == 0) sockets_.close(key);
        });
      });
    });
  }
}

void Gateway::reload(std::string_view why) {
  if (draining_ || options_.config.empty()) return;
  const Result<void> done = try_reload();
  shard_.add_value(observe::Metric::reloads, done ? 0 : 1);
  if (!done) {
    events_.error("reload_failed", {{"why", why},
                                    {"error", done.error().cause},
                                    {"running", "the configuration before"}});
  }
}

// Everything that can fail comes first; then nothing of the old configuration is touched by half.
Result<void> Gateway::try_reload() {
  Result<config::Loaded> loaded = load();
  if (!loaded) return Failure(std::move(loaded.error()));
  auto compiled = config::compile(
      loaded->model, {metrics_, events_, static_cast<unsigned>(cores_.size()), snapshot_.get()});
  if (!compiled) return Failure(std::move(compiled.error()));
  if (Result<void> open = open_sockets(**compiled); !open) return open;
  const auto old = std::exchange(snapshot_, *compiled);
  old_snapshots_.push_back(old);
  files_ = loaded->files;
  config_text_ = loaded->text;
  use(snapshot_, [this] { events_.info("reloaded", {{"routes", snapshot_->routes.size()}}); });
  const auto has = [](const exchange::Snapshot& snapshot, const std::string& key) {
    return std::ranges::any_of(snapshot.listeners,
                               [&](const auto& listener) { return listener->key() == key; });
  };
  for (const auto& listener : snapshot_->listeners) {
    if (!has(*old, listener->key())) add_listener(listener);
  }
  for (const auto& listener : old->listeners) {
    if (!has(*snapshot_, listener->key())) remove_listener(listener->key());
  }
  return {};
}

void Gateway::drain(Duration patience) {
  if (std::exchange(draining_, true)) patience = Duration(0);  // asked twice: now
  ready_ = false;
  events_.info("draining", {{"patience_ms", patience.count()}});
  for (CoreThread& core : cores_) {
    core.core->loop().post([c = core.core.get(), patience] { c->drain(patience); });
  }
}

// The control thread never frees a snapshot that a core might still hold, and cores never free one.
void Gateway::forget_old_snapshots() {
  std::erase_if(old_snapshots_, [](const auto& snapshot) { return snapshot.use_count() == 1; });
}

std::string Gateway::metrics_text() { return observe::render_prometheus(metrics_); }
std::string Gateway::config_text() { return config_text_; }

}  // namespace doorward::app
