#include "app/upgrade.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace doorward::app {
namespace {

constexpr const char* kSocketsVariable = "DOORWARD_INHERITED_SOCKETS";
constexpr const char* kTokenVariable = "DOORWARD_ADMIN_TOKEN_HANDED_OVER";
constexpr const char* kReadyVariable = "DOORWARD_READY_FD";

std::string take_variable(const char* name) {
  const char* value = getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

// Between fork and exec only async-signal-safe calls are allowed; everything was made before.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment,
                         const std::vector<int>& descriptors) {
  for (const int fd : descriptors) fcntl(fd, F_SETFD, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(program, arguments, environment);
  _exit(127);
}

}  // namespace

Upgrade::Upgrade(int argc, char** argv) : arguments_(argv, argv + argc) {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  program_ = size > 0 ? std::string(path, static_cast<std::size_t>(size)) : arguments_[0];
  inherited_ = take_variable(kSocketsVariable);
  admin_token_ = take_variable(kTokenVariable);
  const std::string ready = take_variable(kReadyVariable);
  if (!ready.empty()) std::sscanf(ready.c_str(), "%d:%d", &ready_fd_, &former_);
  if (ready_fd_ >= 0) fcntl(ready_fd_, F_SETFD, FD_CLOEXEC);
}

bool Upgrade::say_ready() {
  if (ready_fd_ < 0) return true;
  const bool said = write(ready_fd_, "1", 1) == 1;  // else nobody holds the other end
  close(std::exchange(ready_fd_, -1));
  return said || getppid() != former_;
}

void Upgrade::end(const Successor& successor) {
  kill(successor.pid, SIGKILL);
  while (waitpid(successor.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<Upgrade::Successor> Upgrade::start(const std::string& sockets,
                                          const std::vector<int>& descriptors,
                                          const std::string& admin_token) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return system_failure(errno, "pipe");
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  environment.push_back(fmt::format("{}={}", kSocketsVariable, sockets));
  environment.push_back(fmt::format("{}={}:{}", kReadyVariable, ends[1], getpid()));
  if (!admin_token.empty()) {
    environment.push_back(fmt::format("{}={}", kTokenVariable, admin_token));
  }
  std::vector<char*> environment_pointers, argument_pointers;
  for (std::string& text : environment) environment_pointers.push_back(text.data());
  for (std::string& text : arguments_) argument_pointers.push_back(text.data());
  environment_pointers.push_back(nullptr);
  argument_pointers.push_back(nullptr);
  std::vector<int> inherit = descriptors;
  inherit.push_back(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    become(program_.c_str(), argument_pointers.data(), environment_pointers.data(), inherit);
  }
  const int error = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return system_failure(error, fmt::format("start {}", program_));
  }
  return Successor{child, ends[0]};
}

}  // namespace doorward::app
