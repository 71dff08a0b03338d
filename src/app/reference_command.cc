// The commands that print what the declarations say: `schema` and `docs`.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "app/commands.h"
#include "codec/h1/refusal.h"
#include "config/reference.h"
#include "exchange/problems.h"
#include "observe/prometheus.h"

namespace doorward::app {
namespace {

constexpr std::array kOfResponsesOnly = {
    codec::h1::Refusal::bad_status_line, codec::h1::Refusal::bad_status,
    codec::h1::Refusal::too_many_interim, codec::h1::Refusal::unexpected_upgrade};

bool of_responses_only(codec::h1::Refusal refusal) {
  return std::ranges::find(kOfResponsesOnly, refusal) != kOfResponsesOnly.end();
}

std::string problems_page() {
  std::string text =
      "# Problem codes\n\n"
      "Every reply that Doorward makes itself is `application/problem+json` (RFC 9457) with one "
      "of\n"
      "these codes. They are stable: a code never changes its meaning.\n\n"
      "| code | status | meaning |\n| --- | --- | --- |\n";
  for (const exchange::Problem& problem : exchange::kProblems) {
    text += fmt::format("| `{}` | {} | {} |\n", problem.code, problem.status, problem.meaning);
  }
  text +=
      "\n## Malformed HTTP/1.1\n\n"
      "Why a request is refused. A response of a backend with the same fault, or with one of the "
      "last\ntable, is answered with 502 `backend_protocol_error`, whose `detail` begins with the "
      "code.\n\n"
      "| code | status | meaning |\n| --- | --- | --- |\n";
  for (unsigned i = 1; i < static_cast<unsigned>(codec::h1::Refusal::count_); ++i) {
    const auto refusal = static_cast<codec::h1::Refusal>(i);
    if (of_responses_only(refusal)) continue;
    text += fmt::format("| `{}` | {} | {} |\n", to_string(refusal), status_of(refusal),
                        sentence(refusal));
  }
  text += "\n## Only of responses\n\n| fault | meaning |\n| --- | --- |\n";
  for (const codec::h1::Refusal refusal : kOfResponsesOnly) {
    text += fmt::format("| `{}` | {} |\n", to_string(refusal), sentence(refusal));
  }
  return text;
}

bool write_page(const std::filesystem::path& path, const std::string& text) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  fmt::print(stderr, "doorward: cannot write {}: {}\n", path.string(), std::strerror(errno));
  return false;
}

}  // namespace

int print_schema() {
  fmt::print("{}\n", config::json_schema(config::policy_kinds()).dump(2));
  return 0;
}

int write_reference(const std::string& folder) {
  const std::filesystem::path root(folder);
  bool ok = write_page(root / "problems.md", problems_page());
  ok = write_page(root / "metrics.md", observe::render_metrics_reference()) && ok;
  for (const config::Page& page : config::reference_pages(config::policy_kinds())) {
    ok = write_page(root / page.path, page.text) && ok;
  }
  return ok ? 0 : kSystemFailure;
}

}  // namespace doorward::app
