// The commands that print what the declarations say: `schema` and `docs`.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "app/commands.h"
#include "codec/h1/refusal.h"
#include "codec/h2/refusal.h"
#include "config/reference.h"
#include "exchange/problems.h"
#include "observe/prometheus.h"
#include "tls/reasons.h"

namespace doorward::app {
namespace {

constexpr std::array kOfResponsesOnly = {
    codec::h1::Refusal::bad_status_line, codec::h1::Refusal::bad_status,
    codec::h1::Refusal::too_many_interim, codec::h1::Refusal::unexpected_upgrade};

bool of_responses_only(codec::h1::Refusal refusal) {
  return std::ranges::find(kOfResponsesOnly, refusal) != kOfResponsesOnly.end();
}

constexpr std::string_view kHeadOfCodes = "| code | status | meaning |\n| --- | --- | --- |\n";

template <typename Refusal>
std::string row(Refusal refusal) {
  return fmt::format("| `{}` | {} | {} |\n", to_string(refusal), status_of(refusal),
                     sentence(refusal));
}

std::string replies() {
  std::string text(kHeadOfCodes);
  for (const exchange::Problem& problem : exchange::kProblems) {
    text += fmt::format("| `{}` | {} | {} |\n", problem.code, problem.status, problem.meaning);
  }
  return text;
}

std::string http1_refusals() {
  std::string text(kHeadOfCodes);
  for (unsigned i = 1; i < static_cast<unsigned>(codec::h1::Refusal::count_); ++i) {
    const auto refusal = static_cast<codec::h1::Refusal>(i);
    if (!of_responses_only(refusal)) text += row(refusal);
  }
  return text;
}

std::string http2_refusals() {
  std::string text(kHeadOfCodes);
  for (unsigned i = 1; i < static_cast<unsigned>(codec::h2::Refusal::count_); ++i) {
    text += row(static_cast<codec::h2::Refusal>(i));
  }
  return text;
}

std::string faults_of_responses() {
  std::string text = "| fault | meaning |\n| --- | --- |\n";
  for (const codec::h1::Refusal refusal : kOfResponsesOnly) {
    text += fmt::format("| `{}` | {} |\n", to_string(refusal), sentence(refusal));
  }
  return text + "| `http1_spoken` | The backend speaks HTTP/1.1 where HTTP/2 is configured. |\n";
}

std::string tls_reasons() {
  std::string text = "| reason | the client, or the backend, … |\n| --- | --- |\n";
  for (const tls::Reason& reason : tls::reasons()) {
    text += fmt::format("| `{}` | {} |\n", reason.word, reason.sentence);
  }
  return text;
}

std::string problems_page() {
  return "# Problem codes\n\n"
         "Every refusal and failure that Doorward answers itself is `application/problem+json`\n"
         "(RFC 9457) with one of these codes, or of those of malformed messages below. They are\n"
         "stable: a code never changes its meaning. The\n"
         "`request_id` finds the line of the access log. There is none for the admin listener,\n"
         "and for connections that are refused before a request is read (`too_many_connections`,\n"
         "`tls_plain_http`).\n\n" +
         replies() +
         "\n## Malformed HTTP/1.1\n\n"
         "Why a request is refused. A response of a backend with the same fault, or with one of\n"
         "the next two tables, is answered with 502 `backend_protocol_error`, whose `detail`\n"
         "begins with the code. `doorward_parser_refusals_total` of the listener counts those of\n"
         "requests, `doorward_service_parser_refusals_total` of the service those of "
         "responses.\n\n" +
         http1_refusals() +
         "\n## Malformed HTTP/2\n\n"
         "What HTTP/2 adds; limits, methods, targets, hosts and lengths have the codes above. A\n"
         "fault of the head is answered, and with 400 the stream is reset behind the answer (RFC\n"
         "9113 §8.1.1); a fault of the body or the trailers resets the stream without one.\n\n" +
         http2_refusals() + "\n## Only of responses\n\n" + faults_of_responses() +
         "\n## TLS\n\n"
         "Why a handshake or a connection fails: the `reason` of the events\n"
         "`tls_handshake_failed`, `tls_connection_broken` (after the handshake) and\n"
         "`backend_tls_failed` (both), and of `doorward_tls_handshake_failures_total`,\n"
         "`doorward_tls_connections_broken_total` and `doorward_service_tls_failures_total`. The\n"
         "`detail` of a 502 `backend_tls_failed` begins with it.\n\n" +
         tls_reasons();
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
