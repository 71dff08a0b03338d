// One declaration of a config struct gives its reader, defaults, checks, JSON Schema and reference:
//
//   struct SizeLimitConfig { Bytes max; };
//   inline constexpr auto kSizeLimitSchema = schema::schema<SizeLimitConfig>(
//       "size_limit", "Refuses requests whose body is larger than a limit.",
//       field("max", &SizeLimitConfig::max, "Largest body allowed.",
//             default_is(1_MiB), at_least(1_B)));
//
// (with `using schema::field;` and so on, or qualified). Options of a field: schema/options.h.
// Beside fields a schema may have:
//   exactly_one_of("service", "redirect", "respond"), at_most_one_of(…)   which keys may be given
//   check(f)             f(const T&, Diagnostics&), after all fields were right
//   stands_for("url")    a single value is read as that field, the others keep their defaults
//   short_form("a path", "/a/**", f)   a single word is read by f(string_view) -> expected<T,
//   string> example("max: 5MiB")   YAML for the reference page; the value of the section
//
// What only uses a schema takes it as `const SchemaOf<T>&`. A schema in a header costs each file
// that includes it some compile time; where that matters, the header says `extern const
// schema::SchemaOf<T>& kName;` and the .cc file declares the schema.
//
// A setting that is not given keeps default_is(…), else the member's own initial value.
// A schema is a constant; it owns nothing and is read by any thread.
#pragma once

#include <algorithm>
#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "schema/describe.h"
#include "schema/value.h"

namespace doorward::schema {

template <class T, class M, class Options>
struct Field {
  std::string_view name;
  M T::* member;
  std::string_view doc;
  Options options;

  static constexpr bool kRequired = Options::template has<tag::Required>;

  void apply_default(T& out) const {
    if constexpr (Options::template has<tag::Default>) {
      out.*member = as<M>(options.template get<tag::Default>());
    }
    default_value(out.*member, options);
  }

  bool read(const text::Node& node, T& out, Diagnostics& diagnostics) const {
    const Diagnostics::Scope scope(diagnostics, name, node);
    return read_value(node, out.*member, options, diagnostics);
  }

  Json json_schema(const T& defaults, Json& definitions) const {
    Json json = {{"description", meaning()}};
    json.update(value_schema<M>(options, definitions));
    if constexpr (Options::template has<tag::Secret>) json["writeOnly"] = true;
    if constexpr (!kRequired && !Options::template has<tag::Secret>) {
      if (Json value = value_to_json(defaults.*member, options); !value.is_null()) {
        json["default"] = without_secrets(std::move(value));
      }
    }
    return json;
  }

  std::string meaning() const { return std::string(doc) + bounds<M>(options); }

  void add_rows(const std::string& prefix, const T& defaults, std::vector<Row>& rows) const {
    const std::string full = prefix + std::string(name);
    rows.push_back({full, value_type<M>(options), default_cell(defaults), meaning()});
    nested_rows<M>(full, options, rows);
  }

  std::string default_cell(const T& defaults) const {
    if constexpr (kRequired) return "required";
    if constexpr (Options::template has<tag::Secret> || shape::is_nested<M, Options>()) return "–";
    return default_text(without_secrets(value_to_json(defaults.*member, options)));
  }
};

template <class T, class M, class... Options>
constexpr auto field(std::string_view name, M T::* member, std::string_view doc,
                     Options... options) {
  return Field<T, M, OptionSet<Options...>>{name, member, doc, OptionSet<Options...>(options...)};
}

// Which of several keys may be given together.
template <std::size_t N>
struct OneOf {
  std::array<std::string_view, N> keys;
  bool needed;
};
template <class... Names>
constexpr auto exactly_one_of(Names... keys) {
  return OneOf<sizeof...(Names)>{{std::string_view(keys)...}, true};
}
template <class... Names>
constexpr auto at_most_one_of(Names... keys) {
  return OneOf<sizeof...(Names)>{{std::string_view(keys)...}, false};
}

template <class F>
struct Check {
  F function;
};
template <class F>
constexpr Check<F> check(F function) {
  return {function};
}

struct StandsFor {
  std::string_view key;
};
constexpr StandsFor stands_for(std::string_view key) { return {key}; }

template <class F>
struct ShortForm {
  std::string_view name;
  std::string_view example;
  F parse;
};
template <class F>
constexpr ShortForm<F> short_form(std::string_view name, std::string_view example, F parse) {
  return {name, example, parse};
}

struct Example {
  std::string_view yaml;
};
constexpr Example example(std::string_view yaml) { return {yaml}; }

// The sentences and loops that need no types (schema.cc).
struct Keys {
  std::span<const std::string_view> names;
  std::span<const std::string_view> also_known;
};
// What the keys of a section were found to be.
struct KeyCheck {
  bool ok = true;
  // Names that are not given, but that an unknown key is near to: they are not told as missing,
  // since the typo was, and what is checked of the whole section would speak of a hole.
  std::vector<std::string> meant;

