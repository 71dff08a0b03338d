// zstd (RFC 8878). Windows are at most 256 KiB: RFC 9659 lets receivers refuse more than 8 MiB, and
// a thousand streams at once must not take gigabytes.
#include <algorithm>
#include <bit>
#include <zstd.h>

#include "base/check.h"
#include "policy/compress/encoder.h"

namespace doorward::policy {
namespace {

constexpr int kSmallestWindow = 12;
constexpr int kLargestWindow = 18;
constexpr int kHashBits = 16;

class ZstdEncoder final : public Encoder {
 public:
  explicit ZstdEncoder(int level) : Encoder(Kind::zstd, level), stream_(ZSTD_createCCtx()) {
    DOORWARD_CHECK(stream_ != nullptr);
    set(ZSTD_c_compressionLevel, level);
  }
  ZstdEncoder(const ZstdEncoder&) = delete;
  ZstdEncoder& operator=(const ZstdEncoder&) = delete;
  ~ZstdEncoder() override { ZSTD_freeCCtx(stream_); }

  void begin(std::optional<std::uint64_t> size) override {
    ZSTD_CCtx_reset(stream_, ZSTD_reset_session_only);
    int window = kLargestWindow;
    if (size) {
      window = std::clamp(static_cast<int>(std::bit_width(*size)), kSmallestWindow, kLargestWindow);
    }
    set(ZSTD_c_windowLog, window);
    set(ZSTD_c_hashLog, std::min(window, kHashBits));
    set(ZSTD_c_chainLog, std::min(window, kHashBits));
  }

  void encode(std::string_view bytes, Then then, EncoderOutput& out) override {
    const ZSTD_EndDirective end = then == Then::end    ? ZSTD_e_end
                                  : then == Then::wait ? ZSTD_e_flush
                                                       : ZSTD_e_continue;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    do {
      const std::span<char> room = out.room();
      ZSTD_outBuffer to{room.data(), room.size(), 0};
      left = ZSTD_compressStream2(stream_, &to, &in, end);
      DOORWARD_CHECK(ZSTD_isError(left) == 0);
      out.add(to.pos);
    } while (end == ZSTD_e_continue ? in.pos < in.size : left > 0);
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    DOORWARD_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(stream_, parameter, value)) == 0);
  }

  ZSTD_CCtx* stream_;
};

}  // namespace

std::unique_ptr<Encoder> make_zstd(int level) { return std::make_unique<ZstdEncoder>(level); }

}  // namespace doorward::policy
