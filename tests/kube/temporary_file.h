#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace portcullis::test {

/// A file in a fresh folder; both go with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    std::string folder = (std::filesystem::temp_directory_path() / "portcullis-kube-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    folder_ = folder;
    Write(content);
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void Write(std::string_view content) const { std::ofstream(path(), std::ios::trunc) << content; }
  void Remove() const { std::filesystem::remove(path()); }
  std::string path() const { return (folder_ / "file").string(); }
  std::string folder() const { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace portcullis::test
