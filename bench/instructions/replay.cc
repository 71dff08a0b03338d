// replay: runs one case so many times. bench/instructions/guard.py runs it under callgrind with two
// counts; the difference, by request, is the cost without the program's start.
// A new case is a function in a case file, a line in replay.h and a line here.
#include "replay.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace doorward::replay {
namespace {

// A whole exchange over in-memory streams belongs here once exchange/ can be driven without
// sockets: it is the case that says what a request costs in user space.
// clang-format off
constexpr Case kCases[] = {
    {"parse_request", parse_request},
    {"parse_browser_request", parse_browser_request},
    {"parse_response", parse_response},
    {"forward_heads", forward_heads},
    {"decode_chunks_48k", decode_chunks},
    {"normalize_target", normalize_target},
    {"match_10_routes", match_10_routes},
    {"match_10000_routes", match_10000_routes},
};
// clang-format on

}  // namespace

void misread(const char* what) {
  std::fprintf(stderr, "replay: %s was not understood\n", what);
  std::exit(1);
}

}  // namespace doorward::replay

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--list") {
    for (const auto& each : doorward::replay::kCases) std::puts(each.name);
    return 0;
  }
  for (const auto& each : doorward::replay::kCases) {
    if (argc != 3 || std::string_view(argv[1]) != each.name) continue;
    each.run(static_cast<unsigned>(std::atoi(argv[2])));
    return 0;
  }
  std::fprintf(stderr, "usage: replay --list | replay CASE REQUESTS\n");
  return 2;
}
