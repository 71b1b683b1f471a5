#include "tests/lab/programs/lab_tsm.h"

namespace portcullis::lab {
namespace {

struct Place {
  std::string directory, name;
};

Place Split(const std::string& path) {
  const auto slash = path.rfind('/');
  return {path.substr(0, slash), path.substr(slash + 1)};
}

/// The same 64 bytes as the type of a TEE.
template <typename T>
T As(const agent::ReportData& data) {
  return T(data.array());
}

Error Absent(const std::string& path) { return {ReasonCode::kNotFound, "no such file", path}; }

}  // namespace

LabTsm::LabTsm(LabPki pki, LaunchState launch)
    : provider_("sev_guest"),
      mint_([pki = std::move(pki), launch = std::move(launch)](const agent::ReportData& data) {
        MintedEvidence minted = pki.Mint(launch, As<snp::ReportData>(data));
        return Minted{std::move(minted.report), std::move(minted.aux_blob)};
      }) {}

LabTsm::LabTsm(TdxLabPki pki, TdState state)
    : provider_("tdx_guest"),
      mint_([pki = std::move(pki), state](const agent::ReportData& data) {
        return Minted{pki.Mint(state, As<tdx::ReportData>(data)), std::nullopt};
      }),
      event_log_(state.EventLog()) {}

Result<> LabTsm::MakeDirectory(const std::string& path) {
  if (!requests_.try_emplace(path).second)
    return Error{ReasonCode::kInternalError, "the directory exists", path};
  return Done{};
}

Result<> LabTsm::RemoveDirectory(const std::string& path) {
  if (requests_.erase(path) == 0) return Absent(path);
  return Done{};
}

Result<> LabTsm::Write(const std::string& path, Bytes content) {
  const auto [directory, name] = Split(path);
  const auto request = requests_.find(directory);
  if (request == requests_.end() || name != "inblob") return Absent(path);
  if (busy_ > 0) {
    --busy_;
    return Error{ReasonCode::kOverloaded, "the kernel asks to try again", path};
  }
  request->second.inblob = TRY(agent::ReportData::From(content));
  ++request->second.generation;
  return Done{};
}

Result<ByteBuffer> LabTsm::Read(const std::string& path, std::size_t max_bytes) {
  const auto [directory, name] = Split(path);
  ByteBuffer content;
  if (name == "CCEL") {
    if (event_log_.empty()) return Absent(path);
    content = event_log_;
  } else {
    const auto request = requests_.find(directory);
    if (request == requests_.end()) return Absent(path);
    content = TRY_AT(path, Attribute(request->second, name));
  }
  if (content.size() > max_bytes) return Error{ReasonCode::kEvidenceMalformed, "larger than its limit", path};
  return content;
}

Result<ByteBuffer> LabTsm::Attribute(const Request& request, std::string_view name) const {
  if (name == "provider") return ToBuffer(AsBytes(provider_ + "\n"));
  if (name == "generation") return ToBuffer(AsBytes(std::to_string(request.generation) + "\n"));
  if (name == "outblob") return mint_(request.inblob).outblob;
  if (name == "auxblob")
    if (auto table = mint_(request.inblob).auxblob) return *std::move(table);
  return Error{ReasonCode::kNotFound, "no such attribute"};
}

}  // namespace portcullis::lab
