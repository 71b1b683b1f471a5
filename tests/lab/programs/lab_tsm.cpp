#include "tests/lab/programs/lab_tsm.h"

namespace portcullis::lab {
namespace {

struct Attribute {
  std::string directory, name;
};

Attribute Split(const std::string& path) {
  const auto slash = path.rfind('/');
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

Result<> LabTsm::MakeDirectory(const std::string& path) {
  if (!requests_.try_emplace(path).second)
    return Error{ReasonCode::kInternalError, "the directory exists", path};
  return Done{};
}

Result<> LabTsm::RemoveDirectory(const std::string& path) {
  if (requests_.erase(path) == 0) return Error{ReasonCode::kNotFound, "no such directory", path};
  return Done{};
}

Result<> LabTsm::Write(const std::string& path, Bytes content) {
  const auto [directory, name] = Split(path);
  const auto request = requests_.find(directory);
  if (request == requests_.end() || name != "inblob")
    return Error{ReasonCode::kNotFound, "no such attribute", path};
  request->second.inblob = TRY(snp::ReportData::From(content));
  ++request->second.generation;
  return Done{};
}

Result<ByteBuffer> LabTsm::Read(const std::string& path, std::size_t max_bytes) {
  const auto [directory, name] = Split(path);
  const auto request = requests_.find(directory);
  if (request == requests_.end()) return Error{ReasonCode::kNotFound, "no such attribute", path};
  ByteBuffer content;
  if (name == "provider")
    content = ToBuffer(AsBytes("sev_guest\n"));
  else if (name == "generation")
    content = ToBuffer(AsBytes(std::to_string(request->second.generation) + "\n"));
  else if (name == "outblob")
    content = pki_.Mint(launch_, request->second.inblob).report;
  else if (name == "auxblob")
    content = pki_.Mint(launch_, request->second.inblob).aux_blob;
  else
    return Error{ReasonCode::kNotFound, "no such attribute", path};
  if (content.size() > max_bytes) return Error{ReasonCode::kEvidenceMalformed, "larger than its limit", path};
  return content;
}

}  // namespace portcullis::lab
