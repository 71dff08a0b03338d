// Which files are named, that a change of any of them is seen, and where one would show.
#include "config/named_files.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <unistd.h>

namespace doorward::config {
namespace {

namespace fs = std::filesystem;

class NamedFilesTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  std::string at(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(at(name)).parent_path());
    std::ofstream(at(name)) << text;
  }
  void link(const std::string& target, const std::string& name) const {
    fs::remove(at(name));
    fs::create_symlink(target, at(name));
  }
  std::uint64_t hash() const { return hash_files(files_); }
  // Each as "FOLDER: NAME NAME" or "FOLDER: *", without the path of the test's own folder.
  std::vector<std::string> folders() const {
    std::vector<std::string> found;
    for (const auto& [folder, watched] : folders_to_watch(files_)) {
      if (!folder.starts_with(folder_)) continue;
      std::string text = folder == folder_ ? "." : folder.substr(folder_.size() + 1);
      text += watched.all ? ": *" : ":";
      if (!watched.all) {
        for (const std::string& name : watched.names) text += " " + name;
      }
      found.push_back(std::move(text));
    }
    return found;
  }

  std::string folder_ =
      fs::canonical(testing::TempDir()).string() + "/doorward-files-" + std::to_string(getpid());
  std::vector<std::string> files_;
};

TEST_F(NamedFilesTest, AreAllThatTheModelNames) {
  Model model;
  exchange::ListenerConfig listener;
  listener.tls.emplace();
  listener.tls->certificates.push_back({.certificate = "a.crt", .key = "a.key", .ocsp = "a.ocsp"});
  listener.tls->certificates.push_back({.folder = "certs"});
  listener.tls->client_certificates = {.ca = "clients.pem", .crl = "clients.crl"};
  model.listeners = {listener, listener};
  upstream::ServiceConfig service;
  service.tls.ca = "backends.pem";
  service.tls.certificate = "me.pem";
  model.services.push_back({"app", service, {}});
  EXPECT_EQ(named_files(model),
            (std::vector<std::string>{"a.crt", "a.key", "a.ocsp", "backends.pem", "certs/",
                                      "clients.crl", "clients.pem", "me.pem"}));
  EXPECT_TRUE(named_files(upstream::ServiceTls{}).empty());
}

TEST_F(NamedFilesTest, EveryChangeIsSeen) {
  files_ = {at("a"), at("b")};
  std::set<std::uint64_t> seen;
  const auto is_new = [&] { return seen.insert(hash()).second; };
  EXPECT_TRUE(is_new());
  write("a", "");
  EXPECT_TRUE(is_new());
  write("a", "1");
  EXPECT_TRUE(is_new());
  write("b", "1");
  EXPECT_TRUE(is_new());
  write("a", std::string(100'000, 'x'));
  EXPECT_TRUE(is_new());
  write("a", "1");
  EXPECT_FALSE(is_new());
  fs::remove(at("b"));
  fs::create_directories(at("b"));
  EXPECT_TRUE(is_new());
}

TEST_F(NamedFilesTest, AFolderIsAllItsCertificates) {
  files_ = {at("certs/")};
  write("certs/a.pem", "1");
  const std::uint64_t first = hash();
  write("certs/notes.txt", "1");
  write("certs/.hidden.pem", "1");
  EXPECT_EQ(hash(), first);
  write("certs/a.key", "1");
  EXPECT_NE(hash(), first);
}

TEST_F(NamedFilesTest, PlainFilesAreWatchedInTheirFolders) {
  files_ = {at("a/one.pem"), at("a/two.pem"), at("none/x.pem"), at("certs/")};
  EXPECT_EQ(folders(), (std::vector<std::string>{".: a certs none", "a: one.pem two.pem",
                                                 "certs: *", "none: x.pem"}));
}

// As Kubernetes lays out a volume: tls.crt -> ..data/tls.crt, ..data -> ..2026.
TEST_F(NamedFilesTest, LinksAreWatchedWhereTheyLie) {
  write("volume/..2026/tls.crt", "1");
  link("..2026", "volume/..data");
  link("..data/tls.crt", "volume/tls.crt");
  files_ = {at("volume/tls.crt")};
  EXPECT_EQ(folders(), (std::vector<std::string>{".: volume", "volume: ..2026 ..data tls.crt",
                                                 "volume/..2026: tls.crt"}));
  const std::uint64_t first = hash();
  write("volume/..2027/tls.crt", "2");
  link("..2027", "volume/..data");
  EXPECT_NE(hash(), first);
  EXPECT_EQ(folders(), (std::vector<std::string>{".: volume", "volume: ..2027 ..data tls.crt",
                                                 "volume/..2027: tls.crt"}));
}

TEST_F(NamedFilesTest, LinksMayLeadAnywhere) {
  write("archive/1/site.pem", "1");
  fs::create_directories(at("live"));
  link(at("archive/1"), "current");
  link("../current/../1/site.pem", "live/site.pem");
  link("loop", "loop");
  files_ = {at("live/site.pem"), at("loop"), at("live/../current/site.pem")};
  EXPECT_EQ(folders(), (std::vector<std::string>{".: archive current live loop", "archive: 1",
                                                 "archive/1: site.pem", "live: site.pem"}));
}

}  // namespace
}  // namespace doorward::config
