// br (RFC 7932). An instance serves one stream only, so its blocks of memory are kept instead: a
// thread's free blocks, found by their exact size (the encoder asks for the same few sizes).
#include <algorithm>
#include <bit>
#include <brotli/encode.h>
#include <cstdlib>

#include "base/check.h"
#include "policy/compress/encoder.h"

namespace doorward::policy {
namespace {

constexpr unsigned kLargestWindow = 18;  // 256 KiB: what browsers and proxies can afford each
constexpr std::size_t kMostKept = 8 * 1024 * 1024;
constexpr std::size_t kHead = 16;  // before each block: its size

class BlockCache {
 public:
  ~BlockCache() {
    for (const Block& block : free_) std::free(block.memory);
  }
  void* allocate(std::size_t size) {
    for (std::size_t i = free_.size(); i-- > 0;) {
      if (free_[i].size != size) continue;
      void* memory = free_[i].memory;
      free_[i] = free_.back();
      free_.pop_back();
      kept_ -= size;
      return memory;
    }
    return std::malloc(size);
  }
  void give_back(void* memory, std::size_t size) {
    if (kept_ + size > kMostKept) return std::free(memory);
    free_.push_back({memory, size});
    kept_ += size;
  }

 private:
  struct Block {
    void* memory;
    std::size_t size;
  };
  std::vector<Block> free_;
  std::size_t kept_ = 0;
};

thread_local BlockCache blocks;

void* allocate(void*, std::size_t size) {
  auto* raw = static_cast<char*>(blocks.allocate(size + kHead));
  if (raw == nullptr) return nullptr;
  *reinterpret_cast<std::size_t*>(raw) = size + kHead;
  return raw + kHead;
}

void give_back(void*, void* memory) {
  if (memory == nullptr) return;
  char* raw = static_cast<char*>(memory) - kHead;
  blocks.give_back(raw, *reinterpret_cast<std::size_t*>(raw));
}

class BrotliEncoder final : public Encoder {
 public:
  explicit BrotliEncoder(int level) : Encoder(Kind::br, level) {}
  BrotliEncoder(const BrotliEncoder&) = delete;
  BrotliEncoder& operator=(const BrotliEncoder&) = delete;
  ~BrotliEncoder() override { release(); }

  void begin(std::optional<std::uint64_t> size) override {
    release();
    state_ = BrotliEncoderCreateInstance(&allocate, &give_back, nullptr);
    DOORWARD_CHECK(state_ != nullptr);
    unsigned window = kLargestWindow;
    if (size) {
      const auto fits = static_cast<unsigned>(std::bit_width(*size));
      window = std::clamp<unsigned>(fits, BROTLI_MIN_WINDOW_BITS, kLargestWindow);
      const std::uint64_t hint = std::min<std::uint64_t>(*size, 1u << 30);
      BrotliEncoderSetParameter(state_, BROTLI_PARAM_SIZE_HINT, static_cast<std::uint32_t>(hint));
    }
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(level()));
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, window);
  }

  void encode(std::string_view bytes, Then then, EncoderOutput& out) override {
    const BrotliEncoderOperation operation = then == Then::end    ? BROTLI_OPERATION_FINISH
                                             : then == Then::wait ? BROTLI_OPERATION_FLUSH
                                                                  : BROTLI_OPERATION_PROCESS;
    std::size_t left = bytes.size();
    auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
    do {
      const std::span<char> room = out.room();
      std::size_t free = room.size();
      auto* to = reinterpret_cast<std::uint8_t*>(room.data());
      const int done =
          BrotliEncoderCompressStream(state_, operation, &left, &next, &free, &to, nullptr);
      DOORWARD_CHECK(done == BROTLI_TRUE);
      out.add(room.size() - free);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_));
  }

  void release() override {
    if (state_ != nullptr) BrotliEncoderDestroyInstance(state_);
    state_ = nullptr;
  }

 private:
  BrotliEncoderState* state_ = nullptr;
};

}  // namespace

std::unique_ptr<Encoder> make_brotli(int level) { return std::make_unique<BrotliEncoder>(level); }

}  // namespace doorward::policy
