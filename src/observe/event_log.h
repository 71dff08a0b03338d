// EventLog: what Doorward says about itself, one JSON line per event, by default to stderr:
// {"time":"2026-01-02T03:04:05.678Z","level":"info","event":"listening","listener":"web"}.
// Any thread may write; cold, takes a lock and makes one write(2) a line. The same event with the
// same fields is written once a second at most; the next line says how often it was "repeated".
// Events that any stranger can cause have few lines a second all together, so that a scan does not
// push out the others; "events_left_out" counts the rest.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/clock.h"

namespace doorward::observe {

enum class Level : std::uint8_t { debug, info, warning, error };
std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);  // "warn" is also taken

struct EventField {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool,
                             std::span<const std::string>>;
  EventField(std::string_view k, std::string_view v) : key(k), value(v) {}
  EventField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  EventField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  EventField(std::string_view k, bool v) : key(k), value(v) {}
  EventField(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  EventField(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  EventField(std::string_view k, T v) : key(k), value(static_cast<std::uint64_t>(v)) {}
  EventField(std::string_view k, std::span<const std::string> v) : key(k), value(v) {}

  std::string_view key;
  Value value;
};

using EventFields = std::initializer_list<EventField>;

class EventLog {
 public:
  // `fd` stays the caller's. `clock` is for tests.
  explicit EventLog(int fd = 2, Level least = Level::info,
                    std::function<WallTime()> clock = &std::chrono::system_clock::now);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog();  // says what was still held back

  void write(Level level, std::string_view event, EventFields fields = {});
  void debug(std::string_view event, EventFields fields = {}) {
    write(Level::debug, event, fields);
  }
  void info(std::string_view event, EventFields fields = {}) { write(Level::info, event, fields); }
  void warning(std::string_view event, EventFields fields = {}) {
    write(Level::warning, event, fields);
  }
  void error(std::string_view event, EventFields fields = {}) {
    write(Level::error, event, fields);
  }

  void set_level(Level least);
  // Writes the counts of events held back for more than a second. The control thread calls it
  // about once a second, so that the last repetitions are told too.
  void tick();

 private:
  // One kind of event seen lately.
  struct Recent {
    WallTime written;        // when its last line was
    std::uint64_t held = 0;  // repetitions since
  };
  void put(WallTime now, const std::string& rest, std::uint64_t repeated);
  void forget_old(WallTime now, bool all);
  // Counts the line in its second; false: there were enough.
  bool strangers_may(std::size_t event, WallTime now);
  void tell_left_out(WallTime now, bool all);

  // Those that any stranger can cause.
  static constexpr std::array<std::string_view, 4> kOfStrangers = {
      "tls_handshake_failed", "tls_connection_broken", "http2_connection_broken",
      "proxy_header_refused"};
  struct Strangers {
    WallTime begun{};  // this second
    unsigned lines = 0;
    std::array<std::uint64_t, kOfStrangers.size()> left_out{};
  };

  const int fd_;
  Level least_;
  std::function<WallTime()> clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Recent> recent_;  // by line without time; bounded
  std::uint64_t unlisted_ = 0;                      // held back because recent_ was full
  Strangers strangers_;
};

}  // namespace doorward::observe