  bool means(std::string_view name) const { return std::ranges::find(meant, name) != meant.end(); }
};
KeyCheck check_keys(const text::Node& map, const Keys& keys, Diagnostics& diagnostics);
bool check_one_of(const text::Node& map, std::span<const std::string_view> keys, bool needed,
                  const KeyCheck& found, Diagnostics& diagnostics);
bool expect_section(const text::Node& node, std::string_view short_name, const Keys& keys,
                    Diagnostics& diagnostics);
std::string one_of_sentence(std::span<const std::string_view> keys, bool needed);
Json one_of_schema(std::span<const std::string_view> keys, bool needed);

namespace part {
template <class P>
struct IsField : std::false_type {};
template <class T, class M, class O>
struct IsField<Field<T, M, O>> : std::true_type {};
template <class P>
struct IsOneOf : std::false_type {};
template <std::size_t N>
struct IsOneOf<OneOf<N>> : std::true_type {};
template <class P>
struct IsCheck : std::false_type {};
template <class F>
struct IsCheck<Check<F>> : std::true_type {};
template <class P>
struct IsShortForm : std::false_type {};
template <class F>
struct IsShortForm<ShortForm<F>> : std::true_type {};
}  // namespace part

template <class T, class... Parts>
class Schema final : public SchemaOf<T> {
 public:
  using SchemaOf<T>::read;

  constexpr Schema(std::string_view name, std::string_view doc, Parts... parts)
      : name_(name), doc_(doc), parts_(parts...) {}

  constexpr std::string_view name() const override { return name_; }
  constexpr std::string_view doc() const override { return doc_; }
  constexpr std::string_view example() const override {
    std::string_view yaml;
    each([&](const auto& p) {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(p)>, Example>) yaml = p.yaml;
    });
    return yaml;
  }

  void apply_defaults(T& out) const override {
    each_field([&](const auto& f) { f.apply_default(out); });
  }
  bool read(const text::Node& node, T& out, Diagnostics& diagnostics,
            std::span<const std::string_view> also_known) const override {
    apply_defaults(out);
    if (node.is_scalar() && has_short()) {
      return read_short(node, out, diagnostics) && run_checks(out, diagnostics);
    }
    const std::vector<std::string_view> names = field_names();
    const Keys keys{names, also_known};
    if (node.is_list() && stands_for_list()) {
      return read_short(node, out, diagnostics) && run_checks(out, diagnostics);
    }
    if (!expect_section(node, short_name(), keys, diagnostics)) return false;
    const KeyCheck found = check_keys(node, keys, diagnostics);
    bool ok = found.meant.empty();
    each_field([&](const auto& f) { ok = read_field(f, node, out, found, diagnostics) && ok; });
    each([&](const auto& p) {
      if constexpr (part::IsOneOf<std::remove_cvref_t<decltype(p)>>::value) {
        ok = check_one_of(node, p.keys, p.needed, found, diagnostics) && ok;
      }
    });
    return ok && run_checks(out, diagnostics) && found.ok;
  }

  Json to_json(const T& value) const override {
    Json json = Json::object();
    each_field([&](const auto& f) { json[f.name] = value_to_json(value.*(f.member), f.options); });
    return json;
  }

  Json json_schema(Json& definitions) const override;
  std::string type() const override {
    const std::string word = short_name();
    return word.empty() ? "section" : without_article(word) + ", or a section";
  }
  void add_rows(const std::string& prefix, std::vector<Row>& rows) const override {
    const T initial = this->defaults();
    each_field([&](const auto& f) { f.add_rows(prefix, initial, rows); });
  }
  Reference reference() const override;

 private:
  template <class F>
  constexpr void each(F function) const {
    std::apply([&](const auto&... p) { (function(p), ...); }, parts_);
  }
  template <class F>
  constexpr void each_field(F function) const {
    each([&](const auto& p) {
      if constexpr (part::IsField<std::remove_cvref_t<decltype(p)>>::value) function(p);
    });
  }
  template <class F>
  constexpr void field_named(std::string_view name, F function) const {
    each_field([&](const auto& f) {
      if (f.name == name) function(f);
    });
  }

  static constexpr bool has_stands_for() { return (std::same_as<Parts, StandsFor> || ...); }
  static constexpr bool has_short_form() { return (part::IsShortForm<Parts>::value || ...); }
  static constexpr bool has_short() { return has_stands_for() || has_short_form(); }

  std::vector<std::string_view> field_names() const {
    std::vector<std::string_view> names;
    each_field([&](const auto& f) { names.push_back(f.name); });
    return names;
  }

