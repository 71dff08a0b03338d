// What is made from the declarations: the JSON Schema of `doorward schema`, and the pages that
// `doorward docs` writes.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace doorward::config {

// JSON Schema 2020-12 of a whole configuration.
schema::Json json_schema(PolicyKinds kinds);

struct Page {
  std::string path;  // "listeners.md", "policies/size_limit.md"
  std::string text;  // Markdown
};
// One page per section and per kind of policy, and "configuration.md", which names them.
std::vector<Page> reference_pages(PolicyKinds kinds);

}  // namespace doorward::config
