// SendParts: the iovecs of one send in flight, kept until all of it has gone out. Kept by the loop
// in a free list, since only sockets that send right now need one.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

namespace doorward::loop {

class SendParts {
 public:
  static constexpr std::size_t kPartsMax = 1024;  // of one sendmsg: the kernel's IOV_MAX

  // Leaves empty parts out.
  void assign(std::span<const iovec> parts);
  // Forgets the first `count` bytes, which have gone out.
  void consume(std::size_t count);

  std::size_t bytes() const { return bytes_; }
  // What is left, as one sendmsg takes it (at most kPartsMax parts).
  msghdr& message();
  std::span<const iovec> rest() const { return std::span(parts_).subspan(first_); }
  const iovec& front() const { return parts_[first_]; }
  std::size_t count() const { return parts_.size() - first_; }

 private:
  std::vector<iovec> parts_;
  std::size_t first_ = 0;
  std::size_t bytes_ = 0;
  msghdr message_{};
};

class SendPartsPool {
 public:
  std::unique_ptr<SendParts> take() {
    if (free_.empty()) return std::make_unique<SendParts>();
    std::unique_ptr<SendParts> parts = std::move(free_.back());
    free_.pop_back();
    return parts;
  }
  void give(std::unique_ptr<SendParts> parts) { free_.push_back(std::move(parts)); }

 private:
  std::vector<std::unique_ptr<SendParts>> free_;
};

}  // namespace doorward::loop
