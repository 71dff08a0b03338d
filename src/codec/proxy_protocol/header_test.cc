// Both versions: headers as proxies send them, cut at every byte; what is malformed; and what is
// written is read back.
#include "codec/proxy_protocol/header.h"

#include <gtest/gtest.h>

namespace doorward::codec::proxy_protocol {
namespace {

using namespace std::string_literals;

const std::string kSign = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kInet = "\xC0\0\2\7\xC0\0\2\1\4\xD2\1\xBB"s;  // 192.0.2.7:1234, 192.0.2.1:443

std::string number(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
}
std::string tlv(char type, const std::string& value) {
  return std::string(1, type) + number(value.size()) + value;
}
std::string v2(char command, char family, const std::string& rest) {
  return kSign + command + family + number(rest.size()) + rest;
}

// The header, after each of its prefixes has asked for more; bytes behind it do not matter.
Header read(const std::string& bytes) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(parse(std::string_view(bytes).substr(0, size)).progress, Progress::need_more) << size;
  }
  const Parsed parsed = parse(bytes + "GET / HTTP/1.1\r\n");
  EXPECT_EQ(parsed.progress, Progress::done) << parsed.why;
  EXPECT_EQ(parsed.size, bytes.size());
  return parsed.header;
}

std::string addresses(const Header& header) {
  if (header.local) return "local";
  return header.source.text() + " " + header.destination.text();
}

TEST(ProxyProtocol, ReadsVersion1) {
  EXPECT_EQ(addresses(read("PROXY TCP4 192.0.2.7 192.0.2.1 1234 443\r\n")),
            "192.0.2.7:1234 192.0.2.1:443");
  EXPECT_EQ(addresses(read("PROXY TCP6 2001:db8::7 ::1 65535 0\r\n")),
            "[2001:db8::7]:65535 [::1]:0");
  EXPECT_EQ(addresses(read("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n")), "192.0.2.7:1 [::1]:2");
  EXPECT_EQ(addresses(read("PROXY UNKNOWN\r\n")), "local");
  // The longest there may be (§2.1).
  const std::string six = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  const std::string longest = "PROXY UNKNOWN " + six + " " + six + " 65535 65535\r\n";
  EXPECT_EQ(longest.size(), 107U);
  EXPECT_EQ(addresses(read(longest)), "local");
}

TEST(ProxyProtocol, ReadsVersion2) {
  const Header inet = read(v2('\x21', '\x11', kInet));
  EXPECT_EQ(addresses(inet), "192.0.2.7:1234 192.0.2.1:443");
  EXPECT_FALSE(inet.tls);
  EXPECT_EQ(inet.authority, "");
  const std::string host = "\x20\x01\x0D\xB8"s + std::string(11, '\0');
  EXPECT_EQ(addresses(read(v2('\x21', '\x21', host + "\7" + host + "\1" + "\4\xD2\1\xBB"))),
            "[2001:db8::7]:1234 [2001:db8::1]:443");
  const std::string path = "/run/a.sock"s + std::string(97, '\0');
  EXPECT_EQ(addresses(read(v2('\x21', '\x31', path + std::string(108, '\0')))),
            "unix:/run/a.sock unix");
  EXPECT_EQ(addresses(read(v2('\x21', '\x31', std::string(216, 'p')))),
            "unix:" + std::string(108, 'p') + " unix:" + std::string(108, 'p'));
}

TEST(ProxyProtocol, AProxyMaySpeakForItself) {
  EXPECT_EQ(addresses(read(v2('\x20', '\0', ""))), "local");
  EXPECT_EQ(addresses(read(v2('\x20', '\x7F', "whatever"))), "local");  // §2.2: is ignored
  EXPECT_EQ(addresses(read(v2('\x21', '\0', ""))), "local");
}

