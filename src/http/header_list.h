// HeaderList: the fields of one head, in the order in which they came. Entries live in the
// exchange's Arena, names and values are views into bytes that the exchange owns (received bytes,
// the arena, static text): the list never copies text.
// Subtle: a line that nobody touched keeps `line_size`, so that a writer can send whole runs of
// received lines again as they are. Removing leaves a tombstone, which iteration skips.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string_view>

#include "base/arena.h"
#include "http/header_name.h"

namespace doorward::http {

struct Header {
  std::string_view name;        // as received; lower case when Doorward made it. Empty: a tombstone
  std::string_view value;       // without surrounding whitespace
  std::uint32_t line_size = 0;  // > 0: the untouched line begins at name.data() and has so many
                                // bytes, CRLF included. 0: made by Doorward
  HeaderName id = HeaderName::other;

  bool removed() const { return name.empty(); }
  std::string_view line() const { return {name.data(), line_size}; }
};

// A set of known names, to look for or remove all of them at once.
class HeaderNames {
 public:
  consteval HeaderNames(std::initializer_list<HeaderName> names) {
    for (HeaderName name : names) {
      bits_[static_cast<unsigned>(name) >> 6] |= std::uint64_t{1}
                                                 << (static_cast<unsigned>(name) & 63);
    }
  }

 private:
  friend class HeaderList;
  std::uint64_t bits_[2] = {0, 0};
};

class HeaderList {
 public:
  // Iterates over what is not removed; with `only` set, over the fields of that name.
  class Iterator {
   public:
    using value_type = Header;
    using reference = const Header&;
    using pointer = const Header*;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;

    Iterator() = default;
    Iterator(const Header* at, const Header* end, HeaderName only)
        : at_(at), end_(end), only_(only) {
      settle();
    }
    reference operator*() const { return *at_; }
    pointer operator->() const { return at_; }
    Iterator& operator++() {
      ++at_;
      settle();
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    void settle() {
      while (at_ != end_ && (at_->removed() || (only_ != kAll && at_->id != only_))) ++at_;
    }
    const Header* at_ = nullptr;
    const Header* end_ = nullptr;
    HeaderName only_ = kAll;
  };

  struct Range {
    Iterator first, last;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
    bool empty() const { return first == last; }
  };

  // `arena` outlives the list. Nothing is allocated before the first field.
  explicit HeaderList(Arena& arena) : arena_(&arena) {}
  HeaderList(HeaderList&& other) noexcept { *this = static_cast<HeaderList&&>(other); }
  HeaderList& operator=(HeaderList&& other) noexcept;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  // A second list with the same fields (views are shared, entries are not).
  HeaderList copy(Arena& arena) const;

  bool has(HeaderName name) const { return (present_[word(name)] & bit(name)) != 0; }
  bool has_any(const HeaderNames& names) const {
    return ((present_[0] & names.bits_[0]) | (present_[1] & names.bits_[1])) != 0;
  }
  // The first field of that name, or null. `find(HeaderName::other)` finds nothing.
  const Header* find(HeaderName name) const;
  const Header* find(std::string_view name) const;
  // Its value; empty when there is none.
  std::string_view value(HeaderName name) const;
  std::string_view value(std::string_view name) const;

  std::size_t count(HeaderName name) const;
  std::size_t size() const { return size_ - removed_; }
  bool empty() const { return size() == 0; }

  // All fields of one name: `for (const Header& h : list.values(HeaderName::cookie))`.
  Range values(HeaderName name) const {
    return {Iterator(entries_, entries_ + size_, name), end_iterator()};
  }
  Iterator begin() const { return Iterator(entries_, entries_ + size_, kAll); }
  Iterator end() const { return end_iterator(); }

  // Appends. The views must outlive the list.
  void add(HeaderName name, std::string_view value) { append({canonical(name), value, 0, name}); }
  void add(std::string_view name, std::string_view value) {
    append({name, value, 0, classify(name)});
  }
  // The first field of that name takes the value in its place, further ones go; else appends.
  void set(HeaderName name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  // Returns how many went.
  std::size_t remove(HeaderName name);
  std::size_t remove(std::string_view name);
  void remove_all(const HeaderNames& names);
  // Removes the one field at `header`, which is an element of this list.
  void remove(const Header& header);

  // For codecs: appends a field as received (or any other), already classified.
  void append(const Header& header) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    entries_[size_++] = header;
    present_[word(header.id)] |= bit(header.id);
  }
  // For codecs: the received bytes moved from `from` to `to`; views into them follow.
  void rebase(const char* from, std::size_t size, const char* to);
  // Forgets all fields; the room in the arena is used again.
  void clear();

 private:
  static constexpr HeaderName kAll = HeaderName::count_;
  static constexpr std::uint32_t kFirstRoom = 16;

  static unsigned word(HeaderName name) { return static_cast<unsigned>(name) >> 6; }
  static std::uint64_t bit(HeaderName name) {
    return std::uint64_t{1} << (static_cast<unsigned>(name) & 63);
  }
  Iterator end_iterator() const { return Iterator(entries_ + size_, entries_ + size_, kAll); }
  bool matches(const Header& header, HeaderName id, std::string_view name) const;
  void set(HeaderName id, std::string_view name, std::string_view value);
  std::size_t remove_from(std::uint32_t index, HeaderName id, std::string_view name);
  void grow();

  Arena* arena_ = nullptr;
  Header* entries_ = nullptr;
  std::uint32_t size_ = 0;  // tombstones included
  std::uint32_t capacity_ = 0;
  std::uint32_t removed_ = 0;
  std::uint64_t present_[2] = {0, 0};
};

}  // namespace doorward::http
