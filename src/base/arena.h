// Arena: the memory of one exchange. Allocation is a pointer bump; everything is given back at
// once by reset(). The first block lives in the Arena's owner (no malloc for a usual request);
// objects with destructors register them, and they run in reverse order.
// Owner: the exchange. One thread only.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/poison.h"

namespace doorward {

class Arena {
 public:
  // `first` is memory the caller owns for as long as the Arena lives; may be empty.
  explicit Arena(std::byte* first = nullptr, std::size_t first_size = 0)
      : first_(first), first_size_(first_size), at_(first), end_(first + first_size) {
    poison(first_, first_size_);
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    reset();
    unpoison(first_, first_size_);
  }

  void* allocate(std::size_t size, std::size_t align = alignof(std::max_align_t)) {
    auto at = (reinterpret_cast<std::uintptr_t>(at_) + align - 1) & ~(align - 1);
    if (at_ != nullptr && at + size <= reinterpret_cast<std::uintptr_t>(end_)) [[likely]] {
      at_ = reinterpret_cast<std::byte*>(at + size);
      unpoison(reinterpret_cast<void*>(at), size);
      return reinterpret_cast<void*>(at);
    }
    return allocate_slow(size, align);
  }

  char* bytes(std::size_t size) { return static_cast<char*>(allocate(size, 1)); }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = bytes(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  // The concatenation of `parts` as one view.
  template <class... Parts>
  std::string_view join(const Parts&... parts) {
    const std::size_t size = (std::string_view(parts).size() + ... + 0);
    char* to = bytes(size == 0 ? 1 : size);
    char* at = to;
    (append(at, std::string_view(parts)), ...);
    return {to, size};
  }

  template <class T, class... Args>
  T* make(Args&&... args) {
    if constexpr (std::is_trivially_destructible_v<T>) {
      return new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    } else {
      struct Node {
        Destructor link;
        T value;
      };
      auto* raw = allocate(sizeof(Node), alignof(Node));
      auto* node = static_cast<Node*>(raw);
      T* value = new (&node->value) T(std::forward<Args>(args)...);
      new (&node->link) Destructor{
          destructors_, [](Destructor* self) { reinterpret_cast<Node*>(self)->value.~T(); }};
      destructors_ = &node->link;
      return value;
    }
  }

  template <class T>
  T* array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
  }

  // Destroys what make() built and frees all but the first block.
  void reset();

 private:
  struct Block {
    Block* next;
  };
  struct Destructor {
    Destructor* next;
    void (*run)(Destructor*);
  };
  static void append(char*& at, std::string_view part) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  void* allocate_slow(std::size_t size, std::size_t align);

  std::byte* first_;
  std::size_t first_size_;
  std::byte* at_;
  std::byte* end_;
  Block* blocks_ = nullptr;
  Destructor* destructors_ = nullptr;
};

}  // namespace doorward
