#include "agent/azure_tee.h"

#include "codec/text.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "evidence/azure/hcl_report.h"
#include "evidence/tdx/quote.h"

namespace portcullis::agent {
namespace {

using azure::HclReport;
using azure::ReportType;
using codec::Json;

constexpr std::int64_t kEvidenceVersion = 2;
constexpr std::size_t kInitDataPcr = 8;
constexpr std::size_t kMaxMetadataBytes = 256 * 1024;
constexpr int kMaxReportReads = 20;  // the paravisor needs up to three seconds
constexpr std::chrono::milliseconds kReportPause{250};

/// The paravisor's report, of either hardware.
Result<HclReport> ParseEither(Bytes bytes) {
  if (auto snp = azure::ParseHclReport(bytes, ReportType::kSnp)) return snp;
  return azure::ParseHclReport(bytes, ReportType::kTdx);
}

Result<Json> JsonOf(const http::Response& response) {
  if (response.status != 200)
    return Error{ReasonCode::kUnreachable, "the metadata service does not answer",
                 "status " + std::to_string(response.status)};
  return codec::ParseJson(response.body, {.max_bytes = kMaxMetadataBytes, .max_depth = 8});
}

http::Headers MetadataHeaders() {
  http::Headers headers;
  headers.Set("Metadata", "true");  // what the service demands, so that no forwarded request reaches it
  headers.Set("Content-Type", "application/json");
  return headers;
}

/// base64url, with padding or without: the service writes both.
Result<ByteBuffer> DecodeUnpadded(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return codec::DecodeBase64Url(text);
}

class AzureTee final : public Tee {
 public:
  AzureTee(Vtpm& vtpm, http::Client& metadata, Sleep sleep, ReportType type)
      : vtpm_(vtpm), metadata_(metadata), sleep_(std::move(sleep)), type_(type) {}

  std::string_view name() const override { return type_ == ReportType::kSnp ? "az-snp-vtpm" : "az-tdx-vtpm"; }

  /// The guest's boot extends PCR 8 by the digest, once.
  Result<> RequireMeasured(const codec::InitData& init_data) override {
    ByteBuffer extended(crypto::Sha256Digest::kSize);
    Append(extended, crypto::Sha256(AsBytes(init_data.text)).bytes());
    const tpm::PcrValues pcrs = TRY(vtpm_.ReadPcrs());
    if (pcrs[kInitDataPcr] == crypto::Sha256(extended)) return Done{};
    return Error{ReasonCode::kInitDataMismatch, "the init-data handed in is not what PCR 8 was extended by"};
  }

  Result<Json> Evidence(const ReportData& report_data) override {
    TRY(vtpm_.WriteReportData(report_data));
    const ByteBuffer bytes = TRY(FreshReport(report_data));
    const HclReport report = TRY(azure::ParseHclReport(bytes, type_));
    // The quote carries the digest itself, the hardware's report its padded form (kbs-protocol.md 2.1).
    const PcrQuote quote = TRY(vtpm_.Quote(report_data.bytes().first(crypto::Sha384Digest::kSize)));
    Json evidence = Json::Object({{"version", kEvidenceVersion},
                                  {"tpm_quote", QuoteJson(quote)},
                                  {"hcl_report", codec::EncodeBase64Url(bytes)}});
    if (type_ == ReportType::kTdx)
      evidence.Set("td_quote", codec::EncodeBase64Url(TRY(TdQuote(report.hardware_report))));
    else
      evidence.Set("vcek", codec::EncodeBase64Url(TRY(Vcek())));
    return evidence;
  }

 private:
  /// The report, read until it holds what was asked for: the paravisor writes it when it has it.
  Result<ByteBuffer> FreshReport(const ReportData& report_data) {
    for (int read = 0; read < kMaxReportReads; ++read) {
      if (read > 0) sleep_(kReportPause);
      ByteBuffer bytes = TRY(vtpm_.ReadHclReport());
      const auto report = azure::ParseHclReport(bytes, type_);  // half-written ones are read again
      if (report && report->user_data && SameBytes(report->user_data->bytes(), report_data.bytes()))
        return bytes;
    }
    return Error{ReasonCode::kOverloaded, "the paravisor did not report the data that it was given"};
  }

  static Json QuoteJson(const PcrQuote& quote) {
    codec::JsonArray pcrs;
    for (const crypto::Sha256Digest& pcr : quote.pcrs) pcrs.push_back(codec::EncodeHex(pcr.bytes()));
    return Json::Object({{"signature", codec::EncodeHex(quote.signature)},
                         {"message", codec::EncodeHex(quote.message)},
                         {"pcrs", std::move(pcrs)}});
  }

  Result<ByteBuffer> TdQuote(Bytes td_report) {
    const Json request = Json::Object({{"report", codec::EncodeBase64Url(td_report)}});
    const Json reply =
        TRY(JsonOf(TRY(metadata_.Send("POST", "/acc/tdquote", MetadataHeaders(), codec::ToText(request)))));
    ByteBuffer quote = TRY_AT("quote", DecodeUnpadded(reply.TextAt({"quote"})));
    if (quote.empty() || quote.size() > tdx::kMaxQuoteBytes)
      return Error{ReasonCode::kEvidenceMalformed, "the metadata service gave no quote", "quote"};
    return quote;
  }

  Result<ByteBuffer> Vcek() {
    const Json reply =
        TRY(JsonOf(TRY(metadata_.Send("GET", "/metadata/THIM/amd/certification", MetadataHeaders(), ""))));
    const auto blocks = TRY_AT("vcekCert", codec::ParsePem(reply.TextAt({"vcekCert"}), 1));
    return blocks.front().der;
  }

  Vtpm& vtpm_;
  http::Client& metadata_;
  const Sleep sleep_;
  const ReportType type_;
};

}  // namespace

Result<std::unique_ptr<Tee>> OpenAzureTee(Vtpm& vtpm, http::Client& metadata, Sleep sleep) {
  const ByteBuffer bytes = TRY(vtpm.ReadHclReport());
  const HclReport report = TRY(ParseEither(bytes));
  return std::unique_ptr<Tee>(std::make_unique<AzureTee>(vtpm, metadata, std::move(sleep), report.type));
}

}  // namespace portcullis::agent
