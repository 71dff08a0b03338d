// What a shown line of a configuration must not tell: the value of a key whose name is a secret's,
// also where the key is misspelt and in text that is no YAML. It goes by names and not by the tree,
// since findings are also shown of text that never became one. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace doorward::schema {

// Is this the name of a setting that is never shown, or close to one? Every field that is declared
// secret() has such a name; a test of config/ holds that.
bool is_secret_name(std::string_view key);

struct MaskedLine {
  std::string text;
  std::size_t column;  // the one that was given, moved along with what was cut before it
};

// The line with `***` for secrets. `at_secret`: at `column` (from 1) stands a secret's value, whose
// key may be on a line before.
MaskedLine mask_secrets(std::string_view line, std::size_t column, bool at_secret);

}  // namespace doorward::schema
