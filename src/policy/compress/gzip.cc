// gzip (RFC 1952) by zlib, with the window and memory that nginx uses too: 32 KiB, level 8.
#include <zlib.h>

#include "base/check.h"
#include "policy/compress/encoder.h"

namespace doorward::policy {
namespace {

constexpr int kWindowBits = 15;
constexpr int kWithGzipHeader = 16;
constexpr int kMemoryLevel = 8;

class GzipEncoder final : public Encoder {
 public:
  explicit GzipEncoder(int level) : Encoder(Kind::gzip, level) {
    const int done = deflateInit2(&stream_, level, Z_DEFLATED, kWindowBits + kWithGzipHeader,
                                  kMemoryLevel, Z_DEFAULT_STRATEGY);
    DOORWARD_CHECK(done == Z_OK);
  }
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;
  ~GzipEncoder() override { deflateEnd(&stream_); }

  void begin(std::optional<std::uint64_t>) override {
    if (used_) deflateReset(&stream_);
    used_ = true;
  }

  void encode(std::string_view bytes, Then then, EncoderOutput& out) override {
    const int flush = then == Then::end ? Z_FINISH : then == Then::wait ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      const std::span<char> room = out.room();
      stream_.next_out = reinterpret_cast<Bytef*>(room.data());
      stream_.avail_out = static_cast<uInt>(room.size());
      const int done = deflate(&stream_, flush);
      DOORWARD_CHECK(done == Z_OK || done == Z_STREAM_END || done == Z_BUF_ERROR);
      out.add(room.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
  bool used_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_gzip(int level) { return std::make_unique<GzipEncoder>(level); }

}  // namespace doorward::policy
