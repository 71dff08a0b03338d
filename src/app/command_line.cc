// Which command is meant, with which options; the commands themselves are in commands.h.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <sys/stat.h>

#include "app/commands.h"
#include "schema/diagnostics.h"
#include "upstream/service_config.h"

namespace doorward::app {
namespace {

constexpr const char* kConfigHelp =
    "A file or a folder (default: ./doorward.yaml, then /etc/doorward/doorward.yaml)";

// CLI11 asks for a command without a word on the one that was given.
bool names_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return true;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (std::ranges::find(names, argv[1]) != names.end()) return true;
  const std::vector<std::string_view> right(names.begin(), names.end());
  std::string suggestion;
  fmt::print(stderr, "doorward: {}\n",
             schema::unknown_name(fmt::format("unknown command \"{}\"", argv[1]), argv[1], right,
                                  suggestion));
  return false;
}

// CLI11 exits with numbers of its own; a bad command line is 2 here.
int parse_status(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error) == 0 ? 0 : kBadConfiguration;
}

// Where a configuration is looked for when none is named.
constexpr std::array<const char*, 2> kUsualPlaces = {"doorward.yaml",
                                                     "/etc/doorward/doorward.yaml"};

// The first of them that is there, be it readable or not.
std::string usual_place() {
  for (const char* place : kUsualPlaces) {
    struct stat status{};
    if (::stat(place, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)) return place;
  }
  return {};
}

// Fills in what was not named. False: there is none, which was told.
bool settle_config(std::string& config, std::string_view or_else = {}) {
  if (config.empty()) config = usual_place();
  if (!config.empty()) return true;
  fmt::print(stderr,
             "doorward: there is no configuration: neither ./{} nor {} exists; name one with -c "
             "FILE or -c FOLDER{}\n",
             kUsualPlaces[0], kUsualPlaces[1], or_else);
  return false;
}

struct RunFlags {
  RunOptions options;
  std::string level = "info";
  std::string loop = "auto";
  std::string what;  // the positional argument: http://… or a configuration
  std::uint64_t drain_seconds = 30;
  std::uint64_t upgrade_seconds = 30;
};

void add_run(CLI::App& app, RunFlags& flags) {
  CLI::App* run = app.add_subcommand("run", "Run the gateway");
  run->add_option("-c,--config", flags.options.config, kConfigHelp);
  run->add_option("what", flags.what,
                  "http(s)://HOST:PORT to pass everything to, or a configuration");
  run->add_option("--workers", flags.options.workers, "Cores to use (default: all)")
      ->check(CLI::Range(1, 1024));
  run->add_option("--loop", flags.loop, "Event loop (default: uring where the kernel has it)")
      ->check(CLI::IsMember({"auto", "uring", "epoll"}));
  run->add_option("--log-level", flags.level, "Least level of events told")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  run->add_option("--drain-time", flags.drain_seconds,
                  "Seconds that requests under way get at the end")
      ->check(CLI::Range(0, 86'400));
  run->add_option("--upgrade-time", flags.upgrade_seconds,
                  "Seconds that a new binary gets to become ready")
      ->check(CLI::Range(1, 86'400));
}

// "127.0.0.1:3000": a backend that lacks only its scheme.
bool is_bare_address(const std::string& what) {
  return what.find(':') != std::string::npos && !std::filesystem::exists(what) &&
         upstream::parse_endpoint("http://" + what).error.empty();
}

// `run http://…` needs no configuration; anything else is the path of one. False: it was told why.
bool settle_run(RunFlags& flags) {
  flags.options.drain_time = std::chrono::seconds(flags.drain_seconds);
  flags.options.upgrade_time = std::chrono::seconds(flags.upgrade_seconds);
  flags.options.backend = flags.loop == "uring"   ? loop::Backend::uring
                          : flags.loop == "epoll" ? loop::Backend::epoll
                                                  : loop::Backend::automatic;
  if (!flags.what.empty() && !flags.options.config.empty()) {
    fmt::print(stderr, "doorward: run takes either -c FILE|DIR or http://HOST:PORT, not both\n");
    return false;
  }
  if (flags.what.empty()) {
    return settle_config(flags.options.config, ", or pass everything to http://HOST:PORT");
  }
  if (is_bare_address(flags.what)) {
    fmt::print(stderr,
               "doorward: there is no file \"{0}\"; to pass everything to that address, name it as "
               "http://{0}\n",
               flags.what);
    return false;
  }
  const bool upstream = flags.what.find("://") != std::string::npos;
  (upstream ? flags.options.upstream : flags.options.config) = flags.what;
  return true;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app("Doorward, an API gateway", "doorward");
  app.require_subcommand(1);
  app.set_version_flag("--version", DOORWARD_VERSION);
  RunFlags run_flags;
  add_run(app, run_flags);

  std::string checked;
  bool check_json = false;
  CLI::App* check_command = app.add_subcommand("check", "Check a configuration");
  check_command->add_option("config,-c,--config", checked, kConfigHelp);
  check_command->add_flag("--json", check_json, "Findings as JSON");

  ExplainOptions explained;
  CLI::App* explain_command =
      app.add_subcommand("explain", "Tell which route takes a request, and why");
  explain_command->add_option("request", explained.request, "'GET http://host/path'")->required();
  explain_command->add_option("-c,--config", explained.config, kConfigHelp);
  explain_command->add_option("-H,--header", explained.headers, "'name: value'");
  explain_command->add_option("--client", explained.client, "The client's IP address");
  explain_command->add_option("--tls-sni", explained.sni, "The name it asks for in its handshake");
  explain_command->add_option("--client-subject", explained.subject,
                              "The subject of its certificate, 'CN=app,O=Example'");
  explain_command->add_option("--client-name", explained.names,
                              "A name in its certificate, 'DNS:app.example'; repeatable");
  explain_command->add_option("--client-fingerprint", explained.fingerprint,
                              "SHA-256 of its certificate");
  explain_command->add_flag("--json", explained.json, "Output as JSON");

  CLI::App* schema_command =
      app.add_subcommand("schema", "Print the configuration's JSON Schema, for editors");
  CLI::App* version_command = app.add_subcommand("version", "Print the version");
  std::string folder;
  CLI::App* docs_command = app.add_subcommand("docs", "Write the reference pages");
  docs_command->add_option("folder", folder, "Where to")->required();
  std::string pid;
  CLI::App* reload_command = app.add_subcommand("reload", "Have a running gateway reload");
  reload_command->add_option("pid", pid, "Its process id, or a file that holds it")->required();

  if (!names_command(app, argc, argv)) return kBadConfiguration;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parse_status(app, error);
  }
  if (app.got_subcommand("run")) {
    if (!settle_run(run_flags)) return kBadConfiguration;
    return run(run_flags.options, *observe::parse_level(run_flags.level), argc, argv);
  }
  if (app.got_subcommand(check_command)) {
    return settle_config(checked) ? check(checked, check_json) : kBadConfiguration;
  }
  if (app.got_subcommand(explain_command)) {
    return settle_config(explained.config) ? explain(explained) : kBadConfiguration;
  }
  if (app.got_subcommand(schema_command)) return print_schema();
  if (app.got_subcommand(docs_command)) return write_reference(folder);
  if (app.got_subcommand(reload_command)) return reload(pid);
  if (app.got_subcommand(version_command)) fmt::print("doorward {}\n", DOORWARD_VERSION);
  return 0;
}

}  // namespace doorward::app
