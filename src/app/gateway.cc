#include "app/gateway.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "app/revoked_certificates.h"
#include "codec/h2/refusal.h"
#include "codec/h2/session.h"
#include "exchange/problems.h"
#include "observe/prometheus.h"
#include "tls/reasons.h"

namespace doorward::app {
namespace {

std::vector<std::string> one_line_each(const schema::Diagnostics& diagnostics,
                                       schema::Severity severity) {
  std::vector<std::string> lines;
  for (const schema::Diagnostic& diagnostic : diagnostics.sorted()) {
    if (diagnostic.severity != severity) continue;
    const std::string text = diagnostic.to_text();
    lines.push_back(text.substr(0, text.find('\n')));
  }
  return lines;
}

}  // namespace
Gateway::Gateway(RunOptions options, observe::EventLog& events, Upgrade& upgrade)
    : options_(std::move(options)),
      events_(events),
      upgrade_(upgrade),
      shard_(metrics_.make_shard()),
      log_shard_(metrics_.make_shard()) {}

Gateway::~Gateway() {
  for (CoreThread& core : cores_) {  // only after a failed start
    core.core->loop().post([c = core.core] { c->drain(Duration(0)); });
  }
  if (!cores_.empty()) end_.set_value();
  for (CoreThread& core : cores_) {
    core.thread.join();
  }
}

// Compiles what is on disk now. All findings are in `diagnostics`.
std::shared_ptr<const exchange::Snapshot> Gateway::prepare(std::optional<config::Loaded>& loaded,
                                                           schema::Diagnostics& diagnostics) {
  loaded = options_.config.empty() ? config::load_upstream(options_.upstream, diagnostics)
                                   : config::load(options_.config, diagnostics);
  if (!loaded) return nullptr;
  seen_ = {loaded->named_files, loaded->text, loaded->hash};
  const config::CompileTools tools{metrics_,     events_,         log_shard_,
                                   core_count(), snapshot_.get(), &loaded->written};
  return config::compile(loaded->model, tools, diagnostics);
}

unsigned Gateway::core_count() const {
  return options_.workers != 0 ? options_.workers
                               : std::max(1u, std::thread::hardware_concurrency());
}

Result<void> Gateway::start() {
  Result<std::unique_ptr<loop::Loop>> loop = loop::Loop::create({.backend = loop::Backend::epoll});
  if (!loop) return Failure(std::move(loop.error()));
  loop_ = std::move(*loop);
  name_metrics();
  schema::Diagnostics diagnostics;
  std::optional<config::Loaded> loaded;
  snapshot_ = prepare(loaded, diagnostics);
  if (snapshot_ == nullptr) return fail(ErrorKind::invalid, diagnostics.to_text());
  admin_config_ = loaded->model.admin;
  tell_use(loaded->model, diagnostics);
  sockets_.inherit(upgrade_.inherited());
  if (Result<void> done = start_cores(); !done) return done;
  if (Result<void> done = open_sockets(*snapshot_); !done) return done;
  if (Result<void> done = start_admin(loaded->model); !done) return done;
  sockets_.close_unclaimed();
  use(snapshot_, [this] {
    if (!upgrade_.say_ready()) return give_way();
    ready_ = true;
    events_.info("ready",
                 {{"cores", core_count()},
                  {"pid", getpid()},
                  {"config", options_.config.empty() ? options_.upstream : options_.config}});
  });
  for (const auto& listener : snapshot_->listeners) add_listener(listener);
  return {};
}

// The admin listener stays as it began: whoever reloads through it must not lose it.
void Gateway::keep_admin(config::Model& model) {
  if (model.admin == admin_config_) return;
  events_.warning("admin_change_ignored",
                  {{"hint", "the admin listener stays as it is until a restart or an upgrade"}});
  model.admin = admin_config_;
}

// What is in use from now on.
void Gateway::tell_use(const config::Model& model, const schema::Diagnostics& diagnostics) {
  tell_time(observe::Metric::config_loaded_time);
  config_json_ = config::kModelSchema.to_json(model).dump(2, ' ', false,
                                                          schema::Json::error_handler_t::replace);
  for (const std::string& line : one_line_each(diagnostics, schema::Severity::warning)) {
    events_.warning("config_warning", {{"finding", line}});
  }
}

// The labels whose values the layers above the metrics know.
void Gateway::name_metrics() {
  std::vector<std::string_view> codes;
  for (const exchange::Problem& problem : exchange::kProblems) codes.push_back(problem.code);
  codes.push_back("malformed");
  metrics_.name_values(observe::Metric::replies, codes);
  metrics_.name_values(observe::Metric::parser_refusals, codec::h2::refusal_codes());
  metrics_.name_values(observe::Metric::service_parser_refusals, codec::h2::refusal_codes());
  std::vector<std::string_view> tls_reasons;
  for (const tls::Reason& reason : tls::reasons()) tls_reasons.push_back(reason.word);
  for (const observe::Metric metric :
       {observe::Metric::tls_handshake_failures, observe::Metric::tls_connections_broken,
        observe::Metric::service_tls_failures}) {
    metrics_.name_values(metric, tls_reasons);
  }
  metrics_.name_values(observe::Metric::http2_connections_broken, codec::h2::end_reasons());
  metrics_.name_values(observe::Metric::service_http2_broken, codec::h2::end_reasons());
  const std::string_view version = DOORWARD_VERSION;
  metrics_.name_values(observe::Metric::build_info, {&version, 1});
  shard_.set(observe::Metric::build_info, 1);  // of its first, and only, value
  tell_time(observe::Metric::start_time);
}

void Gateway::tell_time(observe::GaugeOf<observe::Scope::process> gauge) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  shard_.set(gauge, static_cast<std::uint64_t>(
                        std::chrono::duration_cast<std::chrono::seconds>(now).count()));
}

