// PolicyChain: the policies of one route, compiled: for each function a short list of those that
// have it, so that a function nobody has costs nothing. Request functions run in the order of the
// configuration, response functions in reverse.
//
// Owner: a Snapshot's route; immutable, used by all cores. What it needs for one exchange is that
// exchange's ChainState. Subtle: no run_…() makes a coroutine before some policy really waits.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "policy/policy.h"

namespace doorward::policy {

// What becomes of a policy's decisions.
enum class Mode : std::uint8_t {
  enforce,  // they hold
  shadow,   // they are made on copies, and reported
  off,      // it is not asked
};
std::string_view to_string(Mode mode);

// Which of its five functions a class has.
struct Functions {
  bool request = false;
  bool request_body = false;
  bool response = false;
  bool response_body = false;
  bool log = false;
};

// An inherited member has the base's type: so the compiler knows what P overrides.
template <class P>
constexpr Functions functions_of() {
  return {
      .request = !std::is_same_v<decltype(&P::on_request), decltype(&Policy::on_request)>,
      .request_body =
          !std::is_same_v<decltype(&P::on_request_body), decltype(&Policy::on_request_body)>,
      .response = !std::is_same_v<decltype(&P::on_response), decltype(&Policy::on_response)>,
      .response_body =
          !std::is_same_v<decltype(&P::on_response_body), decltype(&Policy::on_response_body)>,
      .log = !std::is_same_v<decltype(&P::on_log), decltype(&Policy::on_log)>,
  };
}

// One policy in a chain.
struct ChainStep {
  std::shared_ptr<const Policy> policy;
  std::string name;  // as replies and logs call it: the name in the configuration, or the kind
  std::string kind;
  Mode mode = Mode::enforce;
  Functions functions;
};

template <class P>
ChainStep make_step(std::shared_ptr<const P> policy, std::string name, std::string kind,
                    Mode mode = Mode::enforce) {
  return {std::move(policy), std::move(name), std::move(kind), mode, functions_of<P>()};
}

// Where an exchange is in its chain. Owner: the exchange; PolicyChain::prepare fills it.
struct ChainState {
  void** slots = nullptr;        // PolicyContext::state_slot() is slots[current]
  std::uint16_t current = 0;     // the policy that runs now
  std::uint16_t reached = 0;     // policies below it let the request pass
  std::uint16_t responding = 0;  // policies below it see the response
};

class PolicyChain {
 public:
  PolicyChain() = default;
  // Leaves out what is off, wraps what is in shadow mode.
  explicit PolicyChain(std::vector<ChainStep> steps);

  // What of it the exchange must call at all.
  bool has_request() const { return !request_.empty(); }
  bool has_response() const { return !response_.empty(); }
  bool has_log() const { return !log_.empty(); }
  BodyNeed request_body_need() const { return need(request_body_); }
  BodyNeed response_body_need() const { return need(response_body_); }

  // Before the first run of an exchange.
  void prepare(ChainState& state, Arena& arena) const;

  // A reply of a policy ends the run. Its `policy` is that policy's name.
  Verdict run_request(PolicyContext& context, ChainState& state) const;
  Verdict run_request_body(PolicyContext& context, ChainState& state, BodyPiece& piece) const;
  // Only policies that let the request pass, the last one first. After a policy's own reply the
  // next run (on that reply) goes on with the policies before it.
  Verdict run_response(PolicyContext& context, ChainState& state) const;
  Verdict run_response_body(PolicyContext& context, ChainState& state, BodyPiece& piece) const;
  // All that saw the request, the one that replied too.
  void run_log(PolicyContext& context, ChainState& state) const;

  // In their order, without those that are off.
  std::span<const ChainStep> steps() const { return steps_; }

 private:
  using List = std::vector<std::uint16_t>;  // places in steps_, in the order of running
  struct Run;
  static BodyNeed need(const List& list) {
    return list.empty() ? BodyNeed::none : BodyNeed::stream;
  }

  std::vector<ChainStep> steps_;
  List request_, request_body_, response_, response_body_, log_;
};

}  // namespace doorward::policy
