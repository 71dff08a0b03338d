// The walk over a head's lines. Each step stops at the first byte that ends it, and what that
// byte is decides; running out of bytes only remembers where to go on.
#include "codec/h1/head_scanner.h"

#include <cstring>

#include "codec/h1/scan.h"
#include "http/field.h"

namespace doorward::codec::h1 {
namespace {

constexpr std::ptrdiff_t kUsualName = 33;  // the longest known name and its colon

std::uint32_t next_control(std::string_view bytes, std::uint32_t from) {
  const char* end = bytes.data() + bytes.size();
  return static_cast<std::uint32_t>(find_control(bytes.data(), bytes.data() + from, end) -
                                    bytes.data());
}

// The next control byte that is not a tab.
std::uint32_t next_line_break(std::string_view bytes, std::uint32_t from) {
  std::uint32_t stop = next_control(bytes, from);
  while (stop < bytes.size() && bytes[stop] == '\t') stop = next_control(bytes, stop + 1);
  return stop;
}

// "content_length" reaches a CGI program under the same name as "content-length".
bool is_ambiguous(std::string_view name) {
  if (std::memchr(name.data(), '_', name.size()) == nullptr) return false;
  char dashed[64];
  if (name.size() > sizeof dashed) return false;
  for (std::size_t i = 0; i < name.size(); ++i) dashed[i] = name[i] == '_' ? '-' : name[i];
  return http::classify({dashed, name.size()}) != http::HeaderName::other;
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Appends the line `name` ":" value, up to the CRLF at `stop`.
inline void add_line(std::string_view name, http::HeaderName id, const char* stop,
                     http::HeaderList& out) {
  const std::string_view value = between(name.data() + name.size() + 1, stop);
  const auto size = static_cast<std::uint32_t>(stop + 2 - name.data());
  out.append({name, http::trim(value), size, id});
}

// The colon behind the name at `line`, or `end`. A name that is known is made of token characters,
// which need not be looked at one by one then.
inline const char* find_name(const char* begin, const char* line, const char* end,
                             http::HeaderName& id) {
  const char* colon = find_colon(begin, line, end - line > kUsualName ? line + kUsualName : end);
  if (colon != end && *colon == ':') {
    id = http::classify(between(line, colon));
    if (id != http::HeaderName::other) return colon;
  }
  id = http::HeaderName::other;
  colon = find_name_end(begin, line, end);
  return colon != line && colon != end && *colon == ':' ? colon : end;
}

}  // namespace

// A line must end in CRLF at `stop`; `done` when it does.
Progress HeadScanner::line_end(std::string_view bytes, std::uint32_t stop) {
  if (bytes[stop] == '\r') {
    if (stop + 1 == bytes.size()) {
      at_ = stop;
      return Progress::need_more;
    }
    return bytes[stop + 1] == '\n' ? Progress::done : refuse(Refusal::bare_cr);
  }
  return refuse(bytes[stop] == '\n' ? Refusal::bare_lf : Refusal::control_byte);
}

Progress HeadScanner::first_line(std::string_view bytes, std::uint32_t longest, Refusal too_long,
                                 std::string_view& line) {
  const std::uint32_t stop = next_line_break(bytes, at_);
  if (stop - line_ > longest) return refuse(too_long);
  if (stop == bytes.size()) {
    at_ = stop;
    return Progress::need_more;
  }
  const Progress end = line_end(bytes, stop);
  if (end != Progress::done) return end;
  line = bytes.substr(line_, stop - line_);
  line_ = at_ = stop + 2;
  return Progress::done;
}

Progress HeadScanner::headers(std::string_view bytes, const ParseLimits& limits,
                              http::HeaderList& out) {
  for (;;) {
    if (colon_ == 0) {
      if (at_ == line_) {
        take_usual_lines(bytes, limits, out);
        if (line_ == bytes.size()) return Progress::need_more;
        if (!http::is_token_character(bytes[line_])) return line_start(bytes);
        if (count_ == limits.header_count) return refuse(Refusal::too_many_headers);
      }
      const Progress name = header_name(bytes, limits);
      if (name != Progress::done) return name;
    }
    const Progress value = header_value(bytes, limits, out);
    if (value != Progress::done) return value;
  }
}

// The fast way: lines that are whole and have nothing odd about them. At the first other line it
// stops, and the careful way begins at that line's start.
void HeadScanner::take_usual_lines(std::string_view bytes, const ParseLimits& limits,
                                   http::HeaderList& out) {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* line = begin + line_;
  for (; line != end && *line != '\r' && count_ != limits.header_count; ++count_) {
    http::HeaderName id;
    const char* const colon = find_name(begin, line, end, id);
    if (colon == end) break;
    const char* const stop = find_control(begin, colon + 1, end);
    if (end - stop < 2 || stop[0] != '\r' || stop[1] != '\n') break;
    if (stop - line > limits.line_length) break;
    const std::string_view name = between(line, colon);
    if (id == http::HeaderName::other && is_ambiguous(name)) break;
    add_line(name, id, stop, out);
    line = stop + 2;
  }
  line_ = at_ = static_cast<std::uint32_t>(line - begin);
}

// A line that does not begin with a name: the empty line that ends the head, or an error.
Progress HeadScanner::line_start(std::string_view bytes) {
  const char c = bytes[line_];
  if (c == ' ' || c == '\t') {
    return refuse(count_ == 0 ? Refusal::leading_whitespace : Refusal::obs_fold);
  }
  if (c == ':') return refuse(Refusal::empty_header_name);
  if (!is_control(c)) return refuse(Refusal::bad_header_name);
  const Progress end = line_end(bytes, line_);
  if (end == Progress::done) line_ += 2;
  return end;
}

Progress HeadScanner::header_name(std::string_view bytes, const ParseLimits& limits) {
  const char* end = bytes.data() + bytes.size();
  const auto stop = static_cast<std::uint32_t>(
      find_name_end(bytes.data(), bytes.data() + at_, end) - bytes.data());
  if (stop - line_ > limits.line_length) return refuse(Refusal::header_line_too_long);
  if (stop == bytes.size()) {
    at_ = stop;
    return Progress::need_more;
  }
  if (bytes[stop] != ':') return bad_name(bytes, stop);
  colon_ = stop;
  at_ = stop + 1;
  return Progress::done;
}

// A name that ends in something other than its colon.
Progress HeadScanner::bad_name(std::string_view bytes, std::uint32_t stop) {
  const char c = bytes[stop];
  if (c == ' ' || c == '\t') return refuse(Refusal::space_before_colon);
  if (!is_control(c)) return refuse(Refusal::bad_header_name);
  const Progress end = line_end(bytes, stop);
  return end == Progress::done ? refuse(Refusal::missing_colon) : end;
}

Progress HeadScanner::header_value(std::string_view bytes, const ParseLimits& limits,
                                   http::HeaderList& out) {
  const std::uint32_t stop = next_line_break(bytes, at_);
  if (stop - line_ > limits.line_length) return refuse(Refusal::header_line_too_long);
  if (stop == bytes.size()) {
    at_ = stop;
    return Progress::need_more;
  }
  const Progress end = line_end(bytes, stop);
  if (end != Progress::done) return end;
  const char* const begin = bytes.data();
  const std::string_view name = between(begin + line_, begin + colon_);
  const http::HeaderName id = http::classify(name);
  if (id == http::HeaderName::other && is_ambiguous(name)) {
    return refuse(Refusal::ambiguous_header_name);
  }
  add_line(name, id, begin + stop, out);
  ++count_;
  colon_ = 0;
  line_ = at_ = stop + 2;
  return Progress::done;
}

}  // namespace doorward::codec::h1
