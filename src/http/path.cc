// normalize_path: a scan that proves a usual path normal without touching it (SSE2 where there is
// one), and a single rewriting pass for the others.
#include <array>
#include <cstdint>
#include <cstring>

#include "http/uri.h"
#include "text/ascii.h"
#include "text/percent.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace doorward::http {
namespace {

// Bytes that make a path not obviously normal wherever they stand.
constexpr std::array<bool, 256> kSuspect = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    table[c] = !text::is_visible(byte) || byte == '%' || byte == '\\' || byte == '#';
  }
  return table;
}();

bool is_suspect(char c) { return kSuspect[static_cast<unsigned char>(c)]; }
// "//" and "/.": the second may begin a dot segment.
bool is_suspect_pair(char here, char next) { return here == '/' && (next == '/' || next == '.'); }

#ifdef __SSE2__
// A bit for each of 16 positions that is suspect, given the bytes there and the bytes after them.
unsigned suspects(__m128i here, __m128i next) {
  const auto is = [](__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  // Signed: bytes above 0x7f are below 0x21 too; 0x7f is the only one left.
  __m128i bad = _mm_cmplt_epi8(here, _mm_set1_epi8(0x21));
  bad = _mm_or_si128(bad, is(here, 0x7f));
  bad = _mm_or_si128(bad, is(here, '%'));
  bad = _mm_or_si128(bad, is(here, '\\'));
  bad = _mm_or_si128(bad, is(here, '#'));
  const __m128i dot_or_slash = _mm_or_si128(is(next, '.'), is(next, '/'));
  bad = _mm_or_si128(bad, _mm_and_si128(is(here, '/'), dot_or_slash));
  return static_cast<unsigned>(_mm_movemask_epi8(bad));
}

unsigned suspects16(const char* at) {
  return suspects(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)),
                  _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 1)));
}
unsigned suspects8(const char* at) {
  return suspects(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)),
                  _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at + 1))) &
         0xff;
}

// Blocks overlap at the end, so that nothing beyond the path is read. The last byte has no next
// one and is looked at by the caller.
bool has_suspect_pairs(const char* at, std::size_t size) {
  if (size < 9) {
    for (std::size_t i = 0; i + 1 < size; ++i) {
      if (is_suspect(at[i]) || is_suspect_pair(at[i], at[i + 1])) return true;
    }
    return false;
  }
  if (size < 17) return (suspects8(at) | suspects8(at + size - 9)) != 0;
  unsigned bad = suspects16(at + size - 17);
  for (std::size_t i = 0; i + 17 < size; i += 16) bad |= suspects16(at + i);
  return bad != 0;
}
#else
bool has_suspect_pairs(const char* at, std::size_t size) {
  for (std::size_t i = 0; i + 1 < size; ++i) {
    if (is_suspect(at[i]) || is_suspect_pair(at[i], at[i + 1])) return true;
  }
  return false;
}
#endif

// One pass from `in_` to `out_`, segment by segment; what is written is never longer than what
// was read.
class PathWriter {
 public:
  PathWriter(std::string_view path, char* to) : path_(path), begin_(to), out_(to) {}

  UriResult<std::string_view> run() {
    while (at_ < path_.size()) {
      while (at_ < path_.size() && path_[at_] == '/') ++at_;
      char* const segment = out_;
      *out_++ = '/';
      if (auto copied = copy_segment(); !copied) return std::unexpected(copied.error());
      if (auto resolved = resolve_dots(segment); !resolved) {
        return std::unexpected(resolved.error());
      }
    }
    return std::string_view(begin_, static_cast<std::size_t>(out_ - begin_));
  }

 private:
  UriResult<void> copy_segment() {
    while (at_ < path_.size() && path_[at_] != '/') {
      const char c = path_[at_];
      if (c == '%') {
        if (auto copied = copy_escape(); !copied) return copied;
        continue;
      }
      if (c == '\\') return std::unexpected(UriRefusal::path_backslash);
      if (c == '#') return std::unexpected(UriRefusal::target_fragment);
      if (!text::is_visible(c)) return std::unexpected(UriRefusal::target_character);
      *out_++ = c;
      ++at_;
    }
    return {};
  }

  UriResult<void> copy_escape() {
    if (!text::is_escape(path_, at_)) return std::unexpected(UriRefusal::path_percent_invalid);
    const char value = text::escape_value(path_, at_);
    at_ += 3;
    if (value == '/') return std::unexpected(UriRefusal::path_encoded_slash);
    if (value == '\\') return std::unexpected(UriRefusal::path_encoded_backslash);
    if (value == '\0') return std::unexpected(UriRefusal::path_encoded_null);
    if (text::is_unreserved(value)) {
      *out_++ = value;
      return {};
    }
    const auto byte = static_cast<unsigned char>(value);
    *out_++ = '%';
    *out_++ = text::hex_digit(byte >> 4);
    *out_++ = text::hex_digit(byte);
    return {};
  }

  // `segment` is where the slash before the segment just written stands (RFC 3986 §5.2.4).
  UriResult<void> resolve_dots(char* segment) {
    const std::string_view name(segment + 1, static_cast<std::size_t>(out_ - segment - 1));
    if (name != "." && name != "..") return {};
    if (name == "..") {
      if (segment == begin_) return std::unexpected(UriRefusal::path_above_root);
      while (*--segment != '/') {
      }
    }
    out_ = segment;
    if (at_ == path_.size()) *out_++ = '/';  // "/a/." and "/a/b/.." name the folder
    return {};
  }

  std::string_view path_;
  std::size_t at_ = 0;
  char* begin_;
  char* out_;
};

}  // namespace

UriResult<std::string_view> normalize_path(std::string_view path, Arena& arena) {
  if (path.empty() || path[0] != '/') return std::unexpected(UriRefusal::target_invalid);
  if (!has_suspect_pairs(path.data(), path.size()) && !is_suspect(path.back())) [[likely]] {
    return path;
  }
  auto written = PathWriter(path, arena.bytes(path.size())).run();
  if (written && *written == path) return path;
  return written;
}

}  // namespace doorward::http
