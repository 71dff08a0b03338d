// headers: the settings with their checks, and the changes in their order.
#include "policy/headers/headers.h"

#include <fmt/format.h>

#include "http/field.h"
#include "schema/schema.h"
#include "text/ascii.h"

namespace doorward::policy {
namespace {

using schema::check;
using schema::field;
using schema::keys_are;

// The error at the key itself.
template <class Value>
void check_names(std::string_view of, const std::vector<schema::Keyed<Value>>& items,
                 schema::Diagnostics& diagnostics) {
  for (const auto& item : items) {
    std::string error = connection_field_error(item.key);
    if (error.empty()) continue;
    std::string path = diagnostics.path();
    schema::append_key(path, of);
    schema::append_key(path, item.key);
    diagnostics.add({schema::Severity::error, item.place, path, std::move(error), {}});
  }
}

template <class Value>
void check_changes(const HeaderChangesConfig<Value>& config, schema::Diagnostics& diagnostics) {
  check_names("set", config.set, diagnostics);
  check_names("add", config.add, diagnostics);
  check_names("rename", config.rename, diagnostics);
  for (const auto& item : config.rename) {
    std::string error = connection_field_error(item.value);
    if (!error.empty()) diagnostics.error_at("rename", std::move(error));
  }
  if (std::string error = connection_fields_error(config.remove); !error.empty()) {
    diagnostics.error_at("remove", std::move(error));
  }
}

template <class Value>
constexpr auto changes_schema(std::string_view name, std::string_view doc) {
  using Config = HeaderChangesConfig<Value>;
  return schema::schema<Config>(
      name, doc,
      field("remove", &Config::remove,
            "Fields to remove. `x-*` removes all whose names begin with `x-`.",
            schema::is(kNameOrPrefix)),
      field("rename", &Config::rename,
            "Old name → new name. Fields that had the new name already are removed when the old "
            "one is there.",
            keys_are(schema::kHeaderName), schema::is(schema::kHeaderName)),
      field("set", &Config::set,
            "Name → value: the field has this one value afterwards. A value that is empty, or that "
            "no header may carry (control characters), leaves no such field.",
            keys_are(schema::kHeaderName)),
      field("add", &Config::add,
            "Name → value: one more field, whether or not the name is there. An empty value adds "
            "nothing.",
            keys_are(schema::kHeaderName)),
      check(&check_changes<Value>));
}

constexpr auto kRequestChanges =
    changes_schema<RequestTemplate>("request", "Changes of the request's head.");
constexpr auto kResponseChanges =
    changes_schema<ResponseTemplate>("response", "Changes of the response's head.");

constexpr auto kSchema = schema::schema<HeadersConfig>(
    "headers",
    "Sets, adds, removes and renames header fields of requests and responses. Values may have "
    "variables; they see the head as it was before any of these changes. Then, in this order: "
    "remove, rename, set, add. Fields about framing and about one connection (Content-Length, "
    "Transfer-Encoding, Connection, …) cannot be named.",
    field("request", &HeadersConfig::request, "What changes on the way to the backend.",
          schema::of(kRequestChanges)),
    field("response", &HeadersConfig::response,
          "What changes on the way to the client, in Doorward's own replies too.",
          schema::of(kResponseChanges)),
    schema::example("request:\n"
                    "  set: {x-client: \"{client.ip}\", x-route: \"{route.name}\"}\n"
                    "  remove: [x-internal-*]\n"
                    "response:\n"
                    "  set: {strict-transport-security: max-age=31536000}\n"
                    "  remove: [server, x-powered-by]\n"));

// As received: the view's bytes live as long as the exchange.
void put(http::HeaderList& headers, http::HeaderName id, std::string_view name,
         std::string_view value, bool replace) {
  const bool known = id != http::HeaderName::other;
  if (value.empty()) {
    if (replace) known ? headers.remove(id) : headers.remove(name);
  } else if (replace) {
    known ? headers.set(id, value) : headers.set(name, value);
  } else {
    known ? headers.add(id, value) : headers.add(name, value);
  }
}

}  // namespace

const schema::SchemaOf<HeadersConfig>& kHeadersSchema = kSchema;

HeaderChanges::Value HeaderChanges::compile(const std::string& name, const http::Template& text) {
  Value made{http::classify(name), text::lower_copy(name), text, text.is_literal(), {}};
  if (made.fixed) {
    for (const auto& piece : text.pieces()) made.fixed_value = sane_value(piece.text);
  } else {
    ++rendered_;
  }
  return made;
}

// Values with variables, in the order of set_ and add_.
std::string_view* HeaderChanges::render(PolicyContext& context) const {
  if (rendered_ == 0) return nullptr;
  auto* values = context.arena().array<std::string_view>(rendered_);
  std::string_view* to = values;
  for (const auto* list : {&set_, &add_}) {
    for (const Value& value : *list) {
      if (!value.fixed) *to++ = sane_value(value.text.render(context, context.arena()));
    }
  }
  return values;
}

void HeaderChanges::rename_field(http::HeaderList& headers, const Rename& rename, Arena& arena) {
  if (headers.find(rename.from) == nullptr) return;
  if (!http::equal_ignore_case(rename.from, rename.to)) headers.remove(rename.to);
  http::HeaderList old = headers.copy(arena);
  headers.clear();
  for (const http::Header& header : old) {
    if (http::equal_ignore_case(header.name, rename.from)) {
      headers.add(rename.to, header.value);
    } else {
      headers.append(header);
    }
  }
}

void HeaderChanges::apply(http::HeaderList& headers, PolicyContext& context) const {
  if (nothing_) return;
  const std::string_view* rendered = render(context);
  remove_.remove_from(headers);
  for (const Rename& rename : rename_) rename_field(headers, rename, context.arena());
  for (const Value& value : set_) {
    put(headers, value.id, value.name, value.fixed ? value.fixed_value : *rendered++, true);
  }
  for (const Value& value : add_) {
    put(headers, value.id, value.name, value.fixed ? value.fixed_value : *rendered++, false);
  }
}

}  // namespace doorward::policy
