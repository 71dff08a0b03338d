#include "observe/access_format.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/random.h"

namespace doorward::observe {
namespace {

constexpr std::size_t kLongest = 8192;

AccessFormat format_of(std::vector<std::string_view> names, std::vector<std::string> mask = {}) {
  std::vector<AccessFieldId> fields;
  for (const std::string_view name : names) fields.push_back(find_access_field(name).value());
  return AccessFormat(fields, mask);
}

// Checks the room promised by most_bytes(): ASan sees what goes beyond it.
std::string line_of(const AccessFormat& format, const AccessRecord& record,
                    std::size_t longest = kLongest) {
  TimeStamp stamp;
  std::vector<char> room(format.most_bytes(record, longest));
  const char* end = format.write(record, stamp, longest, room.data());
  EXPECT_LE(end, room.data() + room.size());
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

AccessRecord full_record() {
  AccessRecord record;
  record.time = WallTime(std::chrono::milliseconds(1'767'323'045'678));
  record.request_id = "0b5a7c4e-1f7e-4c52-9d6b-6e1c2d3f4a5b";
  record.listener = "web";
  record.client_ip = "2001:db8::1";
  record.method = "GET";
  record.host = "api.example.com";
  record.path = "/orders/7";
  record.query = {"page=2&token=abc"};
  record.protocol = "HTTP/1.1";
  record.status = 200;
  record.bytes_in = 321;
  record.bytes_out = 18446744073709551615U;
  record.route = "orders";
  record.service = "orders";
  record.endpoint = "http://127.0.0.1:9001";
  record.attempts = 2;
  record.user_agent = "curl/8.0";
  record.total = StepTime(1234);
  record.connect = StepTime(0);
  return record;
}

TEST(AccessFormat, WritesOneJsonLine) {
  const std::string line = line_of(format_of({}, {"token"}), full_record());
  EXPECT_EQ(
      line,
      R"({"time":"2026-01-02T03:04:05.678Z","request_id":"0b5a7c4e-1f7e-4c52-9d6b-6e1c2d3f4a5b")"
      R"(,"listener":"web","client_ip":"2001:db8::1","method":"GET","host":"api.example.com")"
      R"(,"path":"/orders/7","query":"page=2&token=***","protocol":"HTTP/1.1","status":200)"
      R"(,"bytes_in":321,"bytes_out":18446744073709551615,"route":"orders","service":"orders")"
      R"(,"endpoint":"http://127.0.0.1:9001","attempts":2,"user_agent":"curl/8.0")"
      R"(,"total_us":1234,"connect_us":0})"
      "\n");
  EXPECT_TRUE(nlohmann::json::accept(line));
}

TEST(AccessFormat, WritesTheChosenFieldsInTheirOrder) {
  EXPECT_EQ(line_of(format_of({"status", "method"}), full_record()),
            "{\"status\":200,\"method\":\"GET\"}\n");
}

TEST(AccessFormat, LeavesOutWhatHasNoValue) {
  AccessRecord record;
  record.method = "GET";
  EXPECT_EQ(line_of(format_of({"error", "first_byte_us", "query"}), record), "{}\n");
  EXPECT_EQ(line_of(format_of({"error", "method", "query"}), record), "{\"method\":\"GET\"}\n");
}

TEST(AccessFormat, CutsLongTexts) {
  AccessRecord record = full_record();
  const std::string path(100, 'p');
  record.path = path;
  record.query = {path};
  EXPECT_EQ(line_of(format_of({"path", "query"}), record, 4),
            "{\"path\":\"pppp\",\"query\":\"pppp\"}\n");
}

TEST(AccessFormat, HostileBytesGiveValidJsonOnOneLine) {
  const AccessFormat format = format_of({}, {"token", "key"});
  Random random(11);
  for (int i = 0; i < 5'000; ++i) {
    std::string text(random.below(200), '\0');
    for (char& c : text) {
      c = random.below(3) == 0 ? "&=;%[]\"\\\n\0k"[random.below(11)]
                               : static_cast<char>(random.below(256));
    }
    AccessRecord record = full_record();
    record.path = record.user_agent = record.host = record.method = text;
    record.query = {text};
    const std::string line = line_of(format, record, 1 + random.below(300));
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    EXPECT_EQ(line.find('\n'), line.size() - 1);
  }
}

TEST(TimeText, FollowsSecondsMonthsAndTimesBeforeTheEpoch) {
  TimeStamp stamp;
  const auto text = [&stamp](std::int64_t millis) {
    char to[kTimeLength];
    write_time(to, WallTime(std::chrono::milliseconds(millis)), stamp);
    return std::string(to, kTimeLength);
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(text(999), "1970-01-01T00:00:00.999Z");
  EXPECT_EQ(text(1000), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(text(1'709'164'799'999), "2024-02-28T23:59:59.999Z");
  EXPECT_EQ(text(1'709'164'800'000), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace doorward::observe
