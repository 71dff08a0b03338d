#include "exchange/debug_answer.h"

#include <algorithm>
#include <fmt/format.h>

#include "exchange/core.h"
#include "exchange/exchange.h"
#include "exchange/told.h"
#include "route/explain.h"
#include "text/constant_time.h"

namespace doorward::exchange {
namespace {

using http::HeaderName;
using schema::Json;
using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr std::size_t kLongestText = 120;
constexpr std::size_t kNearRoutes = 3;
constexpr std::size_t kMostNotes = 32;
constexpr std::size_t kMostFailed = 4;

TimePoint clock_now() { return std::chrono::steady_clock::now(); }

// Names of the configuration and bytes of the request alike.
std::string_view cut(std::string_view text) { return text.substr(0, kLongestText); }

// In printable ASCII: everything else is written as \uXXXX, what is no UTF-8 as \ufffd.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// Within the limit; what has to go is named.
std::string dump_short(Json json) {
  std::string text = dump(json);
  for (const char* part : {"others", "policies", "failed"}) {
    if (text.size() <= DebugAnswer::kMostBytes) return text;
    if (json.erase(part) == 0) continue;
    json["left_out"].push_back(part);
    text = dump(json);
  }
  return text.size() <= DebugAnswer::kMostBytes ? text : dump(Json::object({{"left_out", "all"}}));
}

std::string_view handler_name(const Handler& handler) {
  if (std::holds_alternative<handler::FixedResponse>(handler)) return "respond";
  return std::holds_alternative<handler::Redirect>(handler) ? "redirect" : "service";
}

// The policy that replied, as its place in the chain; the chain's size when none did. Names may
// stand in it twice.
std::size_t replying(const Exchange& x) {
  const auto steps = x.matched->chain.steps();
  if (x.deciding_policy.empty()) return steps.size();
  for (const std::size_t at : {x.chain_state.reached, x.chain_state.responding}) {
    if (at < steps.size() && steps[at].name == x.deciding_policy) return at;
  }
  const auto found = std::ranges::find(steps, x.deciding_policy, &policy::ChainStep::name);
  return static_cast<std::size_t>(found - steps.begin());
}

// One that comes twice is as good as none: who sends it does not know what it says.
bool shows_token(const Exchange& x, const http::HeaderList& headers) {
  const std::string& token = x.snapshot->debug_token;
  if (token.empty() || headers.count(HeaderName::doorward_debug) != 1) return false;
  return text::equal_in_constant_time(headers.value(HeaderName::doorward_debug), token);
}

loop::Task<void> run_and_tell(Exchange& x) {
  DebugAnswer answer(x);
  for (Step step = Step::accept_head; step != Step::done;) {
    if (step == Step::pump) answer.tell();
    answer.enter(step);
    step = co_await run_step(step, x);
  }
}

}  // namespace

DebugAnswer::DebugAnswer(Exchange& x) : x_(x), begun_(clock_now()), since_(begun_) {
  x_.debug = this;
}

DebugAnswer::~DebugAnswer() { x_.debug = nullptr; }

void DebugAnswer::enter(Step step) {
  const TimePoint now = clock_now();
  if (step_ != Step::done) {
    spent_[static_cast<std::size_t>(step_)] += now - since_;
    seen_[static_cast<std::size_t>(step_)] = true;
  }
  step_ = step;
  since_ = now;
  // A connection that failed is gone when the answer is made.
  if (x_.attempt.connection != nullptr) {
    backend_protocol_ = to_string(x_.attempt.connection->version());
  }
}

void DebugAnswer::note(std::string_view what, const http::Reply& reply) {
  if (notes_.size() == kMostNotes) return;
  notes_.push_back({x_.chain_state.current, what, told_reply(reply)});
}

void DebugAnswer::on_shadow_reply(const http::Reply& reply) { note("would_answer", reply); }

void DebugAnswer::on_skipped(const http::Reply& instead) { note("skipped", instead); }

void DebugAnswer::on_no_route(const route::RouteTable& table, const route::RouteRequest& request) {
  route::Explanation why = route::explain(table, request, kNearRoutes);
  for (route::ExplainedRoute& near : why.candidates) {
    for (std::string& reason : near.reasons) {
      if (reason.size() > kLongestText) reason.resize(kLongestText);
    }
  }
  result_ = route::to_string(why.why);
  others_ = told_routes(why);
}

void DebugAnswer::on_attempt_failed(const Error& why) {
  if (failed_.size() == kMostFailed) failed_.erase(failed_.begin());
  const auto took = duration_cast<microseconds>(clock_now() - x_.times.attempt());
  failed_.push_back({{"endpoint", cut(x_.attempt.endpoint->url())},
                     {"error", why.reason.empty() ? to_string(why.kind) : why.reason},
                     {"kept", x_.attempt.reused},
                     {"us", took.count()}});
  backend_protocol_ = {};
}

Json DebugAnswer::policies() {
  const auto steps = x_.matched->chain.steps();
  const std::size_t replied = replying(x_);
  Json list = Json::array();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Json entry = told_policy(steps[i].name, steps[i].kind, policy::to_string(steps[i].mode));
    if (i == replied) {
      entry["verdict"] = "reply";
      entry["answers"] = told_reply(*x_.reply_to_send);
    } else {
      entry["verdict"] = i > x_.chain_state.reached ? "not_reached" : "pass";
    }
    for (const Note& note : notes_) {
      if (note.place == i) entry[std::string(note.what)] = note.reply;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

void DebugAnswer::add_backend(Json& json) {
  if (x_.service != nullptr) json["service"] = x_.service->config().name;
  if (x_.attempt.endpoint) {
    json["endpoint"] = cut(x_.attempt.endpoint->url());
    if (!backend_protocol_.empty()) {
      json["backend_protocol"] = backend_protocol_;
      json["kept"] = x_.attempt.reused;
    }
  }
  if (x_.attempts > 0) json["attempts"] = x_.attempts;
  if (!failed_.empty()) json["failed"] = failed_;
}

Json DebugAnswer::times() const {
  Json times = Json::object();
  for (std::size_t i = 0; i < kSteps; ++i) {
    if (!seen_[i]) continue;
    times[std::string(to_string(static_cast<Step>(i)))] =
        duration_cast<microseconds>(spent_[i]).count();
  }
  return times;
}

Json DebugAnswer::answer() {
  Json json = {{"request_id", cut(x_.request_id())},
               {"listener", x_.listener.config->name},
               {"protocol", to_string(x_.request().version)}};
  if (x_.matched != nullptr) {
    json["route"] = x_.matched->name;
    json["policies"] = policies();
    json["handler"] = handler_name(x_.matched->handler);
  } else if (!others_.is_null()) {
    json["result"] = result_;
    json["others"] = others_;
  }
  add_backend(json);
  if (!x_.error_code.empty()) json["error"] = cut(x_.error_code);
  if (!x_.backend_fault.empty()) json["fault"] = cut(x_.backend_fault);
  json["steps_us"] = times();
  json["so_far_us"] = duration_cast<microseconds>(since_ - begun_).count();
  return json;
}

// W3C Server Timing: milliseconds, which browsers' tools draw.
std::string DebugAnswer::server_timing() const {
  const auto millis = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  std::string text;
  for (std::size_t i = 0; i < kSteps; ++i) {
    if (!seen_[i]) continue;
    text += fmt::format("{};dur={:.3f}, ", to_string(static_cast<Step>(i)), millis(spent_[i]));
  }
  return text + fmt::format("total;dur={:.3f}", millis(since_ - begun_));
}

// Nobody may keep a copy for others, whatever else the response says of caches: of contradictory
// directives the strictest holds (RFC 9111 §4.2.1).
void DebugAnswer::tell() {
  enter(step_);  // so far
  http::HeaderList& headers = x_.response().headers;
  headers.set(HeaderName::doorward_debug, x_.arena().copy(dump_short(answer())));
  headers.add(HeaderName::server_timing, x_.arena().copy(server_timing()));
  headers.add(HeaderName::cache_control, "no-store");
}

loop::Task<void> run_debugged(Exchange& x) {
  http::HeaderList& headers = x.request().headers;
  const bool asked = shows_token(x, headers);
  headers.remove(HeaderName::doorward_debug);
  return asked ? run_and_tell(x) : run_steps(x, Step::accept_head);
}

}  // namespace doorward::exchange
