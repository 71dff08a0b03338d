// Files and folders: what is read in which order, and each way that it cannot be.
#include "config/source.h"

#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

namespace doorward::config {
namespace {

namespace fs = std::filesystem;

class SourceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "doorward-source-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }

  // The findings, with the folder's name taken off.
  std::string errors(const fs::path& path) const {
    schema::Diagnostics diagnostics;
    EXPECT_FALSE(load_source(path, diagnostics).has_value());
    std::string text = diagnostics.to_text();
    const std::string prefix = folder_.string() + "/";
    for (std::size_t at = 0; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    return text;
  }

  fs::path folder_;
};

TEST_F(SourceTest, ReadsAFile) {
  schema::Diagnostics diagnostics;
  const fs::path file = write("a.yaml", "version: 1\n");
  const auto source = load_source(file, diagnostics);
  ASSERT_TRUE(source.has_value()) << diagnostics.to_text();
  EXPECT_EQ(source->root.find("version")->value.text, "1");
  EXPECT_EQ(source->files, std::vector<std::string>{file.string()});
}

TEST_F(SourceTest, ReadsAFolderInTheOrderOfNames) {
  write("20-b.yml", "routes: [b]\n");
  write("10-a.yaml", "version: 1\nroutes: [a]\n");
  write(".hidden.yaml", "routes: [h]\n");
  write("notes.txt", "no: [yaml\n");
  schema::Diagnostics diagnostics;
  const auto source = load_source(folder_, diagnostics);
  ASSERT_TRUE(source.has_value()) << diagnostics.to_text();
  ASSERT_EQ(source->root.find("routes")->value.items.size(), 2U);
  EXPECT_EQ(source->root.find("routes")->value.items[0].text, "a");
  EXPECT_EQ(source->files.size(), 2U);
}

TEST_F(SourceTest, SaysWhatIsMissingOrEmpty) {
  EXPECT_EQ(errors(folder_ / "no.yaml"),
            "no.yaml: error: there is no such file; name it with -c FILE or -c FOLDER\n");
  EXPECT_EQ(errors(write("a.yaml", "") / "x"),
            "a.yaml/x: error: a part of this path is a file, not a folder; correct the path\n");
  EXPECT_EQ(errors(folder_ / "a.yaml"),
            "a.yaml: error: is empty; the least is \"version: 1\" with listeners and routes\n");
  fs::create_directory(folder_ / "none");
  EXPECT_EQ(errors(folder_ / "none"), "none: error: this folder has no *.yaml or *.yml file\n");
}

TEST_F(SourceTest, SaysWhoMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const fs::path file = write("a.yaml", "version: 1\n");
  fs::permissions(file, fs::perms::none);
  EXPECT_EQ(errors(file), "a.yaml: error: no permission to read it as user " +
                              std::to_string(::geteuid()) +
                              "; change the owner or permissions of it or of a folder above it, or "
                              "start Doorward as another user\n");
}

TEST_F(SourceTest, TellsAllFilesErrors) {
  write("a.yaml", "a: 1\na: 2\n");
  write("b.yaml", "b: \xff\n");
  fs::create_directory(folder_ / "c.yaml");
  EXPECT_EQ(errors(folder_),
            "a.yaml:2:1: error: the key \"a\" is given twice; first in line 1\n"
            "    2 | a: 2\n"
            "      | ^\n"
            "b.yaml:1:4: error: not UTF-8 (byte 0xff); save the file as UTF-8\n"
            "    1 | b: \xff\n"
            "      |    ^\n"
            "c.yaml: error: is a folder, not a file; give it a name without .yaml\n");
}

}  // namespace
}  // namespace doorward::config
