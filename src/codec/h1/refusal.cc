// The table of refusals, made from the list in the header.
// Static text only.
#include "codec/h1/refusal.h"

#include <array>

namespace doorward::codec::h1 {
namespace {

struct Row {
  std::string_view code;
  int status;
  std::string_view sentence;
};

constexpr std::array<Row, static_cast<std::size_t>(Refusal::count_)> kRows = {
    {{"none", 200, ""},
#define DOORWARD_H1_REFUSAL_ROW(id, status, text) {#id, status, text},
     DOORWARD_H1_REFUSALS(DOORWARD_H1_REFUSAL_ROW)
#undef DOORWARD_H1_REFUSAL_ROW
    }};

const Row& row(Refusal refusal) { return kRows[static_cast<std::size_t>(refusal)]; }

}  // namespace

std::string_view to_string(Refusal refusal) { return row(refusal).code; }
int status_of(Refusal refusal) { return row(refusal).status; }
std::string_view sentence(Refusal refusal) { return row(refusal).sentence; }

}  // namespace doorward::codec::h1
