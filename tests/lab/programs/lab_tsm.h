#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/files.h"
#include "agent/tsm.h"
#include "tests/lab/snp_lab.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::lab {

/// A configfs-tsm tree in memory whose outblob is minted: mkdir makes the attributes, a write to inblob
/// raises generation, outblob is a report over the last inblob. What the kernel does, for a machine that
/// there is not. A TD has its event log beside it, at any path that ends in "CCEL".
class LabTsm final : public agent::Files {
 public:
  LabTsm(LabPki pki, LaunchState launch);
  LabTsm(TdxLabPki pki, TdState state);

  Result<> MakeDirectory(const std::string& path) override;
  Result<> RemoveDirectory(const std::string& path) override;
  Result<> Write(const std::string& path, Bytes content) override;
  Result<ByteBuffer> Read(const std::string& path, std::size_t max_bytes) override;

  /// The next so many writes to inblob find the kernel busy.
  void BeBusy(int times) { busy_ = times; }

 private:
  struct Request {
    agent::ReportData inblob;
    int generation = 0;
  };
  struct Minted {
    ByteBuffer outblob;
    std::optional<ByteBuffer> auxblob;
  };
  Result<ByteBuffer> Attribute(const Request& request, std::string_view name) const;

  const std::string provider_;
  const std::function<Minted(const agent::ReportData&)> mint_;
  const ByteBuffer event_log_;
  std::map<std::string, Request> requests_;
  int busy_ = 0;
};

}  // namespace portcullis::lab
