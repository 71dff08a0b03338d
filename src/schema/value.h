// How a value of any type that a config struct may hold is read, described and written: one
// recursion over the type (optional, list, map, nested struct, enum, scalar), with the field's
// options at hand. A type of its own form specialises ValueTraits<T>:
//   static bool read(const text::Node&, T& out, Diagnostics&);   false when it added an error
//   static Json to_json(const T&);
//   static Json json_schema(Json& definitions);   may add to "$defs" and return a "$ref"
//   static std::string type();                    for the reference: "a policy"
#pragma once

#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "schema/diagnostics.h"
#include "schema/options.h"
#include "schema/reference.h"
#include "schema/scalar.h"

namespace doorward::schema {

template <class T>
struct ValueTraits;

template <class T>
concept CustomValue = requires(const text::Node& node, T& out, Diagnostics& diagnostics) {
  { ValueTraits<T>::read(node, out, diagnostics) } -> std::same_as<bool>;
};

// An item of a map that keeps the file's order, with the place of its key.
template <class T>
struct Keyed {
  std::string key;
  T value{};
  text::Place place{};
};

// A schema as others see it, whatever its fields (schema.h declares one).
template <class T>
class SchemaOf {
 public:
  using Struct = T;

  virtual std::string_view name() const = 0;
  virtual std::string_view doc() const = 0;
  virtual std::string_view example() const = 0;
  // Reads a section into `out`; false when it added an error (all that it found). Keys in
  // `also_known` are right, and somebody else's to read.
  virtual bool read(const text::Node& node, T& out, Diagnostics& diagnostics,
                    std::span<const std::string_view> also_known) const = 0;
  bool read(const text::Node& node, T& out, Diagnostics& diagnostics) const {
    return read(node, out, diagnostics, {});
  }
  virtual void apply_defaults(T& out) const = 0;
  T defaults() const {
    T made{};
    apply_defaults(made);
    return made;
  }
  virtual Json to_json(const T& value) const = 0;
  virtual Json json_schema(Json& definitions) const = 0;
  virtual std::string type() const = 0;  // for the reference: "section"
  virtual void add_rows(const std::string& prefix, std::vector<Row>& rows) const = 0;
  virtual Reference reference() const = 0;

