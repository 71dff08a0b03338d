// Any bytes as the beginning of a connection with a PROXY protocol header. Nothing less than the
// whole header is one, what follows it does not matter, and what was read can be written and read
// again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/proxy_protocol/header.h"

namespace {

using namespace doorward;
using codec::proxy_protocol::Header;
using codec::proxy_protocol::kHeaderMax;
using codec::proxy_protocol::parse;
using codec::proxy_protocol::Parsed;
using codec::proxy_protocol::Progress;

bool is_clean(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

void check_header(const Header& header) {
  DOORWARD_CHECK(header.authority.size() <= 255 && header.alpn.size() <= 255);
  DOORWARD_CHECK(is_clean(header.authority) && is_clean(header.tls_version));
  if (header.local) return;
  DOORWARD_CHECK(is_clean(header.source.text()) && is_clean(header.destination.text()));
}

void check_written(const std::string& written, const Header& header) {
  const Parsed again = parse(written);
  DOORWARD_CHECK(again.progress == Progress::done && again.size == written.size());
  if (header.local || again.header.local) return;
  DOORWARD_CHECK(again.header.source == header.source);
  DOORWARD_CHECK(again.header.destination == header.destination);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size, so that a read beyond it is seen.
  const std::string input(reinterpret_cast<const char*>(data), size);
  const Parsed parsed = parse(input);
  if (parsed.progress == Progress::refused) DOORWARD_CHECK(!parsed.why.empty());
  if (parsed.progress == Progress::need_more) DOORWARD_CHECK(size < kHeaderMax);
  if (parsed.progress != Progress::done) return 0;
  DOORWARD_CHECK(parsed.size <= size && parsed.size <= kHeaderMax);
  const std::string whole = input.substr(0, parsed.size);
  DOORWARD_CHECK(parse(whole).progress == Progress::done);
  DOORWARD_CHECK(parse(whole.substr(0, whole.size() - 1)).progress == Progress::need_more);
  check_header(parsed.header);
  check_written(write_v1(parsed.header), parsed.header);
  check_written(write_v2(parsed.header), parsed.header);
  return 0;
}
