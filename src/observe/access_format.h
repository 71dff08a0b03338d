// AccessFormat: the chosen fields of the access log, compiled once, and the writing of one line.
// Immutable, shared by all cores. A line is one JSON object and a newline; whatever bytes a client
// sends, it stays valid JSON in valid UTF-8 (bad bytes become U+FFFD) on one line.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "observe/access_record.h"

namespace doorward::observe {

// The time of day of a line, kept by each core so that the date is worked out once a second.
struct TimeStamp {
  std::int64_t second = -1;
  char text[20];  // "2026-01-02T03:04:05."
};

class AccessFormat {
 public:
  // Empty `fields` are all of kAccessFields. An unknown name is an error that tells the right ones.
  static Result<AccessFormat> compile(std::span<const std::string> fields,
                                      std::span<const std::string> mask_query);

  // No line of `record` is longer, if no text of it counts more than `longest_text` bytes.
  std::size_t most_bytes(const AccessRecord& record, std::size_t longest_text) const;
  // Writes the line and returns its end; `to` has room for most_bytes(). Longer texts are cut.
  char* write(const AccessRecord& record, TimeStamp& stamp, std::size_t longest_text,
              char* to) const;

 private:
  static constexpr std::size_t kPrefixRoom = 24;
  struct Piece {
    char prefix[kPrefixRoom];  // `,"name":` and for texts a quote
    std::uint8_t prefix_size;
    std::uint8_t kind;  // index into AccessField::Member
    AccessField::Member member;
  };
  static Piece piece_of(const AccessField& field);

  std::vector<Piece> pieces_;
  std::vector<std::string> masked_;  // lower case
};

// Writes `query` as JSON text with the values of parameters named in `masked` replaced; room for
// 6 bytes a byte of it. Names are compared without case, after percent-decoding, and also inside
// brackets (`user[password]`). Exposed for its test.
char* write_masked_query(char* to, std::string_view query, std::span<const std::string> masked);

}  // namespace doorward::observe
