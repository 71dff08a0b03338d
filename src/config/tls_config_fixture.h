// For tests: configurations with TLS, of certificates in a folder of their own.
#pragma once

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

#include "config/compile.h"
#include "config/load.h"
#include "tls/test_certificates.h"

namespace doorward::config {

using tls::issue;
using tls::Issued;
using tls::Recipe;

inline const Issued& ca() {
  static const Issued made = issue({.cn = "Test CA", .is_ca = true});
  return made;
}

inline Recipe server(std::string sans = "DNS:shop.example") { return {.cn = "shop", .sans = sans}; }

// Replaces each `from` of `text`.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

class TlsConfigTest : public ::testing::Test {
 protected:
  using SnapshotPtr = std::shared_ptr<const exchange::Snapshot>;

  void SetUp() override {
    std::filesystem::create_directories(folder_ + "/empty");
    const Issued leaf = issue(server(), &ca());
    write("a.crt", leaf.certificate_pem() + ca().certificate_pem());
    write("a.key", leaf.key_pem());
    write("a.pem", leaf.certificate_pem() + leaf.key_pem());
    write("ca.pem", ca().certificate_pem());
    write("other.key", issue(server(), &ca()).key_pem());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }

  // DIR stands for the folder. The findings are in `findings`, without the name of the file.
  SnapshotPtr make(std::string_view sections, const exchange::Snapshot* before = nullptr) {
    write("doorward.yaml",
          replaced("version: 1\naccess_log: off\n" + std::string(sections), "DIR", folder_));
    schema::Diagnostics diagnostics;
    findings.clear();
    SnapshotPtr made;
    if (const auto loaded = load(folder_ + "/doorward.yaml", diagnostics)) {
      const CompileTools tools{metrics_, events_, shard_, 2, before, &loaded->written};
      made = compile(loaded->model, tools, diagnostics);
    }
    for (const schema::Diagnostic& found : diagnostics.sorted()) {
      const std::string kind = found.severity == schema::Severity::warning ? "warning: " : "";
      findings += fmt::format("{}:{}: {}{}: {}\n", found.place.line, found.place.column, kind,
                              found.path, found.message);
    }
    findings = replaced(findings, folder_, "DIR");
    return made;
  }
  // A listener with these certificates, on line 3.
  SnapshotPtr listener(std::string_view tls, const exchange::Snapshot* before = nullptr) {
    return make(
        fmt::format("listeners: [{{address: \":1\", tls: {}}}]\nroutes: [{{respond: {{}}}}]\n",
                    tls),
        before);
  }
  SnapshotPtr service(std::string_view settings, const exchange::Snapshot* before = nullptr) {
    return make(fmt::format("listeners: [{{address: \":1\"}}]\nservices: {{app: {}}}\n"
                            "routes: [{{service: app}}]\n",
                            settings),
                before);
  }

  std::string folder_ = testing::TempDir() + "doorward-config-tls-" + std::to_string(getpid());
  observe::Metrics metrics_;
  observe::EventLog events_{2, observe::Level::error};
  observe::MetricsShard& shard_ = metrics_.make_shard();
  std::string findings;
};

}  // namespace doorward::config
