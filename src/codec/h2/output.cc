#include "codec/h2/output.h"

namespace doorward::codec::h2 {
namespace {

iovec part(const char* data, std::size_t size) { return {const_cast<char*>(data), size}; }

}  // namespace

void Output::lend(std::string_view bytes, Lender& lender) {
  lent_.push_back({bytes_.size(), bytes, &lender});
  size_ += bytes.size();
}

std::vector<iovec>& Output::parts() {
  parts_.clear();
  std::size_t at = 0;
  for (const Lent& lent : lent_) {
    if (lent.before > at) parts_.push_back(part(bytes_.data() + at, lent.before - at));
    at = lent.before;
    parts_.push_back(part(lent.bytes.data(), lent.bytes.size()));
  }
  if (bytes_.size() > at) parts_.push_back(part(bytes_.data() + at, bytes_.size() - at));
  return parts_;
}

void Output::done() {
  for (const Lent& lent : lent_) lent.lender->give_back(lent.bytes.size());
  lent_.clear();
  bytes_.clear();
  size_ = 0;
}

void Output::shrink() {
  if (!empty()) return;
  bytes_ = {};
  lent_ = {};
  parts_ = {};
}

}  // namespace doorward::codec::h2
