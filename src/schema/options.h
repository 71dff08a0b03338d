// What a field may say beside its name, member and meaning. Each option is a small value; an
// OptionSet holds a field's, and answers at compile time which are there.
//   required()            must be given
//   default_is(v)         the default, when it is not the member's own initial value
//   at_least(v) at_most(v)   the range of numbers, sizes and durations
//   zero_means("no limit")   0 is right whatever the range, and what it means
//   length(min, max)      of text, in bytes          count(min, max)   of a list or map
//   is(kToken)            a TextCheck for text       keys_are(kHeaderName)   for a map's keys
//   checked(f)            f(value) -> std::string: empty, or "must be …"
//   names<E>({{"a", E::a}, …})   the words for an enum
//   of(kSchema)           the schema of a nested struct (also inside list, map, optional)
//   one_or_many()         a list may be written as its single item
//   or_off()              an optional may be written `off` (it is then empty)
//   secret()              never shown (to_json); the name must be one of secret_mask.h
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>

#include "schema/checks.h"

namespace doorward::schema {

template <class T>
class SchemaOf;

namespace tag {
struct Required;
struct Default;
struct AtLeast;
struct AtMost;
struct ZeroMeans;
struct Length;
struct Count;
struct Is;
struct KeysAre;
struct Checked;
struct Names;
struct Of;
struct OneOrMany;
struct OrOff;
struct Secret;
}  // namespace tag

template <class TagType, class V = std::monostate>
struct Option {
  using Tag = TagType;
  V value{};
};

struct Range {
  std::size_t min = 0;
  std::size_t max = 0;
};

template <class E>
struct NamedValue {
  std::string_view name;
  E value;
  std::string_view doc = {};
};

constexpr Option<tag::Required> required() { return {}; }
template <class V>
constexpr Option<tag::Default, V> default_is(V value) {
  return {value};
}
template <class V>
constexpr Option<tag::AtLeast, V> at_least(V value) {
  return {value};
}
template <class V>
constexpr Option<tag::AtMost, V> at_most(V value) {
  return {value};
}
constexpr Option<tag::ZeroMeans, std::string_view> zero_means(std::string_view meaning) {
  return {meaning};
}
constexpr Option<tag::Length, Range> length(std::size_t min, std::size_t max) {
  return {{min, max}};
}
constexpr Option<tag::Count, Range> count(std::size_t min, std::size_t max) { return {{min, max}}; }
constexpr Option<tag::Is, const TextCheck*> is(const TextCheck& check) { return {&check}; }
constexpr Option<tag::KeysAre, const TextCheck*> keys_are(const TextCheck& check) {
  return {&check};
}
template <class F>
constexpr Option<tag::Checked, F> checked(F function) {
  return {function};
}
template <class E, std::size_t N>
constexpr Option<tag::Names, std::array<NamedValue<E>, N>> names(const NamedValue<E> (&list)[N]) {
  return {std::to_array(list)};
}
template <class T>
constexpr Option<tag::Of, const SchemaOf<T>*> of(const SchemaOf<T>& schema) {
  return {&schema};
}
constexpr Option<tag::OneOrMany> one_or_many() { return {}; }
constexpr Option<tag::OrOff> or_off() { return {}; }
constexpr Option<tag::Secret> secret() { return {}; }

template <class... Options>
class OptionSet {
 public:
  constexpr explicit OptionSet(Options... options) : all_(options...) {}

  template <class Tag>
  static constexpr bool has = (std::is_same_v<typename Options::Tag, Tag> || ...);

  // The value of the option; only where has<Tag>.
  template <class Tag>
  constexpr const auto& get() const {
    return std::get<index_of<Tag>()>(all_).value;
  }

 private:
  template <class Tag>
  static constexpr std::size_t index_of() {
    constexpr std::array<bool, sizeof...(Options)> kMatches{
        std::is_same_v<typename Options::Tag, Tag>...};
    for (std::size_t i = 0; i < kMatches.size(); ++i) {
      if (kMatches[i]) return i;
    }
    return kMatches.size();
  }

  std::tuple<Options...> all_;
};

}  // namespace doorward::schema
