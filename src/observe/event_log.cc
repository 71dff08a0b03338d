#include "observe/event_log.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <iterator>
#include <unistd.h>
#include <utility>

#include "observe/json_escape.h"
#include "observe/time_text.h"

namespace doorward::observe {
namespace {

constexpr auto kWindow = std::chrono::seconds(1);
constexpr std::size_t kMostRecent = 256;
constexpr unsigned kMostOfStrangers = 10;  // lines in a window

struct ValueWriter {
  std::string& to;
  void operator()(std::string_view text) const { append_json_string(to, text); }
  void operator()(std::int64_t number) const { to += fmt::format("{}", number); }
  void operator()(std::uint64_t number) const { to += fmt::format("{}", number); }
  void operator()(bool value) const { to += value ? "true" : "false"; }
  void operator()(double number) const {
    to += number - number == 0 ? fmt::format("{}", number) : "null";  // JSON has no infinity
  }
  void operator()(std::span<const std::string> texts) const {
    to += '[';
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i != 0) to += ',';
      append_json_string(to, texts[i]);
    }
    to += ']';
  }
};

std::string rest_of(Level level, std::string_view event, EventFields fields) {
  std::string rest = fmt::format(R"(,"level":"{}","event":)", to_string(level));
  append_json_string(rest, event);
  for (const EventField& field : fields) {
    rest += ',';
    append_json_string(rest, field.key);
    rest += ':';
    std::visit(ValueWriter{rest}, field.value);
  }
  return rest;
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t taken = ::write(fd, bytes.data(), bytes.size());
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return;  // nobody to tell
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

std::optional<Level> parse_level(std::string_view text) {
  if (text == "warn") return Level::warning;
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
    if (text == to_string(level)) return level;
  }
  return std::nullopt;
}

EventLog::EventLog(int fd, Level least, std::function<WallTime()> clock)
    : fd_(fd), least_(least), clock_(std::move(clock)) {}

EventLog::~EventLog() {
  const std::scoped_lock lock(mutex_);
  forget_old(clock_(), true);
}

void EventLog::set_level(Level least) {
  const std::scoped_lock lock(mutex_);
  least_ = least;
}

void EventLog::tick() {
  const std::scoped_lock lock(mutex_);
  forget_old(clock_(), false);
}

void EventLog::write(Level level, std::string_view event, EventFields fields) {
  const std::scoped_lock lock(mutex_);
  if (level < least_) return;
  const WallTime now = clock_();
  std::string rest = rest_of(level, event, fields);
  if (const auto found = recent_.find(rest); found != recent_.end()) {
    Recent& recent = found->second;
    // A clock that was set back must not silence an event for long.
    if (now >= recent.written && now - recent.written < kWindow) {
      ++recent.held;
      return;
    }
    put(now, rest, std::exchange(recent.held, 0));
    recent.written = now;
    return;
  }
  const auto of_strangers = std::ranges::find(kOfStrangers, event);
  if (of_strangers != kOfStrangers.end() &&
      !strangers_may(static_cast<std::size_t>(of_strangers - kOfStrangers.begin()), now)) {
    return;
  }
  if (recent_.size() >= kMostRecent) forget_old(now, false);
  if (recent_.size() >= kMostRecent) {
    ++unlisted_;
    return;
  }
  put(now, rest, 0);
  recent_.emplace(std::move(rest), Recent{now, 0});
}

bool EventLog::strangers_may(std::size_t event, WallTime now) {
  tell_left_out(now, false);
  if (strangers_.lines < kMostOfStrangers) {
    ++strangers_.lines;
    return true;
  }
  ++strangers_.left_out[event];
  return false;
}

// Begins the next second when this one is over.
void EventLog::tell_left_out(WallTime now, bool all) {
  if (!all && now >= strangers_.begun && now - strangers_.begun < kWindow) return;
  for (std::size_t i = 0; i < kOfStrangers.size(); ++i) {
    const std::uint64_t count = strangers_.left_out[i];
    if (count == 0) continue;
    put(now,
        rest_of(Level::warning, "events_left_out", {{"of", kOfStrangers[i]}, {"count", count}}), 0);
  }
  strangers_ = {.begun = now};
}

void EventLog::put(WallTime now, const std::string& rest, std::uint64_t repeated) {
  TimeStamp stamp;
  char time[kTimeLength];
  write_time(time, now, stamp);
  std::string line = fmt::format(R"({{"time":"{}"{})", std::string_view(time, kTimeLength), rest);
  if (repeated != 0) line += fmt::format(R"(,"repeated":{})", repeated);
  line += "}\n";
  write_all(fd_, line);
}

void EventLog::forget_old(WallTime now, bool all) {
  for (auto at = recent_.begin(); at != recent_.end();) {
    const Recent& recent = at->second;
    if (!all && now >= recent.written && now - recent.written < kWindow) {
      ++at;
      continue;
    }
    if (recent.held != 0) put(now, at->first, recent.held);
    at = recent_.erase(at);
  }
  tell_left_out(now, all);
  if (unlisted_ == 0 || recent_.size() >= kMostRecent) return;
  put(now, rest_of(Level::warning, "events_left_out", {{"count", unlisted_}}), 0);
  unlisted_ = 0;
}

}  // namespace doorward::observe
