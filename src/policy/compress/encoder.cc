// A thread's idle encoders, and the buffer for their output.
#include "policy/compress/encoder.h"

namespace doorward::policy {
namespace {

constexpr std::size_t kFirstRoom = 64 * 1024;
constexpr std::size_t kLeastRoom = 4 * 1024;
constexpr std::size_t kMostKept = 1024 * 1024;  // of output memory between streams
constexpr std::size_t kMostIdle = 32;           // encoders of a thread

thread_local std::vector<std::unique_ptr<Encoder>> idle_encoders;

std::unique_ptr<Encoder> make(Coding coding, int level) {
  switch (coding) {
    case Coding::gzip:
      return make_gzip(level);
    case Coding::br:
      return make_brotli(level);
    case Coding::zstd:
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

std::span<char> EncoderOutput::room() {
  if (bytes_.size() - used_ < kLeastRoom) {
    bytes_.resize(bytes_.empty() ? kFirstRoom : bytes_.size() * 2);
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
  // The last one given back is the warmest.
  for (std::size_t i = idle_encoders.size(); i-- > 0;) {
    if (idle_encoders[i]->coding() != coding || idle_encoders[i]->level() != level) continue;
    encoder_ = std::move(idle_encoders[i]);
    idle_encoders.erase(idle_encoders.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  if (encoder_ == nullptr) encoder_ = make(coding, level);
  encoder_->begin(size);
}

void EncoderLease::give_back() {
  if (encoder_ == nullptr) return;
  encoder_->release();
  // The one that waited longest makes room.
  if (idle_encoders.size() == kMostIdle) idle_encoders.erase(idle_encoders.begin());
  idle_encoders.push_back(std::move(encoder_));
}

}  // namespace doorward::policy
