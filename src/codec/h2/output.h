// Output: the frames that go out with the next send of a connection. Frames and small DATA are
// copied into one run of bytes; large DATA stays where its sender has it, between its frame
// headers, and the sender is told when it may have it back.
//
// Two of these swap places in a Session: one is being sent while the other is filled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <vector>

namespace doorward::codec::h2 {

// Who lent bytes to an Output.
class Lender {
 public:
  virtual void give_back(std::size_t size) = 0;

 protected:
  ~Lender() = default;
};

class Output {
 public:
  bool empty() const { return size_ == 0; }
  // Bytes in it, lent ones included.
  std::size_t size() const { return size_; }

  void copy(std::string_view bytes) {
    bytes_.append(bytes);
    size_ += bytes.size();
  }
  // `bytes` stay untouched until `lender` has them back.
  void lend(std::string_view bytes, Lender& lender);

  // What it holds, in order. Valid until the next call of copy, lend or done.
  std::vector<iovec>& parts();
  // It has been sent, or never will be: gives back what was lent, and forgets the rest.
  void done();
  // Gives memory back that a connection without requests has no use for.
  void shrink();

 private:
  struct Lent {
    std::size_t before;  // so many of `bytes_` go out before it
    std::string_view bytes;
    Lender* lender;
  };

  std::string bytes_;
  std::vector<Lent> lent_;
  std::vector<iovec> parts_;
  std::size_t size_ = 0;
};

}  // namespace doorward::codec::h2