TEST(ProxyProtocol, ReadsTlvs) {
  const std::string ssl = tlv('\x20', "\1\0\0\0\1"s + tlv('\x21', "TLSv1.3") + tlv('\x22', "me"));
  const Header header =
      read(v2('\x21', '\x11',
              kInet + tlv('\1', "h2") + tlv('\2', "shop.example") + tlv('\4', "padding") +
                  tlv('\x5', "id") + tlv('\xE0', "own") + ssl));
  EXPECT_EQ(header.alpn, "h2");
  EXPECT_EQ(header.authority, "shop.example");
  EXPECT_TRUE(header.tls);
  EXPECT_EQ(header.tls_version, "TLSv1.3");
  EXPECT_FALSE(read(v2('\x21', '\x11', kInet + tlv('\x20', "\0\0\0\0\0"s))).tls);
}

TEST(ProxyProtocol, ChecksTheChecksum) {
  const std::string begin = v2('\x21', '\x11', kInet + tlv('\3', "\0\0\0\0"s)).substr(0, 31);
  // By an implementation of its own: of these 35 bytes with the last four as zero.
  const std::string right = begin + "\xBD\x7F\xDB\x25"s;
  EXPECT_EQ(addresses(read(right)), "192.0.2.7:1234 192.0.2.1:443");
  for (std::size_t at = 16; at < right.size(); ++at) {
    if (at >= 28 && at < 31) continue;  // another type, another length
    std::string other = right;
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_EQ(parse(other).why, "the header's checksum is wrong") << at;
  }
}

struct Malformed {
  std::string bytes;
  std::string_view why;
};

class ProxyProtocolRefusals : public ::testing::TestWithParam<Malformed> {};

TEST_P(ProxyProtocolRefusals, SayWhy) {
  const Parsed parsed = parse(GetParam().bytes);
  EXPECT_EQ(parsed.progress, Progress::refused);
  EXPECT_EQ(parsed.why, GetParam().why);
}

constexpr std::string_view kNone = "the connection begins with no PROXY protocol header";
constexpr std::string_view kMore = "the header has more than two addresses and ports";
constexpr std::string_view kPort = "a port of the header is no number";
constexpr std::string_view kAddress = "an address of the header is not of its family";
constexpr std::string_view kFamily = "the header's family is none of TCP4, TCP6, UNKNOWN";

INSTANTIATE_TEST_SUITE_P(
    Version1, ProxyProtocolRefusals,
    ::testing::Values(
        Malformed{"G", kNone}, Malformed{"GET / HTTP/1.1\r\n", kNone},
        Malformed{"\x16\3\1"s, kNone}, Malformed{"PROXX", kNone}, Malformed{"proxy TCP4", kNone},
        Malformed{"PROXY TCP4 " + std::string(96, '1'), "the header's line has no end"},
        Malformed{"PROXY \r\n", kFamily}, Malformed{"PROXY TCP5 ::1 ::1 1 2\r\n", kFamily},
        Malformed{"PROXY UNKNOWNS\r\n", kFamily}, Malformed{"PROXY TCP4\r\n", kPort},
        Malformed{"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", kPort},
        Malformed{"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", kPort},
        Malformed{"PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n", kPort},
        Malformed{"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", kPort},
        Malformed{"PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", kMore},
        Malformed{"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", kMore},
        Malformed{"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", kMore},
        Malformed{"PROXY TCP4 1.2.3.4 ::1 1 2\r\n", kAddress},
        Malformed{"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", kAddress},
        Malformed{"PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"s, kAddress},
        Malformed{"PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n", kAddress}));

