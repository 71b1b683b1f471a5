#include "agent/tsm.h"

#include "codec/text.h"

namespace portcullis::agent {
namespace {

constexpr std::size_t kMaxAttribute = 256;
constexpr std::size_t kMaxOutblob = 32 * 1024;  // the kernel's own limits (TSM_REPORT_OUTBLOB_MAX) are these
constexpr std::size_t kMaxAuxblob = 64 * 1024;
constexpr int kMaxTries = 8;

std::string Trimmed(Bytes bytes) {
  std::string text = ToText(bytes);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
  return text;
}

}  // namespace

Result<TsmReport> Tsm::Report(const snp::ReportData& report_data) {
  ByteBuffer suffix(8);
  random_.Fill(suffix);
  const std::string directory = path_ + "/portcullis-" + codec::EncodeHex(suffix);
  if (const auto made = files_.MakeDirectory(directory); !made) {
    if (made.error().code == ReasonCode::kNotFound)
      return Error{ReasonCode::kNotFound,
                   "there is no configfs-tsm: not a confidential guest, or configfs is not mounted", path_};
    return made.error();
  }
  auto report = ReportIn(directory, report_data);
  const auto removed = files_.RemoveDirectory(directory);
  if (report && !removed) return removed.error();
  return report;
}

Result<TsmReport> Tsm::ReportIn(const std::string& directory, const snp::ReportData& report_data) {
  TsmReport report;
  report.provider = Trimmed(TRY(files_.Read(directory + "/provider", kMaxAttribute)));
  for (int attempt = 0; attempt < kMaxTries; ++attempt) {
    const auto written = files_.Write(directory + "/inblob", report_data.bytes());
    if (!written && written.error().code == ReasonCode::kOverloaded) continue;
    if (!written) return written.error();
    const ByteBuffer before = TRY(files_.Read(directory + "/generation", kMaxAttribute));
    auto outblob = files_.Read(directory + "/outblob", kMaxOutblob);
    if (!outblob && outblob.error().code == ReasonCode::kOverloaded) continue;
    if (!outblob) return outblob.error();
    auto auxblob = files_.Read(directory + "/auxblob", kMaxAuxblob);
    if (!auxblob && auxblob.error().code == ReasonCode::kOverloaded) continue;
    // Providers without certificates have no auxblob.
    if (!auxblob && auxblob.error().code != ReasonCode::kNotFound) return auxblob.error();
    const ByteBuffer after = TRY(files_.Read(directory + "/generation", kMaxAttribute));
    if (before != after) continue;
    report.outblob = std::move(*outblob);
    if (auxblob) report.auxblob = std::move(*auxblob);
    return report;
  }
  return Error{ReasonCode::kOverloaded, "configfs-tsm did not give a consistent report in 8 tries",
               directory};
}

}  // namespace portcullis::agent
