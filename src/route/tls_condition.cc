#include "route/tls_condition.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "text/ascii.h"

namespace doorward::route {
namespace {

using Texts = std::vector<std::string>;

constexpr tls::ClientTls kNothing;

std::string place(const char* field, std::size_t i, std::size_t of) {
  return of == 1 ? fmt::format("tls.{}", field) : fmt::format("tls.{}[{}]", field, i);
}

void check_kinds(const Texts& names, std::vector<FieldProblem>& problems) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    if (name.starts_with('*') || name.contains(':')) continue;
    problems.push_back({place("client_name", i, names.size()),
                        fmt::format("\"{0}\" needs its kind before it, as in \"DNS:{0}\"; there "
                                    "are DNS, URI, EMAIL and IP",
                                    name)});
  }
}

Texts read_fingerprints(const Texts& written, std::vector<FieldProblem>& problems) {
  Texts out;
  for (std::size_t i = 0; i < written.size(); ++i) {
    out.push_back(tls::normal_fingerprint(written[i]));
    if (!out.back().empty()) continue;
    problems.push_back(
        {place("client_fingerprint", i, written.size()),
         fmt::format("\"{}\" is no SHA-256 fingerprint (64 hex digits)", written[i])});
  }
  return out;
}

// Whatever a pattern of `given` fits, one of `wanted` fits too. A "*" can only be taken by a "*".
bool covered(const Texts& wanted, const Texts& given) {
  if (wanted.empty()) return true;
  return !given.empty() && std::ranges::all_of(given, [&](const std::string& pattern) {
    return tls::any_fits(wanted, pattern);
  });
}

std::string one_of(const Texts& texts) {
  return fmt::format("{}\"{}\"", texts.size() == 1 ? "" : "one of ", fmt::join(texts, "\", \""));
}

std::string quoted(std::string_view text) {
  return text.empty() ? std::string("missing") : fmt::format("\"{}\"", text);
}

}  // namespace

TlsCondition::TlsCondition(const TlsMatch& match, std::vector<FieldProblem>& problems)
    : match_{match.subjects, match.names, read_fingerprints(match.fingerprints, problems)},
      wanted_(match.certificate) {
  for (const std::string& sni : match.snis) snis_.push_back(text::lower_copy(sni));
  check_kinds(match.names, problems);
  if (wanted_ == false && !match_.empty()) {
    problems.push_back({"tls.client_certificate",
                        "no certificate is asked for, and yet something of it: leave this out"});
  }
  for (const Texts* list : {&snis_, &match_.subjects, &match_.names, &match_.fingerprints}) {
    if (!list->empty()) ++count_;
  }
  if (wanted_) ++count_;
}

bool TlsCondition::all_hold(const tls::ClientTls* known) const {
  const tls::ClientTls& tls = known == nullptr ? kNothing : *known;
  if (!snis_.empty() && !tls::any_fits(snis_, tls.sni)) return false;
  if (wanted_ && *wanted_ != (tls.certificate != nullptr)) return false;
  return match_.empty() || (tls.certificate != nullptr && match_.fits(*tls.certificate));
}

bool TlsCondition::implied_by(const TlsCondition& other) const {
  if (count_ == 0) return true;
  const bool other_has_one = other.wanted_ == true || !other.match_.empty();
  if (wanted_ == true && !other_has_one) return false;
  if (wanted_ == false && other.wanted_ != false) return false;
  return covered(snis_, other.snis_) && covered(match_.subjects, other.match_.subjects) &&
         covered(match_.names, other.match_.names) &&
         covered(match_.fingerprints, other.match_.fingerprints);
}

std::vector<std::string> TlsCondition::reasons(const tls::ClientTls* known) const {
  const tls::ClientTls& tls = known == nullptr ? kNothing : *known;
  std::vector<std::string> out;
  if (!snis_.empty() && !tls::any_fits(snis_, tls.sni)) {
    out.push_back(fmt::format("the name that the client asks for (SNI) is {}, the route wants {}",
                              quoted(tls.sni), one_of(snis_)));
  }
  if (tls.certificate == nullptr) {
    if (wanted_ == true || !match_.empty()) out.emplace_back("the client has no certificate");
    return out;
  }
  if (wanted_ == false) out.emplace_back("the client has a certificate, the route wants none");
  if (!match_.subject_fits(*tls.certificate)) {
    out.push_back(fmt::format("the subject of the client's certificate is {}, the route wants {}",
                              quoted(tls.certificate->subject), one_of(match_.subjects)));
  }
  if (!match_.name_fits(*tls.certificate)) {
    out.push_back(fmt::format("no name of the client's certificate is {}", one_of(match_.names)));
  }
  if (!match_.fingerprint_fits(*tls.certificate)) {
    out.emplace_back("the client's certificate has none of the route's fingerprints");
  }
  return out;
}

}  // namespace doorward::route
