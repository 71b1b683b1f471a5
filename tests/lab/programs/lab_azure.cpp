#include "tests/lab/programs/lab_azure.h"

#include "codec/text.h"

namespace portcullis::lab {
namespace {

using codec::Json;
using codec::ObjectReader;

constexpr std::uint32_t kSnpType = 2, kTdxType = 4;
constexpr std::size_t kTdReportDataAt = 128;

}  // namespace

/// GET and POST to the two paths that an agent needs.
class LabMetadata final : public http::Client {
 public:
  explicit LabMetadata(const LabAzure& machine) : machine_(machine) {}

  Result<http::Response> Send(const std::string& method, const std::string& path,
                              const http::Headers& headers, const std::string& body) override {
    const std::string* const marked = headers.Find("Metadata");
    if (marked == nullptr || *marked != "true") return http::Response::Text(400, "no Metadata header");
    if (method == "GET") return machine_.hardware_.metadata(path, {});
    const Json request = TRY(codec::ParseJson(body));
    const ByteBuffer report = TRY(codec::DecodeBase64Url(request.TextAt({"report"})));
    return machine_.hardware_.metadata(path, report);
  }
  Result<http::Response> Stream(const std::string&, const std::function<bool(std::string_view)>&,
                                const std::atomic<bool>&) override {
    return Error{ReasonCode::kInternalError, "the metadata service has no streams"};
  }

 private:
  const LabAzure& machine_;
};

LabAzure::LabAzure(Hardware hardware, AzureState state)
    : hardware_(std::move(hardware)), state_(std::move(state)) {}

LabAzure::LabAzure(LabPki pki, LaunchState launch, AzureState state)
    : LabAzure(Hardware{.type = kSnpType,
                        .report =
                            [pki, launch](const std::array<std::byte, 64>& data) {
                              return pki.Mint(launch, snp::ReportData(data)).report;
                            },
                        .metadata =
                            [pki, launch](const std::string& path, Bytes) {
                              if (path != "/metadata/THIM/amd/certification")
                                return http::Response::Text(404, "");
                              const ByteBuffer der = ToBuffer(pki.LeafOf(launch).certificate.der());
                              return http::Response::JsonBody(
                                  200, Json::Object({{"vcekCert", codec::EncodePem("CERTIFICATE", der)}}));
                            }},
               std::move(state)) {}

LabAzure::LabAzure(TdxLabPki pki, TdState td, AzureState state)
    : LabAzure(Hardware{.type = kTdxType,
                        .report =
                            [td](const std::array<std::byte, 64>& data) {
                              const auto& rtmrs = td.rtmrs;
                              return TdReportOf(
                                  {td.mr_td.bytes(),
                                   {rtmrs[0].bytes(), rtmrs[1].bytes(), rtmrs[2].bytes(), rtmrs[3].bytes()}},
                                  data);
                            },
                        .metadata =
                            [pki, td](const std::string& path, Bytes td_report) {
                              if (path != "/acc/tdquote" || td_report.size() < kTdReportDataAt + 64)
                                return http::Response::Text(404, "");
                              const auto data = tdx::ReportData::From(td_report.subspan(kTdReportDataAt, 64));
                              return http::Response::JsonBody(
                                  200,
                                  Json::Object({{"quote", codec::EncodeBase64Url(pki.Mint(td, *data))}}));
                            }},
               std::move(state)) {}

Result<ByteBuffer> LabAzure::ReadHclReport() {
  if (slow_ > 0)
    --slow_;
  else
    reported_ = asked_;
  const std::string var_data = vm_.VarData(state_, reported_.array());
  return HclReportOf(hardware_.type, hardware_.report(ReportDataFor(var_data)), var_data);
}

Result<> LabAzure::WriteReportData(const agent::ReportData& report_data) {
  asked_ = report_data;
  return Done{};
}

Result<tpm::PcrValues> LabAzure::ReadPcrs() { return state_.pcrs; }

Result<agent::PcrQuote> LabAzure::Quote(Bytes extra_data) {
  TpmQuoteParts quote = vm_.Quote(state_, extra_data);
  return agent::PcrQuote{std::move(quote.message), std::move(quote.signature), state_.pcrs};
}

std::shared_ptr<http::Client> LabAzure::Metadata() { return std::make_shared<LabMetadata>(*this); }

Result<std::unique_ptr<LabAzure>> LabAzureFromJson(const Json& value, const std::filesystem::path& folder) {
  ObjectReader in = TRY(ObjectReader::Open(value));
  const std::string tee = TRY(in.Text("tee", 16));
  const Json& machine = *TRY(in.Object("machine"));
  AzureState state;
  if (const auto digest = TRY(in.OptionalText("initData", 2 * crypto::Sha256Digest::kSize)))
    state.ExtendInitData(TRY_AT("initData", codec::FixedFromHex<crypto::Sha256Digest>(*digest)));
  state.secure_boot = TRY(in.OptionalFlag("secureBoot")).value_or(state.secure_boot);
  TRY(in.Finish());
  if (tee == "az-snp-vtpm") {
    auto launch = TRY_AT("machine", LaunchStateFromJson(machine));
    return std::make_unique<LabAzure>(TRY(LabPki::Load(folder)), std::move(launch), std::move(state));
  }
  if (tee != "az-tdx-vtpm")
    return Error{ReasonCode::kRequestMalformed, "the lab has no such machine", Quoted(tee)};
  auto td = TRY_AT("machine", TdStateFromJson(machine));
  return std::make_unique<LabAzure>(TRY(TdxLabPki::Load(folder / kTdxFolder)), std::move(td),
                                    std::move(state));
}

}  // namespace portcullis::lab
