// reload: sends SIGHUP to a running gateway, named by its process id or a file that holds it.
#include <cerrno>
#include <charconv>
#include <cstring>
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
  if (kill(pid, SIGHUP) != 0) {
    fmt::print(stderr, "doorward: cannot signal process {}: {}\n", pid, std::strerror(errno));
    return kSystemFailure;
  }
  fmt::print("process {} was told to reload; its log says how it went\n", pid);
  return 0;
}

}  // namespace doorward::app