  constexpr std::string_view stands_for_key() const {
    std::string_view key;
    each([&](const auto& p) {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(p)>, StandsFor>) key = p.key;
    });
    return key;
  }

  // A list stands for a field that is a list.
  bool stands_for_list() const {
    bool list = false;
    field_named(stands_for_key(), [&](const auto& f) {
      list = shape::is_list<std::remove_cvref_t<decltype(std::declval<T>().*(f.member))>>;
    });
    return list;
  }

  // What a single value is called: "a path", or "" when none is allowed.
  std::string short_name() const {
    std::string name;
    each([&](const auto& p) {
      if constexpr (part::IsShortForm<std::remove_cvref_t<decltype(p)>>::value) name = p.name;
    });
    field_named(stands_for_key(), [&](const auto& f) {
      name = single_name<std::remove_cvref_t<decltype(std::declval<T>().*(f.member))>>(f.options);
    });
    return name;
  }

  bool read_short(const text::Node& node, T& out, Diagnostics& diagnostics) const {
    bool ok = true;
    field_named(stands_for_key(), [&](const auto& f) {
      ok = read_value(node, out.*(f.member), f.options, diagnostics);
    });
    each([&](const auto& p) {
      if constexpr (part::IsShortForm<std::remove_cvref_t<decltype(p)>>::value) {
        std::expected<T, std::string> parsed = p.parse(std::string_view(node.text));
        ok = parsed.has_value();
        if (ok) {
          out = *std::move(parsed);
        } else {
          say_not_a(node, p.name, p.example, std::move(parsed.error()), diagnostics);
        }
      }
    });
    return ok;
  }

  template <class F>
  bool read_field(const F& f, const text::Node& map, T& out, const KeyCheck& found,
                  Diagnostics& diagnostics) const {
    if (const text::Member* member = map.find(f.name))
      return f.read(member->value, out, diagnostics);
    if constexpr (F::kRequired) {
      if (!found.means(f.name)) {
        diagnostics.error_at(f.name, fmt::format("is missing: {}", f.doc));
      }
      return false;
    }
    return true;
  }

  bool run_checks(const T& value, Diagnostics& diagnostics) const {
    const std::size_t before = diagnostics.error_count();
    each([&](const auto& p) {
      if constexpr (part::IsCheck<std::remove_cvref_t<decltype(p)>>::value) {
        p.function(value, diagnostics);
      }
    });
    return diagnostics.error_count() == before;
  }

  std::string_view name_;
  std::string_view doc_;
  std::tuple<Parts...> parts_;
};

template <class T, class... Parts>
constexpr Schema<T, Parts...> schema(std::string_view name, std::string_view doc, Parts... parts) {
  return Schema<T, Parts...>(name, doc, parts...);
}

template <class T, class... Parts>
Json Schema<T, Parts...>::json_schema(Json& definitions) const {
  const T initial = this->defaults();
  Json json = {{"type", "object"}, {"additionalProperties", false}};
  Json& properties = json["properties"] = Json::object();
  Json needed = Json::array();
  Json rules = Json::array();
  Json short_schema;
  each_field([&](const auto& f) {
    properties[f.name] = f.json_schema(initial, definitions);
    if (f.kRequired) needed.push_back(f.name);
  });
  field_named(stands_for_key(), [&](const auto& f) {
    using M = std::remove_cvref_t<decltype(std::declval<T>().*(f.member))>;
    short_schema = value_schema<M>(f.options, definitions);
  });
  each([&](const auto& p) {
    using P = std::remove_cvref_t<decltype(p)>;
    if constexpr (part::IsOneOf<P>::value) rules.push_back(one_of_schema(p.keys, p.needed));
    if constexpr (part::IsShortForm<P>::value) short_schema = {{"type", "string"}};
  });
  if (!needed.empty()) json["required"] = std::move(needed);
  if (!rules.empty()) json["allOf"] = std::move(rules);
  if (short_schema.is_null()) return json;
  return {{"anyOf", Json::array({std::move(short_schema), std::move(json)})}};
}

template <class T, class... Parts>
Reference Schema<T, Parts...>::reference() const {
  Reference made{std::string(name_), std::string(doc_), {}, {}, {}, std::string(example())};
  add_rows("", made.rows);
  if (!stands_for_key().empty()) {
    made.short_form = fmt::format("A single value stands for `{}`.", stands_for_key());
  }
  each([&](const auto& p) {
    using P = std::remove_cvref_t<decltype(p)>;
    if constexpr (part::IsOneOf<P>::value) made.rules.push_back(one_of_sentence(p.keys, p.needed));
    if constexpr (part::IsShortForm<P>::value) {
      made.short_form = fmt::format("May be written as {}: `{}`.", p.name, p.example);
    }
  });
  return made;
}

}  // namespace doorward::schema
