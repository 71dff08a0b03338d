// AccessLogConfig: the section `access_log` of the configuration, and its schema.
#pragma once

#include <string>
#include <vector>

#include "base/units.h"
#include "observe/access_record.h"
#include "schema/schema.h"

namespace doorward::observe {

struct AccessLogConfig {
  std::string path = "stdout";
  std::vector<AccessFieldId> fields;  // empty: all
  std::vector<std::string> mask_query = {"token",    "access_token", "api_key", "apikey",   "key",
                                         "password", "secret",       "code",    "signature"};
  Bytes buffer = 1_MiB;

  bool operator==(const AccessLogConfig&) const = default;
};

namespace detail {
using NamedField = schema::NamedValue<AccessFieldId>;
consteval auto named_access_fields() {
  std::array<NamedField, kAccessFields.size()> named{};
  for (std::size_t i = 0; i < named.size(); ++i) {
    named[i] = {kAccessFields[i].name, static_cast<AccessFieldId>(i), kAccessFields[i].help};
  }
  return named;
}
inline constexpr schema::Option<schema::tag::Names, decltype(named_access_fields())>
    kAccessFieldNames{named_access_fields()};
}  // namespace detail

inline constexpr auto kAccessLogSchema = schema::schema<AccessLogConfig>(
    "access_log", "Writes one JSON line per request.",
    schema::field("path", &AccessLogConfig::path,
                  "Where lines go: stdout, stderr or a file, which SIGHUP opens anew.",
                  schema::is(schema::kNonEmpty)),
    schema::field("fields", &AccessLogConfig::fields,
                  "Fields of a line, in their order; none chosen means all. A field without a "
                  "value is left out of the line.",
                  detail::kAccessFieldNames),
    schema::field("mask_query", &AccessLogConfig::mask_query,
                  "Query parameters whose values are written as \"***\", upper or lower case.",
                  schema::is(schema::kNonEmpty)),
    schema::field("buffer", &AccessLogConfig::buffer,
                  "Memory per core for lines not written yet; what it cannot hold is dropped and "
                  "counted.",
                  schema::at_least(64_KiB), schema::at_most(1_GiB)),
    schema::example("path: /var/log/doorward/access.log"));

}  // namespace doorward::observe
