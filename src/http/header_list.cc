// HeaderList's slower half: growth, search, change. The presence set is exact for known names;
// for `other` it only says that there may have been one.
#include "http/header_list.h"

#include <algorithm>
#include <utility>

#include "http/field.h"

namespace doorward::http {

HeaderList& HeaderList::operator=(HeaderList&& other) noexcept {
  arena_ = other.arena_;
  entries_ = std::exchange(other.entries_, nullptr);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  removed_ = std::exchange(other.removed_, 0);
  for (int i = 0; i < 2; ++i) present_[i] = std::exchange(other.present_[i], 0);
  return *this;
}

HeaderList HeaderList::copy(Arena& arena) const {
  HeaderList result(arena);
  if (size_ == 0) return result;
  result.capacity_ = std::max(size_, kFirstRoom);
  result.entries_ = arena.array<Header>(result.capacity_);
  for (const Header& header : *this) result.append(header);
  return result;
}

void HeaderList::grow() {
  const std::uint32_t room = capacity_ == 0 ? kFirstRoom : capacity_ * 2;
  auto* entries = arena_->array<Header>(room);
  std::copy(entries_, entries_ + size_, entries);
  entries_ = entries;
  capacity_ = room;
}

bool HeaderList::matches(const Header& header, HeaderName id, std::string_view name) const {
  if (header.id != id || header.removed()) return false;
  return id != HeaderName::other || equal_ignore_case(header.name, name);
}

const Header* HeaderList::find(HeaderName name) const {
  if (name == HeaderName::other || !has(name)) return nullptr;
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (entries_[i].id == name && !entries_[i].removed()) return &entries_[i];
  }
  return nullptr;
}

const Header* HeaderList::find(std::string_view name) const {
  const HeaderName id = classify(name);
  if (id != HeaderName::other) return find(id);
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (matches(entries_[i], id, name)) return &entries_[i];
  }
  return nullptr;
}

std::string_view HeaderList::value(HeaderName name) const {
  const Header* header = find(name);
  return header == nullptr ? std::string_view() : header->value;
}

std::string_view HeaderList::value(std::string_view name) const {
  const Header* header = find(name);
  return header == nullptr ? std::string_view() : header->value;
}

std::size_t HeaderList::count(HeaderName name) const {
  if (!has(name)) return 0;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (entries_[i].id == name && !entries_[i].removed()) ++count;
  }
  return count;
}

void HeaderList::set(HeaderName name, std::string_view value) { set(name, canonical(name), value); }

void HeaderList::set(std::string_view name, std::string_view value) {
  set(classify(name), name, value);
}

void HeaderList::set(HeaderName id, std::string_view name, std::string_view value) {
  if (has(id)) {
    for (std::uint32_t i = 0; i < size_; ++i) {
      if (!matches(entries_[i], id, name)) continue;
      entries_[i] = {name, value, 0, id};
      remove_from(i + 1, id, name);
      present_[word(id)] |= bit(id);
      return;
    }
  }
  append({name, value, 0, id});
}

std::size_t HeaderList::remove_from(std::uint32_t index, HeaderName id, std::string_view name) {
  std::size_t gone = 0;
  for (std::uint32_t i = index; i < size_; ++i) {
    if (!matches(entries_[i], id, name)) continue;
    entries_[i].name = {};
    ++gone;
  }
  removed_ += static_cast<std::uint32_t>(gone);
  return gone;
}

std::size_t HeaderList::remove(HeaderName name) {
  if (name == HeaderName::other || !has(name)) return 0;
  present_[word(name)] &= ~bit(name);
  return remove_from(0, name, {});
}

std::size_t HeaderList::remove(std::string_view name) {
  const HeaderName id = classify(name);
  return id != HeaderName::other ? remove(id) : remove_from(0, id, name);
}

void HeaderList::remove_all(const HeaderNames& names) {
  if (!has_any(names)) return;
  for (std::uint32_t i = 0; i < size_; ++i) {
    if ((names.bits_[word(entries_[i].id)] & bit(entries_[i].id)) == 0) continue;
    if (entries_[i].removed()) continue;
    entries_[i].name = {};
    ++removed_;
  }
  for (int i = 0; i < 2; ++i) present_[i] &= ~names.bits_[i];
}

void HeaderList::remove(const Header& header) {
  Header& entry = entries_[&header - entries_];
  if (entry.removed()) return;
  entry.name = {};
  ++removed_;
  if (entry.id != HeaderName::other && count(entry.id) == 0) {
    present_[word(entry.id)] &= ~bit(entry.id);
  }
}

void HeaderList::rebase(const char* from, std::size_t size, const char* to) {
  const auto move = [&](std::string_view& view) {
    const auto offset =
        reinterpret_cast<std::uintptr_t>(view.data()) - reinterpret_cast<std::uintptr_t>(from);
    if (offset <= size && view.data() != nullptr) view = {to + offset, view.size()};
  };
  for (std::uint32_t i = 0; i < size_; ++i) {
    move(entries_[i].name);
    move(entries_[i].value);
  }
}

void HeaderList::clear() {
  size_ = 0;
  removed_ = 0;
  present_[0] = present_[1] = 0;
}

}  // namespace doorward::http
