// Chunk: a view of bytes together with a share of the memory they lie in. Copying takes another
// share; the memory goes back to its owner (a core's receive buffers, the heap) with the last one.
// Shares are counted without atomics: a Chunk never leaves the core that made it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace doorward {

// Memory that Chunks share. Whoever implements it decides what giving it back means.
class ChunkMemory {
 public:
  void share() { ++shares_; }
  void give_back() {
    if (--shares_ == 0) release();
  }

 protected:
  ~ChunkMemory() = default;
  virtual void release() noexcept = 0;

 private:
  std::uint32_t shares_ = 0;
};

class Chunk {
 public:
  Chunk() = default;
  // Bytes that something else keeps alive (static text, an exchange's arena).
  explicit Chunk(std::string_view borrowed) : view_(borrowed) {}
  Chunk(std::string_view view, ChunkMemory* memory) : view_(view), memory_(memory) {
    if (memory_ != nullptr) memory_->share();
  }
  // Bytes copied to the heap.
  static Chunk copy_of(std::string_view bytes);
  // `size` bytes on the heap for the caller to fill through `data`.
  static Chunk allocate(std::size_t size, char*& data);

  Chunk(const Chunk& other) : Chunk(other.view_, other.memory_) {}
  Chunk(Chunk&& other) noexcept
      : view_(std::exchange(other.view_, {})), memory_(std::exchange(other.memory_, nullptr)) {}
  Chunk& operator=(Chunk other) noexcept {
    std::swap(view_, other.view_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Chunk() {
    if (memory_ != nullptr) memory_->give_back();
  }

  std::string_view view() const { return view_; }
  const char* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  ChunkMemory* memory() const { return memory_; }

  void remove_prefix(std::size_t count) { view_.remove_prefix(count); }
  // The same memory, another part of it.
  Chunk part(std::string_view inside) const { return Chunk(inside, memory_); }

 private:
  std::string_view view_;
  ChunkMemory* memory_ = nullptr;
};

}  // namespace doorward
