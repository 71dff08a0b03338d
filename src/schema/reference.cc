// Markdown tables; cells are escaped, so that "|" in a type does not end a cell.
#include "schema/reference.h"

#include <fmt/format.h>

namespace doorward::schema {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|')
      out += "\\|";
    else
      out += c == '\n' ? ' ' : c;
  }
  return out;
}

// One line of YAML in flow form, strings without quotes where they can be.
std::string flow(const Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const bool plain =
        !text.empty() && text.find_first_of(",[]{}:#&*!|>'\"%@`") == std::string::npos;
    return plain ? text : value.dump();
  }
  if (!value.is_structured()) return value.dump();
  std::string out;
  for (const auto& [key, item] : value.items()) {
    if (!out.empty()) out += ", ";
    if (value.is_object()) out += key + ": ";
    out += flow(item);
  }
  return fmt::format("{}{}{}", value.is_array() ? '[' : '{', out, value.is_array() ? ']' : '}');
}

}  // namespace

std::string without_article(std::string_view name) {
  if (name.starts_with("a ")) name.remove_prefix(2);
  if (name.starts_with("an ")) name.remove_prefix(3);
  return std::string(name);
}

Json without_secrets(Json value) {
  if (!value.is_object()) return value;
  Json shown = Json::object();
  for (const auto& [key, item] : value.items()) {
    if (item != kMasked) shown[key] = without_secrets(item);
  }
  return shown;
}

std::string default_text(const Json& value) {
  const bool empty = value.is_null() ||
                     (value.is_string() && value.get_ref<const std::string&>().empty()) ||
                     (value.is_structured() && value.empty());
  return empty ? "–" : fmt::format("`{}`", flow(value));
}

std::string to_markdown(const Reference& reference) {
  std::string out = fmt::format("# {}\n\n{}\n", reference.name, reference.doc);
  if (!reference.short_form.empty()) out += fmt::format("\n{}\n", reference.short_form);
  if (!reference.rows.empty()) {
    out += "\n| setting | type | default | meaning |\n|---|---|---|---|\n";
  }
  for (const Row& row : reference.rows) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", row.name, cell(row.type),
                       cell(row.default_value), cell(row.meaning));
  }
  for (const std::string& rule : reference.rules) out += fmt::format("\n{}\n", rule);
  if (!reference.example.empty()) {
    const bool ends = reference.example.ends_with('\n');
    out += fmt::format("\n```yaml\n{}{}```\n", reference.example, ends ? "" : "\n");
  }
  return out;
}

}  // namespace doorward::schema
