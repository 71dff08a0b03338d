#include "codec/websocket/refusal.h"

#include <array>

namespace doorward::codec::websocket {
namespace {

struct Entry {
  std::string_view name;
  CloseCode code;
  std::string_view sentence;
};

constexpr std::array kEntries = {Entry{"none", CloseCode::protocol_error, ""},
#define DOORWARD_WEBSOCKET_ENTRY(name, code, sentence) Entry{#name, CloseCode::code, sentence},
                                 DOORWARD_WEBSOCKET_REFUSALS(DOORWARD_WEBSOCKET_ENTRY)
#undef DOORWARD_WEBSOCKET_ENTRY
};

const Entry& entry(Refusal refusal) { return kEntries[static_cast<std::size_t>(refusal)]; }

}  // namespace

std::string_view to_string(Refusal refusal) { return entry(refusal).name; }
std::string_view sentence(Refusal refusal) { return entry(refusal).sentence; }
CloseCode close_code(Refusal refusal) { return entry(refusal).code; }

}  // namespace doorward::codec::websocket
