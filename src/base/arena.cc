#include "base/arena.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace doorward {
namespace {

constexpr std::size_t kBlockSize = 4096;

}  // namespace

void* Arena::allocate_slow(std::size_t size, std::size_t align) {
  const std::size_t need = sizeof(Block) + size + align;
  const std::size_t room = std::max(need, kBlockSize);
  auto* raw = static_cast<std::byte*>(std::malloc(room));
  if (raw == nullptr) std::abort();
  blocks_ = new (raw) Block{blocks_};
  at_ = raw + sizeof(Block);
  end_ = raw + room;
  poison(at_, room - sizeof(Block));
  return allocate(size, align);
}

void Arena::reset() {
  while (destructors_ != nullptr) {
    Destructor* top = destructors_;
    destructors_ = top->next;
    top->run(top);
  }
  while (blocks_ != nullptr) {
    Block* top = blocks_;
    blocks_ = top->next;
    std::free(top);
  }
  poison(first_, first_size_);
  at_ = first_;
  end_ = first_ + first_size_;
}

}  // namespace doorward
