#include "base/chunk.h"

#include <cstdlib>
#include <new>

namespace doorward {
namespace {

class HeapMemory final : public ChunkMemory {
 public:
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

 private:
  void release() noexcept override { std::free(this); }
};

}  // namespace

Chunk Chunk::allocate(std::size_t size, char*& data) {
  void* raw = std::malloc(sizeof(HeapMemory) + size);
  if (raw == nullptr) std::abort();
  auto* memory = new (raw) HeapMemory;
  data = memory->bytes();
  return Chunk(std::string_view(data, size), memory);
}

Chunk Chunk::copy_of(std::string_view bytes) {
  char* data = nullptr;
  Chunk chunk = allocate(bytes.size(), data);
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return chunk;
}

}  // namespace doorward