// All sockets of the snapshot that are not open yet; on failure none of them stays.
Result<void> Gateway::open_sockets(const exchange::Snapshot& snapshot) {
  std::vector<std::string> opened;
  for (const exchange::ListenerEntry& entry : snapshot.listeners) {
    const auto& listener = entry.config;
    const std::string key = listener->key();
    if (sockets_.has(key)) continue;
    Result<void> open = sockets_.open(key, listener->address, static_cast<unsigned>(cores_.size()));
    if (!open) {
      for (const std::string& name : opened) sockets_.close(name);
      open.error().cause = fmt::format("listener \"{}\": {}", listener->name, open.error().cause);
      return open;
    }
    opened.push_back(key);
  }
  return {};
}

// A loop belongs to the thread that made it, so each core is made by its own thread.
Result<void> Gateway::start_cores() {
  for (unsigned i = 0; i < core_count(); ++i) {
    std::promise<Result<exchange::Core*>> made;
    std::future<Result<exchange::Core*>> result = made.get_future();
    std::thread thread(&Gateway::run_core, this, i, std::ref(metrics_.make_shard()),
                       std::move(made));
    Result<exchange::Core*> core = result.get();
    if (!core) {
      thread.join();
      return Failure(std::move(core.error()));
    }
    ++cores_running_;
    if (i == 0) {
      events_.info("loop", {{"backend", (*core)->loop().name()},
                            {"reason", (*core)->loop().choice_reason()}});
    }
    cores_.push_back({*core, std::move(thread)});
  }
  return {};
}

void Gateway::run_core(unsigned index, observe::MetricsShard& metrics,
                       std::promise<Result<exchange::Core*>> made) {
  Result<std::unique_ptr<loop::Loop>> loop = loop::Loop::create({.backend = options_.backend});
  if (!loop) return made.set_value(Failure(std::move(loop.error())));
  exchange::Core core(index, std::move(*loop), metrics, events_);
  made.set_value(&core);
  core.loop().run();
  loop_->post([this] { core_ended(); });
  all_ended_.wait();  // until then others may still post to it
}

Result<void> Gateway::start_admin(const config::Model& model) {
  if (!model.admin) return {};
  // What a former process had made is known to its users already.
  const std::string& token =
      model.admin->token.empty() ? upgrade_.admin_token() : model.admin->token;
  admin_ = std::make_unique<admin::AdminServer>(*loop_, *this, token);
  if (Result<void> open = sockets_.open("admin", model.admin->address, 1); !open) {
    open.error().cause = fmt::format("admin: {}", open.error().cause);
    if (!model.admin_given) {  // nobody asked for it: no reason not to serve
      admin_.reset();
      events_.warning("admin_off", {{"reason", open.error().cause}});
      return {};
    }
    return open;
  }
  admin_->start(sockets_.of("admin").front());
  const std::string address = sockets_.bound("admin");
  made_token_ = model.admin->token.empty() ? token : "";
  if (admin_->shown_token().empty()) {
    events_.info("admin_listening", {{"address", address}});
  } else {
    made_token_ = admin_->shown_token();
    events_.info("admin_listening", {{"address", address}, {"token", made_token_}});
  }
  return {};
}

std::function<void()> Gateway::when_all_cores_did(std::function<void()> done) {
  auto left = std::make_shared<std::size_t>(cores_.size());
  return [this, left, done = std::move(done)] {
    loop_->post([left, done] {
      if (--*left == 0) done();
    });
  };
}

void Gateway::on_all_cores(std::function<void(exchange::Core&)> work, std::function<void()> done) {
  const std::function<void()> report = when_all_cores_did(std::move(done));
  for (CoreThread& core : cores_) {
    core.core->loop().post([c = core.core, work, report] {
      work(*c);
      report();
    });
  }
}

void Gateway::use(std::shared_ptr<const exchange::Snapshot> snapshot, std::function<void()> done) {
  on_all_cores([snapshot](exchange::Core& core) { core.use(snapshot); }, std::move(done));
}

