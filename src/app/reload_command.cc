// reload: sends SIGHUP to a running gateway, named by its process id or a file that holds it.
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <signal.h>

#include "app/commands.h"

namespace doorward::app {
namespace {

bool parse_pid(const std::string& text, pid_t& pid) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return error == std::errc() && end == text.data() + text.size() && pid > 1;
}

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// What runs as this process: its program's name, or of another user's process the name that the
// kernel shows. Empty when there is none.
std::string program_of(pid_t pid) {
  const std::string process = fmt::format("/proc/{}/", pid);
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink(process + "exe", error);
  return error ? first_line(process + "comm") : program.filename().string();
}

// SIGHUP ends most programs: it goes only to one that knows it. Binaries may carry a version in
// their name ("doorward-1.2"), and one that was replaced is "doorward (deleted)".
bool is_gateway(pid_t pid) {
  const std::string program = program_of(pid);
  if (program.empty() || program.starts_with("doorward")) return true;  // empty: kill() tells why
  fmt::print(stderr, "doorward: process {} is {}, not doorward; no signal was sent\n", pid,
             program);
  return false;
}

}  // namespace

int reload(const std::string& pid_or_file) {
  std::string text = pid_or_file;
  pid_t pid = 0;
  if (!parse_pid(text, pid)) {
    std::ifstream file(pid_or_file);
    if (!file || !(file >> text) || !parse_pid(text, pid)) {
      fmt::print(stderr, "doorward: {} is neither a process id nor a file that holds one\n",
                 pid_or_file);
      return kBadConfiguration;
    }
  }
  if (!is_gateway(pid)) return kBadConfiguration;
  if (kill(pid, SIGHUP) != 0) {
    fmt::print(stderr, "doorward: cannot signal process {}: {}\n", pid, std::strerror(errno));
    return kSystemFailure;
  }
  fmt::print("process {} was told to reload; its log says how it went\n", pid);
  return 0;
}

}  // namespace doorward::app
