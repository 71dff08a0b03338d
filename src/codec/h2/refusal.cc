#include "codec/h2/refusal.h"

#include <algorithm>
#include <array>

namespace doorward::codec::h2 {
namespace {

struct Row {
  std::string_view code;
  int status;
  std::string_view sentence;
};

constexpr std::array<Row, static_cast<std::size_t>(Refusal::count_)> kRows = {
    {{"none", 200, ""},
#define DOORWARD_H2_REFUSAL_ROW(id, status, text) {#id, status, text},
     DOORWARD_H2_REFUSALS(DOORWARD_H2_REFUSAL_ROW)
#undef DOORWARD_H2_REFUSAL_ROW
    }};

const Row& row(Refusal refusal) { return kRows[static_cast<std::size_t>(refusal)]; }

}  // namespace

std::string_view to_string(Refusal refusal) { return row(refusal).code; }
int status_of(Refusal refusal) { return row(refusal).status; }
std::string_view sentence(Refusal refusal) { return row(refusal).sentence; }

std::span<const std::string_view> refusal_codes() {
  constexpr auto kH1 = static_cast<std::size_t>(h1::Refusal::count_);
  static const auto all = [] {
    std::array<std::string_view, kH1 + kRows.size() - 1> codes;
    for (std::size_t i = 0; i < kH1; ++i) codes[i] = h1::to_string(static_cast<h1::Refusal>(i));
    for (std::size_t i = 1; i < kRows.size(); ++i) codes[kH1 + i - 1] = kRows[i].code;
    return codes;
  }();
  return all;
}

unsigned number_of_refusal(std::string_view code) {
  const std::span<const std::string_view> all = refusal_codes();
  const auto at = std::ranges::find(all, code);
  return at == all.end() ? 0 : static_cast<unsigned>(at - all.begin());
}

BadRequest bad_request(h1::Refusal refusal) {
  return {static_cast<std::uint16_t>(h1::status_of(refusal)), h1::to_string(refusal),
          h1::sentence(refusal), static_cast<unsigned>(refusal)};
}

BadRequest bad_request(Refusal refusal) {
  constexpr unsigned kBehind = static_cast<unsigned>(h1::Refusal::count_) - 1;
  return {static_cast<std::uint16_t>(status_of(refusal)), to_string(refusal), sentence(refusal),
          kBehind + static_cast<unsigned>(refusal)};
}

}  // namespace doorward::codec::h2
