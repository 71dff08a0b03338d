// All that is wrong with a configuration: each finding with its place, its path
// ("routes[2].match.path"), a sentence, and the nearest right name. Owner: who reads a
// configuration. Subtle: it knows where the reader is (Scope), so that checks need only say what is
// wrong; at most kMost findings are kept, the others counted.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/yaml.h"

namespace doorward::schema {

using Json = nlohmann::ordered_json;

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  text::Place place;
  std::string path;        // empty at the top
  std::string message;     // goes on from the path: `must be a size such as 64KiB, not "x"`
  std::string suggestion;  // the right name that is meant, or empty

  std::string to_text() const;  // one line, then the source line (secrets masked) and a caret
  Json to_json() const;
};

class Diagnostics {
 public:
  static constexpr std::size_t kMost = 100;

  // Where the reader is, while it lives: a key or an index below what is open already.
  class Scope {
   public:
    Scope(Diagnostics& diagnostics, std::string_view key, const text::Node& node);
    Scope(Diagnostics& diagnostics, std::size_t index, const text::Node& node);
    // The same place in the path: the top, or another node that stands for it.
    Scope(Diagnostics& diagnostics, const text::Node& node);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Diagnostics& diagnostics_;
    std::size_t path_length_;
  };

  // At the value that is being read.
  void error(std::string message, std::string suggestion = {});
  void warning(std::string message);
  // At the key `key` of the map that is being read (at the map where it is not given).
  void error_at(std::string_view key, std::string message, std::string suggestion = {});
  void warning_at(std::string_view key, std::string message);
  // Anything, anywhere.
  void add(Diagnostic diagnostic);
  void add(const std::vector<text::YamlError>& errors);

  bool ok() const { return errors_ == 0; }
  std::size_t error_count() const { return errors_; }
  // A further finding would only be counted: no need to word it well.
  bool full() const { return all_.size() >= kMost; }
  const std::string& path() const { return path_; }
  // In the order of their places.
  std::vector<Diagnostic> sorted() const;
  std::string to_text() const;
  Json to_json() const;  // {"errors": 2, "warnings": 0, "diagnostics": [...], "omitted": 0}

 private:
  Diagnostic at_key(Severity severity, std::string_view key, std::string message,
                    std::string suggestion) const;

  std::string path_;
  std::vector<const text::Node*> open_;
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::size_t omitted_ = 0;
};

// `unknown key; did you mean "host"?`, or the list of what would be right. `what` is "unknown key".
std::string unknown_name(std::string_view what, std::string_view name,
                         std::span<const std::string_view> right, std::string& suggestion);

// A path with one more key: `services.orders`, `services["a.b"]`.
void append_key(std::string& path, std::string_view key);

// The value at a path that append_key and indices made; null when there is none.
const text::Node* find_path(const text::Node& root, std::string_view path);

// "a map", "a list", `"text"` (shortened): what stands there, for a sentence.
std::string describe(const text::Node& node);

}  // namespace doorward::schema