INSTANTIATE_TEST_SUITE_P(
    Version2, ProxyProtocolRefusals,
    ::testing::Values(
        Malformed{kSign + "\x11", "the header's version is neither 1 nor 2"},
        Malformed{v2('\x31', '\x11', kInet), "the header's version is neither 1 nor 2"},
        Malformed{v2('\x22', '\x11', kInet), "the header's command is unknown"},
        Malformed{v2('\x21', '\x12', kInet), "the header's family is of no stream"},
        Malformed{v2('\x21', '\x41', kInet), "the header's family is of no stream"},
        Malformed{kSign + "\x21\x11"s + number(4081), "the header is longer than 4096 bytes"},
        Malformed{v2('\x21', '\x11', kInet.substr(1)), "the header is shorter than its addresses"},
        Malformed{v2('\x21', '\x21', kInet), "the header is shorter than its addresses"},
        Malformed{v2('\x21', '\x31', "/a\n" + std::string(213, '\0')),
                  "a unix socket's path of the header has control characters"},
        Malformed{v2('\x21', '\x11', kInet + "\4"), "a TLV is longer than the header"},
        Malformed{v2('\x21', '\x11', kInet + "\4\0"s), "a TLV is longer than the header"},
        Malformed{v2('\x21', '\x11', kInet + "\4\0\2x"s), "a TLV is longer than the header"},
        Malformed{v2('\x21', '\x11', kInet + tlv('\1', std::string(256, 'a'))),
                  "the header's protocol (ALPN) is too long"},
        Malformed{v2('\x21', '\x11', kInet + tlv('\2', std::string(256, 'a'))),
                  "the header's authority is no host name"},
        Malformed{v2('\x21', '\x11', kInet + tlv('\2', "a b")),
                  "the header's authority is no host name"},
        Malformed{v2('\x21', '\x11', kInet + tlv('\3', "abc")),
                  "the header's checksum has not four bytes"},
        Malformed{v2('\x21', '\x11', kInet + tlv('\x20', "\1\0\0\0"s)),
                  "the header's TLV about TLS is too short"},
        Malformed{v2('\x21', '\x11', kInet + tlv('\x20', "\1\0\0\0\0\x21\0\2x"s)),
                  "a TLV about TLS is longer than the one that holds it"},
        Malformed{v2('\x21', '\x11', kInet + tlv('\x20', "\1\0\0\0\0"s + tlv('\x21', "a\nb"))),
                  "the header's version of TLS is no name"}));

Header between(std::string_view source, std::string_view destination) {
  Header header;
  header.source = *loop::Address::parse(source);
  header.destination = *loop::Address::parse(destination);
  return header;
}

TEST(ProxyProtocol, WritesVersion1) {
  EXPECT_EQ(write_v1(between("192.0.2.7:1234", "192.0.2.1:443")),
            "PROXY TCP4 192.0.2.7 192.0.2.1 1234 443\r\n");
  EXPECT_EQ(write_v1(between("[2001:db8::7]:1", "[::1]:2")), "PROXY TCP6 2001:db8::7 ::1 1 2\r\n");
  EXPECT_EQ(write_v1(between("[::1]:1", "192.0.2.1:443")), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(write_v1(between("unix:/a", "unix:/b")), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(write_v1({}), "PROXY UNKNOWN\r\n");
}

TEST(ProxyProtocol, WritesVersion2) {
  EXPECT_EQ(write_v2(between("192.0.2.7:1234", "192.0.2.1:443")), v2('\x21', '\x11', kInet));
  EXPECT_EQ(write_v2(between("unix:/a", "unix:/b")), v2('\x21', '\0', ""));
  Header local;
  local.local = true;
  local.authority = "a";
  EXPECT_EQ(write_v2(local), v2('\x20', '\0', ""));
  EXPECT_EQ(write_v1(local), "PROXY UNKNOWN\r\n");
}

TEST(ProxyProtocol, ReadsWhatItWrites) {
  Header header = between("[2001:db8::7]:1234", "[2001:db8::1]:443");
  header.authority = "shop.example";
  header.alpn = "http/1.1";
  header.tls = true;
  header.tls_version = "TLSv1.3";
  const Header back = read(write_v2(header));
  EXPECT_EQ(addresses(back), addresses(header));
  EXPECT_EQ(back.authority, header.authority);
  EXPECT_EQ(back.alpn, header.alpn);
  EXPECT_TRUE(back.tls);
  EXPECT_EQ(back.tls_version, header.tls_version);
  header.authority.assign(300, 'a');  // longer than a name may be: left out
  EXPECT_EQ(read(write_v2(header)).authority, "");
}

}  // namespace
}  // namespace doorward::codec::proxy_protocol