 protected:
  ~SchemaOf() = default;
};

namespace shape {

template <class T>
struct Optional : std::false_type {};
template <class T>
struct Optional<std::optional<T>> : std::true_type {};

template <class T>
struct List : std::false_type {};
template <class T>
struct List<std::vector<T>> : std::true_type {};
template <class T>
struct List<std::vector<Keyed<T>>> : std::false_type {};
template <class T>
struct List<std::vector<std::pair<std::string, T>>> : std::false_type {};

// Map<M>: Value, and add(map, key, place) -> the new value's place in it.
template <class T>
struct Map : std::false_type {};
template <class T, class Less>
struct Map<std::map<std::string, T, Less>> : std::true_type {
  using Value = T;
  static T& add(std::map<std::string, T, Less>& map, const text::Member& member) {
    return map[member.key];
  }
};
template <class T>
struct Map<std::vector<std::pair<std::string, T>>> : std::true_type {
  using Value = T;
  static T& add(std::vector<std::pair<std::string, T>>& map, const text::Member& member) {
    return map.emplace_back(member.key, T{}).second;
  }
};
template <class T>
struct Map<std::vector<Keyed<T>>> : std::true_type {
  using Value = T;
  static T& add(std::vector<Keyed<T>>& map, const text::Member& member) {
    return map.emplace_back(member.key, T{}, member.place).value;
  }
};

template <class T>
constexpr bool is_optional = Optional<T>::value;
template <class T>
constexpr bool is_list = List<T>::value;
template <class T>
constexpr bool is_map = Map<T>::value;

// Is T the struct of the schema that of() names?
template <class T, class Options>
constexpr bool is_nested() {
  if constexpr (Options::template has<tag::Of>) {
    using S = std::remove_pointer_t<
        std::remove_cvref_t<decltype(std::declval<const Options&>().template get<tag::Of>())>>;
    return std::same_as<T, typename S::Struct>;
  } else {
    return false;
  }
}

}  // namespace shape

// The sentences, out of the templates.
std::string count_message(std::string_view what, std::size_t size, Range range);
bool check_size(std::string_view what, std::size_t size, Range range, Diagnostics& diagnostics);
bool check_text(std::string_view text, const TextCheck& check, Diagnostics& diagnostics);
bool check_key(const text::Member& member, const TextCheck& check, Diagnostics& diagnostics);
bool expect_map(const text::Node& node, std::string_view of_what, Diagnostics& diagnostics);
bool expect_list(const text::Node& node, bool one_or_many, Diagnostics& diagnostics);
void say_not_one_of(const text::Node& node, std::span<const std::string_view> names,
                    Diagnostics& diagnostics);

// How a default or bound that an option gives becomes a T ("abc" -> std::string, 2s -> Duration).
template <class T, class V>
constexpr T as(const V& value) {
  return static_cast<T>(value);
}

template <class T, class Options>
bool check_leaf(const T& value, const Options& options, Diagnostics& diagnostics) {
  if constexpr (Options::template has<tag::ZeroMeans>) {
    if (value == T{}) return true;
  }
  if constexpr (Options::template has<tag::AtLeast>) {
    const T least = as<T>(options.template get<tag::AtLeast>());
    if (value < least) {
      diagnostics.error(fmt::format("must be at least {}, not {}", ScalarTraits<T>::format(least),
                                    ScalarTraits<T>::format(value)));
      return false;
    }
  }
  if constexpr (Options::template has<tag::AtMost>) {
    const T most = as<T>(options.template get<tag::AtMost>());
    if (most < value) {
      diagnostics.error(fmt::format("must be at most {}, not {}", ScalarTraits<T>::format(most),
                                    ScalarTraits<T>::format(value)));
      return false;
    }
  }
  if constexpr (std::same_as<T, std::string>) {
    if constexpr (Options::template has<tag::Length>) {
      const Range range = options.template get<tag::Length>();
      if (!check_size("bytes", value.size(), range, diagnostics)) return false;
    }
    if constexpr (Options::template has<tag::Is>) {
      if (!check_text(value, *options.template get<tag::Is>(), diagnostics)) return false;
    }
  }
  if constexpr (Options::template has<tag::Checked>) {
    if (std::string wrong = options.template get<tag::Checked>()(value); !wrong.empty()) {
      diagnostics.error(std::move(wrong));
      return false;
    }
  }
  return true;
}

template <class E, class Options>
bool read_enum(const text::Node& node, E& out, const Options& options, Diagnostics& diagnostics) {
  const auto& list = options.template get<tag::Names>();
  std::vector<std::string_view> right;
  for (const auto& named : list) {
    if (node.is_scalar() && node.text == named.name) {
      out = named.value;
      return true;
    }
    right.push_back(named.name);
  }
  say_not_one_of(node, right, diagnostics);
  return false;
}

template <class T, class Options>
bool read_value(const text::Node& node, T& out, const Options& options, Diagnostics& diagnostics);

template <class T, class Options>
bool read_list(const text::Node& node, std::vector<T>& out, const Options& options,
               Diagnostics& diagnostics) {
  constexpr bool kOneOrMany = Options::template has<tag::OneOrMany>;
  if (!expect_list(node, kOneOrMany, diagnostics)) return false;
  const std::span<const text::Node> items =
      node.is_list() ? std::span(node.items) : std::span(&node, 1);
  bool ok = true;
  if constexpr (Options::template has<tag::Count>) {
    ok = check_size("items", items.size(), options.template get<tag::Count>(), diagnostics);
  }
  out.clear();
  out.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::optional<Diagnostics::Scope> scope;
    if (node.is_list()) scope.emplace(diagnostics, i, items[i]);
    T item{};
    ok = read_value(items[i], item, options, diagnostics) && ok;
    out.push_back(std::move(item));
  }
  return ok;
}

