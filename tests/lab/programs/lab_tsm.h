#pragma once

#include <map>
#include <string>

#include "agent/files.h"
#include "tests/lab/snp_lab.h"

namespace portcullis::lab {

/// A configfs-tsm tree in memory whose outblob is minted: mkdir makes the attributes, a write to inblob
/// raises generation, outblob is a report over the last inblob. What the kernel does, for a machine that
/// there is not.
class LabTsm final : public agent::Files {
 public:
  LabTsm(const LabPki& pki, LaunchState launch) : pki_(pki), launch_(std::move(launch)) {}

  Result<> MakeDirectory(const std::string& path) override;
  Result<> RemoveDirectory(const std::string& path) override;
  Result<> Write(const std::string& path, Bytes content) override;
  Result<ByteBuffer> Read(const std::string& path, std::size_t max_bytes) override;

 private:
  struct Request {
    snp::ReportData inblob;
    int generation = 0;
  };
  const LabPki& pki_;
  const LaunchState launch_;
  std::map<std::string, Request> requests_;
};

}  // namespace portcullis::lab
