// The reference as Markdown: a table of settings, made from the declarations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/diagnostics.h"

namespace doorward::schema {

// One setting. `default_value` is Markdown: "`5s`", "required", or "–" for none.
struct Row {
  std::string name;  // "timeouts.header", "endpoints[].url"
  std::string type;
  std::string default_value;
  std::string meaning;
};

struct Reference {
  std::string name;
  std::string doc;
  std::string short_form;  // a sentence about the form as one word, or empty
  std::vector<Row> rows;
  std::vector<std::string> rules;  // sentences: "Exactly one of …"
  std::string example;             // YAML, or empty
};

std::string to_markdown(const Reference& reference);

// "a size" -> "size"
std::string without_article(std::string_view name);
// What stands for a secret's value wherever values are written.
inline constexpr std::string_view kMasked = "***";
// A section's default as it is shown: a secret has none, so its mask is left out.
Json without_secrets(Json value);
// A default as YAML in backticks; "–" for null and empty.
std::string default_text(const Json& value);

}  // namespace doorward::schema
