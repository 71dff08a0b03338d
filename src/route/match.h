// Match: which requests a route takes, as the configuration declares it (docs/guide/routing.md).
// Plain values without meaning of their own; RouteTable::build gives them one or says what is
// wrong. An empty list asks for nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace doorward::route {

// What a header, query parameter or cookie must be like. With several fields of one name, one that
// fits is enough; `absent` wants none at all.
struct ValueMatch {
  enum class Kind : std::uint8_t { equals, present, absent, prefix, regex };
  Kind kind = Kind::equals;
  std::string text;  // the value, prefix or RE2 (which may match anywhere); else empty
  bool operator==(const ValueMatch&) const = default;
};

struct NamedMatch {
  std::string name;
  ValueMatch value;
  bool operator==(const NamedMatch&) const = default;
};

struct PathMatch {
  std::string text;  // "/a/{id}", "/a/**", "/a/*.png", or an RE2 over the whole path
  bool regex = false;
  bool operator==(const PathMatch&) const = default;
};

// Of the client's connection. In patterns "*" stands for any run of characters.
struct TlsMatch {
  std::vector<std::string> snis;          // names that it asks for, patterns
  std::vector<std::string> subjects;      // of its certificate, patterns
  std::vector<std::string> names;         // … with their kind: "DNS:*.example"
  std::vector<std::string> fingerprints;  // … SHA-256
  std::optional<bool> certificate;        // has it one?
  bool wants_certificate() const {
    return certificate == true || !subjects.empty() || !names.empty() || !fingerprints.empty();
  }
  bool operator==(const TlsMatch&) const = default;
};

struct Match {
  std::vector<std::string> hosts;  // "api.example.com", "*.example.com", "*"
  std::vector<PathMatch> paths;
  std::vector<std::string> methods;
  std::vector<NamedMatch> headers;
  std::vector<NamedMatch> queries;
  std::vector<NamedMatch> cookies;
  std::vector<std::string> clients;  // addresses and CIDR blocks
  TlsMatch tls;
  bool operator==(const Match&) const = default;
};

}  // namespace doorward::route
