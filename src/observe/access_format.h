// AccessFormat: the chosen fields of the access log, compiled once, and the writing of one line.
// Immutable, shared by all cores. A line is one JSON object and a newline; whatever bytes a client
// sends, it stays valid JSON in valid UTF-8 (bad bytes become U+FFFD) on one line.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "observe/access_record.h"
#include "observe/query_mask.h"
#include "observe/time_text.h"

namespace doorward::observe {

class AccessFormat {
 public:
  // Empty `fields` are all of kAccessFields.
  AccessFormat(std::span<const AccessFieldId> fields, std::span<const std::string> mask_query);

  // No line of `record` is longer when its texts are cut at `longest_text` bytes.
  std::size_t most_bytes(const AccessRecord& record, std::size_t longest_text) const;
  // Writes the line and returns its end; `to` has room for most_bytes().
  char* write(const AccessRecord& record, TimeStamp& stamp, std::size_t longest_text,
              char* to) const;

 private:
  static constexpr std::size_t kPrefixRoom = 32;
  struct Piece {
    char prefix[kPrefixRoom];  // `,"name":`, with the quote that opens a text
    std::uint8_t prefix_size;
    AccessField::Member member;
  };
  static Piece piece_of(const AccessField& field);
  char* write_piece(const Piece& piece, const AccessRecord& record, TimeStamp& stamp,
                    std::size_t longest_text, char* to) const;

  std::vector<Piece> pieces_;
  QueryMask mask_;
};

}  // namespace doorward::observe
