// Compiling the lists, and the one loop that runs them.
#include "policy/chain.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "policy/shadow.h"

namespace doorward::policy {

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::enforce:
      return "enforce";
    case Mode::shadow:
      return "shadow";
    case Mode::off:
      return "off";
  }
  return {};
}

namespace {

using HeadFunction = Verdict (Policy::*)(PolicyContext&) const;
using BodyFunction = Verdict (Policy::*)(PolicyContext&, BodyPiece&) const;
enum class Way : std::uint8_t { request, response };

}  // namespace

// One function of a list of policies, from some place in the list on. A value: a coroutine that
// must go on later takes a copy.
struct PolicyChain::Run {
  std::span<const ChainStep> steps;
  std::span<const std::uint16_t> list;
  PolicyContext& context;
  ChainState& state;
  Way way;
  BodyPiece* piece = nullptr;  // of body functions
  HeadFunction head = nullptr;
  BodyFunction body = nullptr;

  bool is_reached(std::uint16_t index) const {
    return way == Way::request || index < state.responding;
  }

  Verdict call(std::uint16_t index) const {
    state.current = index;
    const Policy& policy = *steps[index].policy;
    return piece == nullptr ? (policy.*head)(context) : (policy.*body)(context, *piece);
  }

  // The end of the policy at `index`; true when the run ends with it.
  bool settle(std::uint16_t index, const Outcome& outcome) const {
    if (outcome.reply == nullptr) return false;
    outcome.reply->policy = steps[index].name;
    if (piece == nullptr) {
      state.responding = index;
      if (way == Way::request) state.reached = index;
    }
    return true;
  }

  Verdict start() const {
    for (std::size_t at = 0; at < list.size(); ++at) {
      const std::uint16_t index = list[at];
      if (!is_reached(index)) continue;
      Verdict verdict = call(index);
      if (!verdict.is_ready()) return go_on(*this, at, std::move(verdict));
      const Outcome outcome = verdict.take();
      if (settle(index, outcome)) return outcome;
    }
    return Outcome::pass();
  }

  // The policy at `at` waits, and after it perhaps others.
  static Verdict go_on(Run run, std::size_t at, Verdict waiting) {
    const bool on_request = run.piece == nullptr && run.way == Way::request;
    const std::uint16_t all = run.state.reached;
    if (on_request) run.state.reached = run.list[at];
    Outcome outcome = co_await std::move(waiting);
    while (!run.settle(run.list[at], outcome)) {
      do ++at;
      while (at < run.list.size() && !run.is_reached(run.list[at]));
      if (at >= run.list.size()) {
        if (on_request) run.state.reached = all;
        co_return Outcome::pass();
      }
      if (on_request) run.state.reached = run.list[at];
      outcome = co_await run.call(run.list[at]);
    }
    co_return outcome;
  }
};

PolicyChain::PolicyChain(std::vector<ChainStep> steps) {
  DOORWARD_CHECK(steps.size() < std::numeric_limits<std::uint16_t>::max());
  for (ChainStep& step : steps) {
    if (step.mode == Mode::off) continue;
    if (step.mode == Mode::shadow) {
      step.policy = std::make_shared<ShadowPolicy>(std::move(step.policy), step.name);
    }
    const auto index = static_cast<std::uint16_t>(steps_.size());
    const Functions has = step.functions;
    const Policy& policy = *step.policy;
    if (has.request) request_.push_back(index);
    if (has.response) response_.push_back(index);
    if (has.log) log_.push_back(index);
    if (has.request_body && policy.request_body_need() != BodyNeed::none) {
      request_body_.push_back(index);
    }
    if (has.response_body && policy.response_body_need() != BodyNeed::none) {
      response_body_.push_back(index);
    }
    steps_.push_back(std::move(step));
  }
  std::ranges::reverse(response_);
  std::ranges::reverse(response_body_);
}

void PolicyChain::prepare(ChainState& state, Arena& arena) const {
  const auto size = static_cast<std::uint16_t>(steps_.size());
  state = {nullptr, 0, size, size};
  if (size == 0) return;
  state.slots = arena.array<void*>(size);
  std::fill_n(state.slots, size, nullptr);
}

Verdict PolicyChain::run_request(PolicyContext& context, ChainState& state) const {
  Run run{steps_, request_, context, state, Way::request};
  run.head = &Policy::on_request;
  return run.start();
}

Verdict PolicyChain::run_request_body(PolicyContext& context, ChainState& state,
                                      BodyPiece& piece) const {
  Run run{steps_, request_body_, context, state, Way::request, &piece};
  run.body = &Policy::on_request_body;
  return run.start();
}

Verdict PolicyChain::run_response(PolicyContext& context, ChainState& state) const {
  Run run{steps_, response_, context, state, Way::response};
  run.head = &Policy::on_response;
  return run.start();
}

Verdict PolicyChain::run_response_body(PolicyContext& context, ChainState& state,
                                       BodyPiece& piece) const {
  Run run{steps_, response_body_, context, state, Way::response, &piece};
  run.body = &Policy::on_response_body;
  return run.start();
}

void PolicyChain::run_log(PolicyContext& context, ChainState& state) const {
  for (const std::uint16_t index : log_) {
    if (index > state.reached) continue;
    state.current = index;
    steps_[index].policy->on_log(context);
  }
}

}  // namespace doorward::policy
