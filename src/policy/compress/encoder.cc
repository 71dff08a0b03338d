// A thread's idle encoders, and the buffer for their output.
#include "policy/compress/encoder.h"

#include <algorithm>

namespace doorward::policy {
namespace {

constexpr std::size_t kFirstRoom = 64 * 1024;
constexpr std::size_t kMostKept = 1024 * 1024;  // of output memory between streams
constexpr std::size_t kMostIdle = 32;           // encoders of a thread
// Of a body that is compressed when it is whole, and of its level: together up to two milliseconds
// in which the loop does nothing else (JSON; 1.5 at level 6). Levels 8 and 9 would take 6 and 11.
constexpr std::uint64_t kMostWhole = 128 * 1024;
constexpr int kMostWholeLevel = 7;

thread_local std::vector<std::unique_ptr<Encoder>> idle_encoders;

Encoder::Kind kind_for(Coding coding, int level, std::optional<std::uint64_t> size) {
  switch (coding) {
    case Coding::gzip:
      return size && *size <= kMostWhole && level <= kMostWholeLevel ? Encoder::Kind::gzip_whole
                                                                     : Encoder::Kind::gzip;
    case Coding::br:
      return Encoder::Kind::br;
    case Coding::zstd:
      return Encoder::Kind::zstd;
  }
  return Encoder::Kind::gzip;
}

std::unique_ptr<Encoder> make(Encoder::Kind kind, int level) {
  switch (kind) {
    case Encoder::Kind::gzip:
      return make_gzip(level);
    case Encoder::Kind::gzip_whole:
      return make_whole_gzip(level);
    case Encoder::Kind::br:
      return make_brotli(level);
    case Encoder::Kind::zstd:
      return make_zstd(level);
  }
  return nullptr;
}

}  // namespace

std::string_view to_string(Coding coding) {
  switch (coding) {
    case Coding::gzip:
      return "gzip";
    case Coding::br:
      return "br";
    case Coding::zstd:
      return "zstd";
  }
  return {};
}

std::span<char> EncoderOutput::room(std::size_t least) {
  if (bytes_.size() - used_ < least) {
    bytes_.resize(std::max({kFirstRoom, bytes_.size() * 2, used_ + least}));
  }
  return std::span(bytes_).subspan(used_);
}

void EncoderOutput::clear() {
  used_ = 0;
  if (bytes_.size() <= kMostKept) return;
  bytes_.clear();
  bytes_.shrink_to_fit();
}

void EncoderLease::take(Coding coding, int level, std::optional<std::uint64_t> size) {
  give_back();
  const Encoder::Kind kind = kind_for(coding, level, size);
  // The last one given back is the warmest.
  for (std::size_t i = idle_encoders.size(); i-- > 0;) {
    if (idle_encoders[i]->kind() != kind || idle_encoders[i]->level() != level) continue;
    encoder_ = std::move(idle_encoders[i]);
    idle_encoders.erase(idle_encoders.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  if (encoder_ == nullptr) encoder_ = make(kind, level);
  encoder_->begin(size);
}

void EncoderLease::give_back() {
  if (encoder_ == nullptr) return;
  encoder_->release();
  if (!encoder_->is_kept()) return encoder_.reset();
  // The one that waited longest makes room.
  if (idle_encoders.size() == kMostIdle) idle_encoders.erase(idle_encoders.begin());
  idle_encoders.push_back(std::move(encoder_));
}

}  // namespace doorward::policy
