// Which changes are heard of, on a real file system.
#include "app/file_watch.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace doorward::app {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "certs");
  }
  ~FileWatchTest() override { fs::remove_all(folder_); }

  void write(const std::string& name) { std::ofstream(folder_ / name) << "text"; }
  Result<void> watch(const std::vector<std::string>& names) {
    std::vector<std::string> files;
    for (const std::string& name : names) files.push_back(folder_ / name);
    return watch_.watch(config::folders_to_watch(files));
  }

  const fs::path folder_ =
      fs::canonical(testing::TempDir()) / ("doorward-watch-" + std::to_string(getpid()));
  FileWatch watch_;
};

TEST_F(FileWatchTest, HearsOfTheNamesItWatches) {
  ASSERT_TRUE(watch({"gateway.yaml", "certs/site.pem"}));
  EXPECT_FALSE(watch_.take_changes());
  write("gateway.yaml");
  EXPECT_TRUE(watch_.take_changes());
  EXPECT_FALSE(watch_.take_changes());  // they were taken
  write("certs/site.pem");
  EXPECT_TRUE(watch_.take_changes());
}

TEST_F(FileWatchTest, ItsNeighboursAreNoChange) {
  ASSERT_TRUE(watch({"gateway.yaml"}));
  write("other.yaml");
  write("gateway.yaml.swp");
  write("certs/site.pem");
  fs::create_directory(folder_ / "more");
  EXPECT_FALSE(watch_.take_changes());
}

TEST_F(FileWatchTest, OfAFolderEveryNameIsOne) {
  ASSERT_TRUE(watch({"certs/"}));
  write("other.yaml");
  EXPECT_FALSE(watch_.take_changes());
  write("certs/new.pem");
  EXPECT_TRUE(watch_.take_changes());
}

TEST_F(FileWatchTest, AFolderThatComesBackIsHeardOf) {
  ASSERT_TRUE(watch({"certs/"}));
  fs::rename(folder_ / "certs", folder_ / "old");
  EXPECT_TRUE(watch_.take_changes());
  ASSERT_TRUE(watch({"certs/"}));  // it is not there: no failure
  fs::create_directory(folder_ / "certs");
  EXPECT_TRUE(watch_.take_changes());
  ASSERT_TRUE(watch({"certs/"}));
  write("certs/new.pem");
  EXPECT_TRUE(watch_.take_changes());
}

TEST_F(FileWatchTest, AFilesFolderThatIsReplacedIsHeardOf) {
  fs::create_directories(folder_ / "new");
  ASSERT_TRUE(watch({"certs/site.pem"}));
  fs::rename(folder_ / "certs", folder_ / "old");
  EXPECT_TRUE(watch_.take_changes());
  fs::rename(folder_ / "new", folder_ / "certs");
  EXPECT_TRUE(watch_.take_changes());
  ASSERT_TRUE(watch({"certs/site.pem"}));
  watch_.take_changes();
  write("certs/site.pem");
  EXPECT_TRUE(watch_.take_changes());
}

TEST_F(FileWatchTest, AFolderThatIsMadeLaterIsHeardOf) {
  ASSERT_TRUE(watch({"later/below/site.pem"}));
  fs::create_directories(folder_ / "later");
  EXPECT_TRUE(watch_.take_changes());
  ASSERT_TRUE(watch({"later/below/site.pem"}));
  fs::create_directories(folder_ / "later/below");
  EXPECT_TRUE(watch_.take_changes());
}

TEST_F(FileWatchTest, ARemovedFileAndOneThatIsReplacedAreChanges) {
  write("gateway.yaml");
  write("new.yaml");
  ASSERT_TRUE(watch({"gateway.yaml"}));
  fs::rename(folder_ / "new.yaml", folder_ / "gateway.yaml");
  EXPECT_TRUE(watch_.take_changes());
  fs::remove(folder_ / "gateway.yaml");
  EXPECT_TRUE(watch_.take_changes());
}

TEST_F(FileWatchTest, WhatIsWatchedNoMoreIsNoChange) {
  ASSERT_TRUE(watch({"certs/", "gateway.yaml"}));
  ASSERT_TRUE(watch({"gateway.yaml"}));
  watch_.take_changes();  // the kernel tells that the watch is gone
  write("certs/new.pem");
  EXPECT_FALSE(watch_.take_changes());
}

TEST_F(FileWatchTest, OnePathToAFolderHidesNoNameOfAnother) {
  fs::create_directory_symlink("certs", folder_ / "link");
  config::WatchedFolders folders;
  folders[folder_ / "certs"].names.insert("a.pem");
  folders[folder_ / "link"].names.insert("b.pem");
  ASSERT_TRUE(watch_.watch(folders));
  write("certs/a.pem");
  EXPECT_TRUE(watch_.take_changes());
  write("certs/b.pem");
  EXPECT_TRUE(watch_.take_changes());
}

TEST_F(FileWatchTest, WithoutADescriptorItSaysTheWayOut) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  FileWatch watch;
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(watch.fd(), -1);
  const Result<void> all = watch.watch({});
  ASSERT_FALSE(all);
  EXPECT_EQ(
      all.error().cause,
      "the configuration cannot be watched for changes: Too many open files; raise the sysctl "
      "fs.inotify.max_user_instances, or the limit of open files (ulimit -n)");
  EXPECT_FALSE(watch.take_changes());
}

}  // namespace
}  // namespace doorward::app
