// What value.h reads, described: as JSON Schema (2020-12) and in words for the reference.
#pragma once

#include <string>

#include "schema/reference.h"
#include "schema/value.h"

namespace doorward::schema {

template <class T, class Options>
Json value_schema(const Options& options, Json& definitions);

// Adds the bounds that the options give to a scalar's schema, and the words for them.
template <class T, class Options>
Json leaf_schema(const Options& options) {
  Json json = scalar_schema<T>();
  if constexpr (Number<T>) {
    if constexpr (Options::template has<tag::AtLeast>) {
      json["minimum"] = as<T>(options.template get<tag::AtLeast>());
    }
    if constexpr (Options::template has<tag::AtMost>) {
      json["maximum"] = as<T>(options.template get<tag::AtMost>());
    }
    if constexpr (Options::template has<tag::ZeroMeans>) {
      return {{"anyOf", Json::array({{{"const", 0}}, std::move(json)})}};
    }
  }
  if constexpr (std::same_as<T, std::string>) {
    if constexpr (Options::template has<tag::Length>) {
      json["minLength"] = options.template get<tag::Length>().min;
      json["maxLength"] = options.template get<tag::Length>().max;
    }
    if constexpr (Options::template has<tag::Is>) {
      const std::string_view pattern = options.template get<tag::Is>()->pattern;
      if (!pattern.empty()) json["pattern"] = pattern;
    }
  }
  return json;
}

template <class T, class Options>
Json list_schema(const Options& options, Json& definitions) {
  Json item = value_schema<typename T::value_type>(options, definitions);
  Json list = {{"type", "array"}, {"items", item}};
  if constexpr (Options::template has<tag::Count>) {
    list["minItems"] = options.template get<tag::Count>().min;
    list["maxItems"] = options.template get<tag::Count>().max;
  }
  if constexpr (!Options::template has<tag::OneOrMany>) return list;
  return {{"anyOf", Json::array({std::move(item), std::move(list)})}};
}

template <class T, class Options>
Json map_schema(const Options& options, Json& definitions) {
  using Value = typename shape::Map<T>::Value;
  Json map = {{"type", "object"},
              {"additionalProperties", value_schema<Value>(options, definitions)}};
  if constexpr (Options::template has<tag::KeysAre>) {
    const std::string_view pattern = options.template get<tag::KeysAre>()->pattern;
    if (!pattern.empty()) map["propertyNames"] = {{"pattern", pattern}};
  }
  if constexpr (Options::template has<tag::Count>) {
    map["minProperties"] = options.template get<tag::Count>().min;
    map["maxProperties"] = options.template get<tag::Count>().max;
  }
  return map;
}

template <class T, class Options>
Json value_schema(const Options& options, Json& definitions) {
  if constexpr (shape::is_optional<T>) {
    Json inner = value_schema<typename T::value_type>(options, definitions);
    if constexpr (!Options::template has<tag::OrOff>) return inner;
    // `off` is text in YAML 1.2 and false for editors that read YAML 1.1.
    return {{"anyOf", Json::array({{{"enum", Json::array({"off", false})}}, std::move(inner)})}};
  } else if constexpr (CustomValue<T>) {
    return ValueTraits<T>::json_schema(definitions);
  } else if constexpr (shape::is_nested<T, Options>()) {
    return options.template get<tag::Of>()->json_schema(definitions);
  } else if constexpr (shape::is_list<T>) {
    return list_schema<T>(options, definitions);
  } else if constexpr (shape::is_map<T>) {
    return map_schema<T>(options, definitions);
  } else if constexpr (std::is_enum_v<T> && !Scalar<T>) {
    Json names = Json::array();
    for (const auto& named : options.template get<tag::Names>()) names.push_back(named.name);
    return {{"enum", std::move(names)}};
  } else {
    return leaf_schema<T>(options);
  }
}

// "size", "list of text", "map of name → text", "`a` | `b`".
template <class T, class Options>
std::string value_type(const Options& options) {
  if constexpr (shape::is_optional<T>) {
    std::string type = value_type<typename T::value_type>(options);
    if constexpr (Options::template has<tag::OrOff>) type += " or `off`";
    return type;
  } else if constexpr (CustomValue<T>) {
    return ValueTraits<T>::type();
  } else if constexpr (shape::is_nested<T, Options>()) {
    return options.template get<tag::Of>()->type();
  } else if constexpr (shape::is_list<T>) {
    const std::string item = value_type<typename T::value_type>(options);
    return Options::template has<tag::OneOrMany> ? item + ", or a list" : "list of " + item;
  } else if constexpr (shape::is_map<T>) {
    return "map of name → " + value_type<typename shape::Map<T>::Value>(options);
  } else if constexpr (std::is_enum_v<T> && !Scalar<T>) {
    std::string type;
    for (const auto& named : options.template get<tag::Names>()) {
      type += fmt::format("{}`{}`", type.empty() ? "" : " | ", named.name);
    }
    return type;
  } else if constexpr (std::same_as<T, std::string> && Options::template has<tag::Is>) {
    return without_article(options.template get<tag::Is>()->name);
  } else {
    return without_article(ScalarTraits<T>::kName);
  }
}

// The value, or one item of it, with its article: "a size", "an http:// or https:// URL".
template <class T, class Options>
std::string single_name(const Options& options) {
  if constexpr (CustomValue<T>) {
    return ValueTraits<T>::type();
  } else if constexpr (shape::is_optional<T> || shape::is_list<T>) {
    return single_name<typename T::value_type>(options);
  } else if constexpr (std::same_as<T, std::string> && Options::template has<tag::Is>) {
    return std::string(options.template get<tag::Is>()->name);
  } else if constexpr (Scalar<T>) {
    return std::string(ScalarTraits<T>::kName);
  } else {
    return value_type<T>(options);
  }
}

// What the options add to a field's meaning: " At least 1B. `0`: no limit."
template <class T, class Options>
std::string bounds(const Options& options) {
  if constexpr (shape::is_optional<T> || shape::is_list<T>) {
    return bounds<typename T::value_type>(options);
  } else if constexpr (shape::is_map<T>) {
    return bounds<typename shape::Map<T>::Value>(options);
  } else {
    std::string out;
    if constexpr (Options::template has<tag::AtLeast> && Scalar<T>) {
      out += fmt::format(" At least `{}`.",
                         ScalarTraits<T>::format(as<T>(options.template get<tag::AtLeast>())));
    }
    if constexpr (Options::template has<tag::AtMost> && Scalar<T>) {
      out += fmt::format(" At most `{}`.",
                         ScalarTraits<T>::format(as<T>(options.template get<tag::AtMost>())));
    }
    if constexpr (Options::template has<tag::ZeroMeans>) {
      out += fmt::format(" `0`: {}.", options.template get<tag::ZeroMeans>());
    }
    if constexpr (Options::template has<tag::Length>) {
      const Range range = options.template get<tag::Length>();
      out += fmt::format(" {} to {} bytes.", range.min, range.max);
    }
    return out;
  }
}

// The reference rows of a struct that stands somewhere inside of T, if one does.
template <class T, class Options>
void nested_rows(const std::string& prefix, const Options& options, std::vector<Row>& rows) {
  if constexpr (CustomValue<T>) {
    return;
  } else if constexpr (shape::is_nested<T, Options>()) {
    options.template get<tag::Of>()->add_rows(prefix + ".", rows);
  } else if constexpr (shape::is_optional<T>) {
    nested_rows<typename T::value_type>(prefix, options, rows);
  } else if constexpr (shape::is_list<T>) {
    nested_rows<typename T::value_type>(prefix + "[]", options, rows);
  } else if constexpr (shape::is_map<T>) {
    nested_rows<typename shape::Map<T>::Value>(prefix + ".NAME", options, rows);
  }
}

}  // namespace doorward::schema
