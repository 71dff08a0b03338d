#include "observe/query_mask.h"

#include <algorithm>
#include <cstring>

#include "observe/json_escape.h"

namespace doorward::observe {
namespace {

constexpr std::size_t kMostDecodedName = 256;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes into `buffer`; what does not fit is left away.
std::string_view decode(std::string_view name, char* buffer) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < name.size() && size < kMostDecodedName; ++i) {
    if (name[i] == '%' && i + 2 < name.size() && hex_value(name[i + 1]) >= 0 &&
        hex_value(name[i + 2]) >= 0) {
      buffer[size++] = static_cast<char>(hex_value(name[i + 1]) * 16 + hex_value(name[i + 2]));
      i += 2;
    } else {
      buffer[size++] = name[i];
    }
  }
  return {buffer, size};
}

}  // namespace

QueryMask::QueryMask(std::span<const std::string> names) {
  for (const std::string& name : names) {
    if (name.empty()) continue;
    std::string& kept = names_.emplace_back(name);
    std::ranges::transform(kept, kept.begin(), lower);
    longest_ = std::max(longest_, kept.size());
  }
}

bool QueryMask::is_listed(std::string_view name) const {
  if (name.empty() || name.size() > longest_) return false;
  for (const std::string& hidden : names_) {
    if (hidden.size() == name.size() &&
        std::ranges::equal(hidden, name, {}, {}, [](char c) { return lower(c); })) {
      return true;
    }
  }
  return false;
}

bool QueryMask::hides(std::string_view name) const {
  char buffer[kMostDecodedName];
  if (name.find('%') != std::string_view::npos) name = decode(name, buffer);
  while (true) {
    const std::size_t end = name.find_first_of("[]");
    if (is_listed(name.substr(0, end))) return true;
    if (end == std::string_view::npos) return false;
    name.remove_prefix(end + 1);
  }
}

char* QueryMask::write(char* to, std::string_view query) const {
  std::size_t written = 0;  // of `query`
  std::size_t name = 0;
  while (name < query.size()) {
    const std::size_t stop = std::min(query.find_first_of("=&;", name), query.size());
    if (stop == query.size() || query[stop] != '=' || !hides(query.substr(name, stop - name))) {
      // A value may hold more `=`; the next name begins after the next separator.
      const std::size_t next = std::min(query.find_first_of("&;", stop), query.size());
      name = next + 1;
      continue;
    }
    const std::size_t end = std::min(query.find('&', stop), query.size());
    to = write_json_text(to, query.substr(written, stop + 1 - written));
    if (end > stop + 1) {
      std::memcpy(to, "***", 3);
      to += 3;
    }
    written = end;
    name = end + 1;
  }
  return write_json_text(to, query.substr(std::min(written, query.size())));
}

}  // namespace doorward::observe
