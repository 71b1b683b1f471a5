#include "agent/tee.h"

#include "codec/text.h"
#include "crypto/digest.h"
#include "evidence/snp/report.h"
#include "evidence/tdx/event_log.h"
#include "evidence/tdx/quote.h"

namespace portcullis::agent {
namespace {

using codec::Json;

Error NotMeasured() {
  return {ReasonCode::kInitDataMismatch,
          "the init-data handed in is not what the hardware measured at launch"};
}

class SnpTee final : public Tee {
 public:
  explicit SnpTee(Tsm& tsm) : tsm_(tsm) {}

  std::string_view name() const override { return "snp"; }

  Result<> RequireMeasured(const codec::InitData& init_data) override {
    const TsmReport report = TRY(tsm_.Report({}));
    const snp::Report parsed = TRY(snp::ParseReport(report.outblob));
    const auto digest = crypto::Sha256(AsBytes(init_data.text));
    if (!SameBytes(parsed.host_data.bytes(), digest.bytes())) return NotMeasured();
    return Done{};
  }

  Result<Json> Evidence(const ReportData& report_data) override {
    const TsmReport report = TRY(tsm_.Report(report_data));
    Json evidence = Json::Object({{"attestation_report", codec::EncodeBase64(report.outblob)}});
    if (!report.auxblob.empty()) evidence.Set("auxblob", codec::EncodeBase64(report.auxblob));
    return evidence;
  }

 private:
  Tsm& tsm_;
};

class TdxTee final : public Tee {
 public:
  TdxTee(Tsm& tsm, Files& files, std::string event_log_path)
      : tsm_(tsm), files_(files), event_log_path_(std::move(event_log_path)) {}

  std::string_view name() const override { return "tdx"; }

  Result<> RequireMeasured(const codec::InitData& init_data) override {
    const TsmReport report = TRY(tsm_.Report({}));
    const tdx::Quote quote = TRY(tdx::ParseQuote(report.outblob));
    const auto expected = ConfigIdOf(init_data);
    if (!expected || quote.report.mr_config_id != *expected) return NotMeasured();
    return Done{};
  }

  Result<Json> Evidence(const ReportData& report_data) override {
    const TsmReport report = TRY(tsm_.Report(report_data));
    const Json log = TRY(EventLog());
    return Json::Object({{"quote", codec::EncodeBase64(report.outblob)}, {"cc_eventlog", log}});
  }

 private:
  /// MRCONFIGID as Kata sets it: the digest by the init-data's own algorithm, with zeros up to 48 bytes.
  /// nullopt where it does not fit, since half a digest names nothing.
  static std::optional<tdx::Measurement> ConfigIdOf(const codec::InitData& init_data) {
    const Bytes text = AsBytes(init_data.text);
    if (init_data.algorithm == "sha384") return tdx::Measurement(crypto::Sha384(text).array());
    if (init_data.algorithm != "sha256") return std::nullopt;
    std::array<std::byte, tdx::Measurement::kSize> padded{};
    std::ranges::copy(crypto::Sha256(text).array(), padded.begin());
    return tdx::Measurement(padded);
  }

  /// base64 of the firmware's log; null where the firmware has none, which the policy may or may not accept.
  Result<Json> EventLog() {
    auto log = files_.Read(event_log_path_, tdx::kMaxEventLogBytes);
    if (log) return Json(codec::EncodeBase64(*log));
    if (log.error().code == ReasonCode::kNotFound) return Json();
    return log.error();
  }

  Tsm& tsm_;
  Files& files_;
  const std::string event_log_path_;
};

}  // namespace

Result<std::unique_ptr<Tee>> OpenTee(Tsm& tsm, Files& files, std::string event_log_path) {
  const std::string provider = TRY(tsm.Provider());
  if (provider == "sev_guest") return std::unique_ptr<Tee>(std::make_unique<SnpTee>(tsm));
  if (provider == "tdx_guest")
    return std::unique_ptr<Tee>(std::make_unique<TdxTee>(tsm, files, std::move(event_log_path)));
  return Error{ReasonCode::kTeeMismatch, "the TEE is not one this agent serves", Quoted(provider)};
}

}  // namespace portcullis::agent
