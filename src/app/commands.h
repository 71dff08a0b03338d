// The commands of the command line. Each gives the process's exit status: 0, 1 (the system said
// no), 2 (a bad configuration or command line).
#pragma once

#include <string>
#include <vector>

#include "app/gateway.h"

namespace doorward::app {

inline constexpr int kSystemFailure = 1;
inline constexpr int kBadConfiguration = 2;

int run_command_line(int argc, char** argv);

struct ExplainOptions {
  std::string config;
  std::string request;               // "GET http://api.example.com/orders/7"
  std::vector<std::string> headers;  // "name: value"
  std::string client = "127.0.0.1";
  // Of the client's TLS; with any of them it came over TLS.
  std::string sni, subject, fingerprint;
  std::vector<std::string> names;
  bool json = false;
};

int run(const RunOptions& options, observe::Level level, int argc, char** argv);
int check(const std::string& config, bool json);
int explain(const ExplainOptions& options);
int print_schema();
int write_reference(const std::string& folder);
int reload(const std::string& pid_or_file);

}  // namespace doorward::app
