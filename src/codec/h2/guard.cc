#include "codec/h2/guard.h"

#include <algorithm>

namespace doorward::codec::h2 {
namespace {

struct Row {
  std::string_view code;
  std::int64_t burst;
  std::int64_t a_second;
  std::int64_t tenths_useful;
};

constexpr std::array<Row, static_cast<std::size_t>(Abuse::count_)> kRows = {
    {{"none", 0, 0, 0},
#define DOORWARD_H2_ABUSE_ROW(id, burst, rate, useful) {#id, burst, rate, useful},
     DOORWARD_H2_ABUSES(DOORWARD_H2_ABUSE_ROW)
#undef DOORWARD_H2_ABUSE_ROW
    }};

constexpr std::int64_t kUsefulMost = 1'000'000;  // a cap against overflow

}  // namespace

std::string_view to_string(Abuse abuse) { return kRows[static_cast<std::size_t>(abuse)].code; }

Guard::Guard() {
  for (std::size_t i = 0; i < kRows.size(); ++i) budgets_[i].tenths = kRows[i].burst * 10;
}

void Guard::completed() {
  constexpr std::int64_t kTenths = 5;
  constexpr auto kReset = static_cast<std::size_t>(Abuse::rapid_reset);
  budgets_[kReset].tenths = std::min(budgets_[kReset].tenths + kTenths, kRows[kReset].burst * 10);
}

bool Guard::overdrawn(Abuse kind, TimePoint now) {
  const Row& row = kRows[static_cast<std::size_t>(kind)];
  Budget& budget = budgets_[static_cast<std::size_t>(kind)];
  if (budget.filled == TimePoint{}) budget.filled = now;
  using std::chrono::milliseconds;
  const auto passed = std::chrono::duration_cast<milliseconds>(now - budget.filled);
  const std::int64_t filled =
      std::min<std::int64_t>(passed.count(), kUsefulMost) * row.a_second / 100;
  if (filled > 0) budget.filled = now;
  const auto useful =
      static_cast<std::int64_t>(std::min<std::uint64_t>(useful_ - budget.useful_seen, kUsefulMost));
  budget.useful_seen = useful_;
  budget.tenths = std::min(budget.tenths + filled + useful * row.tenths_useful, row.burst * 10);
  budget.tenths -= 10;
  return budget.tenths < 0;
}

}  // namespace doorward::codec::h2
