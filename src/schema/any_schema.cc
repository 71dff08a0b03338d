// The document around a JSON Schema.
#include "schema/any_schema.h"

namespace doorward::schema {

Json schema_document(const AnySchema& schema, std::string_view id) {
  Json definitions = Json::object();
  Json document = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
  document["$id"] = id;
  document["title"] = schema.name();
  document["description"] = schema.doc();
  document.update(schema.json_schema(definitions));
  if (!definitions.empty()) document["$defs"] = std::move(definitions);
  return document;
}

}  // namespace doorward::schema
