// For tests of schemas: reads YAML text with a schema and gives what was found wrong.
#pragma once

#include <string>
#include <string_view>

#include "schema/value.h"
#include "text/yaml.h"

namespace doorward::schema {

// The findings as text, one line each without source lines: "1:6: max: must be …\n".
template <class T>
std::string errors_of(const SchemaOf<T>& schema, std::string_view yaml, T& out) {
  const auto source = std::make_shared<text::SourceFile>("test.yaml", std::string(yaml));
  const auto root = text::parse_yaml(source);
  Diagnostics diagnostics;
  if (!root) {
    diagnostics.add(root.error());
  } else {
    const Diagnostics::Scope scope(diagnostics, *root);
    const bool ok = schema.read(*root, out, diagnostics);
    if (ok != diagnostics.ok()) return "read() and the findings disagree";
  }
  std::string lines;
  for (const Diagnostic& found : diagnostics.sorted()) {
    lines += std::to_string(found.place.line) + ":" + std::to_string(found.place.column) + ": " +
             found.path + (found.path.empty() ? "" : ": ") + found.message + "\n";
  }
  return lines;
}

}  // namespace doorward::schema