template <class M, class Options>
bool read_map(const text::Node& node, M& out, const Options& options, Diagnostics& diagnostics) {
  if (!expect_map(node, "names with values", diagnostics)) return false;
  bool ok = true;
  if constexpr (Options::template has<tag::Count>) {
    ok =
        check_size("entries", node.members.size(), options.template get<tag::Count>(), diagnostics);
  }
  out.clear();
  for (const text::Member& member : node.members) {
    const Diagnostics::Scope scope(diagnostics, member.key, member.value);
    if constexpr (Options::template has<tag::KeysAre>) {
      ok = check_key(member, *options.template get<tag::KeysAre>(), diagnostics) && ok;
    }
    ok = read_value(member.value, shape::Map<M>::add(out, member), options, diagnostics) && ok;
  }
  return ok;
}

// Reads `node` into `out`; false when it added an error. `out` then holds anything.
template <class T, class Options>
bool read_value(const text::Node& node, T& out, const Options& options, Diagnostics& diagnostics) {
  if constexpr (shape::is_optional<T>) {
    if constexpr (Options::template has<tag::OrOff>) {
      if (node.is_word("off")) {
        out.reset();
        return true;
      }
    }
    return read_value(node, out.emplace(), options, diagnostics);
  } else if constexpr (CustomValue<T>) {
    return ValueTraits<T>::read(node, out, diagnostics);
  } else if constexpr (shape::is_nested<T, Options>()) {
    return options.template get<tag::Of>()->read(node, out, diagnostics);
  } else if constexpr (shape::is_list<T>) {
    return read_list(node, out, options, diagnostics);
  } else if constexpr (shape::is_map<T>) {
    return read_map(node, out, options, diagnostics);
  } else if constexpr (std::is_enum_v<T> && !Scalar<T>) {
    static_assert(Options::template has<tag::Names>, "an enum needs names<E>({...})");
    return read_enum(node, out, options, diagnostics);
  } else {
    static_assert(Scalar<T>, "specialise ScalarTraits or ValueTraits, or name a schema by of()");
    return read_scalar(node, out, diagnostics) && check_leaf(out, options, diagnostics);
  }
}

// Fills the defaults that nested schemas declare.
template <class T, class Options>
void default_value(T& out, const Options& options) {
  if constexpr (shape::is_optional<T>) {
    if (out.has_value()) default_value(*out, options);
  } else if constexpr (!CustomValue<T> && shape::is_nested<T, Options>()) {
    options.template get<tag::Of>()->apply_defaults(out);
  }
}

template <class T, class Options>
Json value_to_json(const T& value, const Options& options) {
  if constexpr (Options::template has<tag::Secret>) {
    return kMasked;
  } else if constexpr (shape::is_optional<T>) {
    if (value.has_value()) return value_to_json(*value, options);
    if constexpr (Options::template has<tag::OrOff>) return "off";
    return nullptr;
  } else if constexpr (CustomValue<T>) {
    return ValueTraits<T>::to_json(value);
  } else if constexpr (shape::is_nested<T, Options>()) {
    return options.template get<tag::Of>()->to_json(value);
  } else if constexpr (shape::is_list<T>) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(value_to_json(item, options));
    return list;
  } else if constexpr (shape::is_map<T>) {
    Json map = Json::object();
    for (const auto& item : value) {
      if constexpr (requires { item.first; }) {
        map[item.first] = value_to_json(item.second, options);
      } else {
        map[item.key] = value_to_json(item.value, options);
      }
    }
    return map;
  } else if constexpr (std::is_enum_v<T> && !Scalar<T>) {
    for (const auto& named : options.template get<tag::Names>()) {
      if (named.value == value) return named.name;
    }
    return nullptr;
  } else {
    return scalar_to_json(value);
  }
}

}  // namespace doorward::schema