void Gateway::add_listener(const exchange::ListenerEntry& listener) {
  const std::string key = listener.config->key();
  const std::vector<int>& fds = sockets_.of(key);
  const auto cores = static_cast<unsigned>(cores_.size());
  // A former process may have left more sockets than there are cores now: none may be deaf.
  for (std::size_t i = 0; i < fds.size(); ++i) {
    exchange::Core* core = cores_[i % cores].core;
    core->loop().post([core, listener, fd = fds[i], cores] { core->listen(listener, fd, cores); });
  }
  events_.info("listening",
               {{"listener", listener.config->name}, {"address", sockets_.bound(key)}});
}

void Gateway::remove_listener(const std::string& key) {
  sockets_.give_up(key, upgrading_);
  const std::function<void()> report = when_all_cores_did([this, key] { sockets_.closed(key); });
  for (CoreThread& core : cores_) {
    core.core->loop().post([c = core.core, key, report] { c->unlisten(key, report); });
  }
}

void Gateway::reload(std::string_view why) {
  if (draining_ || options_.config.empty()) return;
  const std::vector<std::string> errors = try_reload(why);
  shard_.add_value(observe::Metric::reloads, errors.empty() ? 0 : 1);
  if (errors.empty()) return;
  events_.error(
      "reload_failed",
      {{"why", why}, {"errors", std::span(errors)}, {"running", "the configuration before"}});
}

// Everything that can fail comes first; then nothing of the old configuration is touched by half.
std::vector<std::string> Gateway::try_reload(std::string_view why) {
  schema::Diagnostics diagnostics;
  std::optional<config::Loaded> loaded;
  std::shared_ptr<const exchange::Snapshot> fresh = prepare(loaded, diagnostics);
  if (fresh == nullptr) return one_line_each(diagnostics, schema::Severity::error);
  if (Result<void> open = open_sockets(*fresh); !open) return {open.error().cause};
  const auto old = std::exchange(snapshot_, std::move(fresh));
  old_snapshots_.push_back(old);
  keep_admin(loaded->model);
  tell_use(loaded->model, diagnostics);
  ++generation_;
  use(snapshot_, [] {});
  revoke_certificates(*old);
  on_all_cores([](exchange::Core&) {},
               [this, why = std::string(why), generation = generation_] {
                 events_.info("reloaded", {{"why", why}, {"generation", generation}});
               });
  change_listeners(*old);
  return {};
}

// Who is connected has passed the lists of then; who connects meets those of now.
void Gateway::revoke_certificates(const exchange::Snapshot& before) {
  for (Revoked& revoked : revoked_certificates(before, *snapshot_)) {
    events_.info("certificates_revoked",
                 {{"listener", revoked.listener}, {"certificates", revoked.credentials.size()}});
    revoke(std::move(revoked.credentials));
  }
}

// A few thousand in a turn of a core's loop, which has other things to do.
void Gateway::revoke(std::vector<std::string> credentials) {
  constexpr std::size_t kAtOnce = 4096;
  const auto all = std::make_shared<const std::vector<std::string>>(std::move(credentials));
  for (std::size_t first = 0; first < all->size(); first += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, all->size() - first);
    for (CoreThread& core : cores_) {
      core.core->loop().post([c = core.core, all, first, count] {
        for (std::size_t i = 0; i < count; ++i) c->credentials().revoke((*all)[first + i]);
      });
    }
  }
}

void Gateway::change_listeners(const exchange::Snapshot& before) {
  const auto find = [](const exchange::Snapshot& snapshot, const std::string& key) {
    const auto at = std::ranges::find_if(
        snapshot.listeners, [&](const auto& listener) { return listener.config->key() == key; });
    return at == snapshot.listeners.end() ? nullptr : at->config.get();
  };
  for (const auto& listener : snapshot_->listeners) {
    const exchange::ListenerConfig* old = find(before, listener.config->key());
    if (old == nullptr) {
      add_listener(listener);
    } else if (old->name != listener.config->name) {
      events_.info("listener_renamed", {{"from", old->name}, {"listener", listener.config->name}});
    }
  }
  for (const auto& listener : before.listeners) {
    const std::string key = listener.config->key();
    if (find(*snapshot_, key) == nullptr) remove_listener(key);
  }
}

void Gateway::drain(Duration patience) {
  if (std::exchange(draining_, true)) patience = Duration(0);  // asked twice: now
  ready_ = false;
  events_.info("draining", {{"patience_ms", patience.count()}});
  for (const auto& listener : snapshot_->listeners) {
    sockets_.give_up(listener.config->key(), upgrading_);
  }
  for (CoreThread& core : cores_) {
    core.core->loop().post([c = core.core, patience] { c->drain(patience); });
  }
}

// The control thread never frees a snapshot that a core might still hold, and cores never free one.
void Gateway::forget_old_snapshots() {
  std::erase_if(old_snapshots_, [](const auto& snapshot) { return snapshot.use_count() == 1; });
}

std::string Gateway::metrics_text() { return observe::render_prometheus(metrics_); }
std::string Gateway::config_text() { return config_json_; }

}  // namespace doorward::app
