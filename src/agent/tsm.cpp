#include "agent/tsm.h"

#include "codec/text.h"

namespace portcullis::agent {
namespace {

constexpr std::size_t kMaxAttribute = 256;
constexpr std::size_t kMaxOutblob = 32 * 1024;  // the kernel's own limits (TSM_REPORT_OUTBLOB_MAX) are these
constexpr std::size_t kMaxAuxblob = 64 * 1024;
constexpr int kMaxTries = 8;
constexpr std::chrono::milliseconds kFirstPause{20};  // doubled each time: 2.5 seconds in all

std::string Trimmed(Bytes bytes) {
  std::string text = ToText(bytes);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
  return text;
}

}  // namespace

template <typename Fn>
auto Tsm::InDirectory(Fn&& fn) -> decltype(fn(std::string())) {
  ByteBuffer suffix(8);
  random_.Fill(suffix);
  const std::string directory = path_ + "/portcullis-" + codec::EncodeHex(suffix);
  if (const auto made = files_.MakeDirectory(directory); !made) {
    if (made.error().code == ReasonCode::kNotFound)
      return Error{ReasonCode::kNotFound,
                   "there is no configfs-tsm: not a confidential guest, or one that does not mount configfs "
                   "into its containers, as the guest's image or runtime must (docs/install.md, \"What the "
                   "guest must offer\")",
                   path_};
    if (made.error().code == ReasonCode::kConfigurationInvalid)
      return Error{ReasonCode::kConfigurationInvalid,
                   "configfs-tsm can't be written to: it takes root alone, and the guest must mount it "
                   "read-write (docs/install.md, \"What the guest must offer\")",
                   path_};
    return made.error();
  }
  auto result = fn(directory);
  const auto removed = files_.RemoveDirectory(directory);
  if (result && !removed) return removed.error();
  return result;
}

Result<std::string> Tsm::Provider() {
  return InDirectory([this](const std::string& directory) { return ProviderIn(directory); });
}

Result<std::string> Tsm::ProviderIn(const std::string& directory) {
  return Trimmed(TRY(files_.Read(directory + "/provider", kMaxAttribute)));
}

Result<TsmReport> Tsm::Report(const ReportData& report_data) {
  return InDirectory([&](const std::string& directory) { return ReportIn(directory, report_data); });
}

Result<TsmReport> Tsm::ReportIn(const std::string& directory, const ReportData& report_data) {
  const std::string provider = TRY(ProviderIn(directory));
  std::chrono::milliseconds pause = kFirstPause;
  for (int attempt = 1; attempt <= kMaxTries; ++attempt) {
    bool busy = false;
    auto report = TRY(TryReport(directory, report_data, busy));
    if (report) {
      report->provider = provider;
      return *std::move(report);
    }
    if (busy && attempt < kMaxTries) sleep_(pause);
    if (busy) pause *= 2;
  }
  return Error{ReasonCode::kOverloaded, "configfs-tsm did not give a consistent report in 8 tries",
               directory};
}

Result<std::optional<TsmReport>> Tsm::TryReport(const std::string& directory, const ReportData& report_data,
                                                bool& busy) {
  const auto again = [&busy](const Error& error) { return busy = error.code == ReasonCode::kOverloaded; };
  const auto written = files_.Write(directory + "/inblob", report_data.bytes());
  if (!written && again(written.error())) return std::optional<TsmReport>();
  if (!written) return written.error();
  const ByteBuffer before = TRY(files_.Read(directory + "/generation", kMaxAttribute));
  auto outblob = files_.Read(directory + "/outblob", kMaxOutblob);
  if (!outblob && again(outblob.error())) return std::optional<TsmReport>();
  if (!outblob) return outblob.error();
  auto auxblob = files_.Read(directory + "/auxblob", kMaxAuxblob);
  if (!auxblob && again(auxblob.error())) return std::optional<TsmReport>();
  // Providers without certificates have no auxblob.
  if (!auxblob && auxblob.error().code != ReasonCode::kNotFound) return auxblob.error();
  const ByteBuffer after = TRY(files_.Read(directory + "/generation", kMaxAttribute));
  if (before != after) return std::optional<TsmReport>();
  TsmReport report{{}, std::move(*outblob), {}};
  if (auxblob) report.auxblob = std::move(*auxblob);
  return std::optional(std::move(report));
}

}  // namespace portcullis::agent
