#include "codec/h2/refusal.h"

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
