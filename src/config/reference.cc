// Pages are generated: a note in each says so.
#include "config/reference.h"

#include <fmt/format.h>

#include "route/match_schema.h"

namespace doorward::config {
namespace {

constexpr std::string_view kSchemaId = "https://doorward.dev/schema/1.json";
constexpr std::string_view kNote =
    "<!-- Made by `doorward docs` from the declarations in src/; change those. -->\n\n";

Page page(std::string path, const schema::Reference& reference) {
  return {std::move(path), std::string(kNote) + schema::to_markdown(reference)};
}

template <class T>
Page section(const schema::SchemaOf<T>& of) {
  return page(fmt::format("{}.md", of.name()), of.reference());
}

// Settings of a kind as they stand in a route.
Page policy_page(const schema::AnySchema& kind) {
  schema::Reference reference = kind.reference();
  reference.rows.push_back(mode_row());
  std::string example = fmt::format("policies:\n  - {}:", kind.name());
  if (reference.example.empty()) example += " {}";
  for (std::string_view rest = reference.example; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    example += fmt::format("\n      {}", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  reference.example = example + "\n";
  return page(fmt::format("policies/{}.md", kind.name()), reference);
}

std::string overview(PolicyKinds kinds) {
  schema::Reference top = kModelSchema.reference();
  std::erase_if(top.rows, [](const schema::Row& row) {
    return row.name.find('.') != std::string::npos || row.name.find("[]") != std::string::npos;
  });
  std::string text = std::string(kNote) + schema::to_markdown(top);
  text +=
      "\nSections: [listeners](listeners.md), [admin](admin.md), [access_log](access_log.md), "
      "[debug](debug.md), [services](services.md), [routes](routes.md), "
      "[match](match.md).\n\nPolicies:\n\n";
  for (const schema::AnySchema* kind : kinds) {
    text += fmt::format("- [{0}](policies/{0}.md): {1}\n", kind->name(), kind->doc());
  }
  return text;
}

}  // namespace

schema::Json json_schema(PolicyKinds kinds) {
  schema::Json definitions = schema::Json::object();
  schema::Json document = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                           {"$id", kSchemaId},
                           {"title", "Doorward"},
                           {"description", kModelSchema.doc()}};
  document.update(kModelSchema.json_schema(definitions));
  definitions["policy"] = policy_use_schema(kinds, definitions);
  document["$defs"] = std::move(definitions);
  return document;
}

std::vector<Page> reference_pages(PolicyKinds kinds) {
  std::vector<Page> pages;
  pages.push_back({"configuration.md", overview(kinds)});
  pages.push_back(section(kListenerSchema));
  pages.push_back(section(kAdminSchema));
  pages.push_back(section<observe::AccessLogConfig>(observe::kAccessLogSchema));
  pages.push_back(section(kDebugSchema));
  pages.push_back(section(kServiceSchema));
  pages.push_back(section(kRouteSchema));
  pages.push_back(section(route::kMatchSchema));
  for (const schema::AnySchema* kind : kinds) pages.push_back(policy_page(*kind));
  return pages;
}

}  // namespace doorward::config
