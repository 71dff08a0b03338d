#include "exchange/steps.h"

#include <array>

namespace doorward::exchange {
namespace {

using StepFunction = loop::Task<Step> (*)(Exchange&);

constexpr std::array kSteps = {
#define DOORWARD_STEP_ENTRY(name, meaning) StepFunction{&steps::name},
    DOORWARD_STEPS(DOORWARD_STEP_ENTRY)
#undef DOORWARD_STEP_ENTRY
};

constexpr std::array<std::string_view, kSteps.size() + 1> kNames = {
#define DOORWARD_STEP_NAME(name, meaning) #name,
    DOORWARD_STEPS(DOORWARD_STEP_NAME)
#undef DOORWARD_STEP_NAME
        "done"};

}  // namespace

std::string_view to_string(Step step) { return kNames[static_cast<std::size_t>(step)]; }

loop::Task<Step> run_step(Step step, Exchange& x) {
  return kSteps[static_cast<std::size_t>(step)](x);
}

loop::Task<void> run_steps(Exchange& x, Step first) {
  Step step = first;
  while (step != Step::done) step = co_await kSteps[static_cast<std::size_t>(step)](x);
}

}  // namespace doorward::exchange
