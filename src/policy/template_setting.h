// Templates as settings of policies: RequestTemplate may speak of the request, ResponseTemplate of
// the response too. Compiled when the configuration is read.
#pragma once

#include <string>
#include <string_view>

#include "base/check.h"
#include "http/template.h"
#include "schema/scalar.h"

namespace doorward::policy {

template <http::TemplateScope scope>
struct ScopedTemplate : http::Template {
  ScopedTemplate() = default;
  explicit ScopedTemplate(http::Template compiled) : http::Template(std::move(compiled)) {}
  // For defaults in the source, which are right.
  explicit ScopedTemplate(const char* text) {
    auto compiled = http::Template::compile(text, scope);
    DOORWARD_CHECK(compiled.has_value());
    http::Template::operator=(std::move(*compiled));
  }
};

using RequestTemplate = ScopedTemplate<http::TemplateScope::request>;
using ResponseTemplate = ScopedTemplate<http::TemplateScope::response>;

}  // namespace doorward::policy

namespace doorward::schema {

template <http::TemplateScope scope>
struct ScalarTraits<policy::ScopedTemplate<scope>> {
  using Value = policy::ScopedTemplate<scope>;
  static constexpr std::string_view kName = "a template";
  static constexpr std::string_view kExample = "\"{request.host}\"";
  static constexpr std::string_view kPattern = "";
  static std::expected<Value, std::string> parse(std::string_view text) {
    auto compiled = http::Template::compile(text, scope);
    if (!compiled) return std::unexpected("is no template: " + compiled.error().cause);
    return Value(std::move(*compiled));
  }
  static std::string format(const Value& value) { return value.text(); }
};

}  // namespace doorward::schema
