#include "policy/evidence_json.h"

#include "codec/text.h"
#include "evidence/snp/chain.h"
#include "evidence/snp/coco_evidence.h"
#include "evidence/tdx/event_log.h"
#include "evidence/tdx/quote.h"

namespace portcullis::policy {
namespace {

using codec::Json;
using codec::ObjectReader;

/// Base64 of at most so many bytes has so many characters.
constexpr std::size_t TextSize(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

Result<ByteBuffer> DecodeMember(const std::string& text) {
  auto decoded = codec::DecodeBase64(text);
  if (!decoded) return Error{ReasonCode::kEvidenceMalformed, "not base64"};
  return decoded;
}

Result<> ReadCertificates(const Json& listed, std::vector<crypto::Certificate>& out) {
  const codec::JsonArray* items = listed.if_array();
  if (items == nullptr || items->size() > kMaxCertificates)
    return Error{ReasonCode::kEvidenceMalformed, "not an array of at most 8 certificates"};
  for (const Json& item : *items) {
    const std::string* text = item.if_string();
    if (text == nullptr) return Error{ReasonCode::kEvidenceMalformed, "not text"};
    out.push_back(TRY(crypto::Certificate::Parse(TRY(DecodeMember(*text)))));
  }
  return Done{};
}

Result<Evidence> ParseSnpEvidence(const Json& primary) {
  if (const Json* report = primary.Find("attestation_report"); report != nullptr && report->is_object()) {
    auto coco = TRY(snp::ParseCocoEvidence(primary));
    return Evidence(SnpEvidence{std::move(coco.report), std::move(coco.certificates)});
  }
  ObjectReader in = TRY(ObjectReader::Open(primary, ReasonCode::kEvidenceMalformed));
  SnpEvidence evidence;
  evidence.report = TRY_AT("attestation_report", DecodeMember(TRY(in.Text("attestation_report", 8 * 1024))));
  const auto auxblob = TRY(in.OptionalText("auxblob", 128 * 1024));
  if (auxblob && !auxblob->empty()) {
    const ByteBuffer table = TRY_AT("auxblob", DecodeMember(*auxblob));
    evidence.certificates = TRY_AT("auxblob", snp::ParseCertificateTable(table));
  }
  if (const Json* listed = in.Optional("certificates"); listed != nullptr)
    TRY_AT("certificates", ReadCertificates(*listed, evidence.certificates));
  TRY(in.Finish());
  // Together, from either place.
  if (evidence.certificates.size() > kMaxCertificates)
    return Error{ReasonCode::kEvidenceMalformed, "more than 8 certificates in all", "certificates"};
  return Evidence(std::move(evidence));
}

Result<Evidence> ParseTdxEvidence(const Json& primary) {
  ObjectReader in = TRY(ObjectReader::Open(primary, ReasonCode::kEvidenceMalformed));
  tdx::Evidence evidence;
  evidence.quote = TRY_AT("quote", DecodeMember(TRY(in.Text("quote", TextSize(tdx::kMaxQuoteBytes)))));
  const auto log = TRY(in.OptionalText("cc_eventlog", TextSize(tdx::kMaxEventLogBytes)));
  if (log) evidence.event_log = TRY_AT("cc_eventlog", DecodeMember(*log));
  // Clients up to v0.14 send their agent's own events apart. They extend RTMR3 alone, and a policy that asks
  // for events of RTMR3 finds them in the log above or refuses.
  TRY(in.OptionalText("aa_eventlog", TextSize(tdx::kMaxEventLogBytes)));
  TRY(in.Finish());
  return Evidence(std::move(evidence));
}

}  // namespace

std::optional<std::string_view> TeeOfForm(const Json& primary) {
  if (primary.Find("attestation_report") != nullptr) return kSnp;
  if (const Json* quote = primary.Find("quote"); quote != nullptr && quote->is_string()) return kTdx;
  if (primary.Find("td_quote") != nullptr) return kAzTdx;
  // "quote" as an object: the form from before versions were written.
  if (primary.Find("tpm_quote") != nullptr || primary.Find("quote") != nullptr) return kAzSnp;
  return std::nullopt;
}

Result<Evidence> ParseEvidence(std::string_view tee, const Json& primary) {
  if (const auto form = TeeOfForm(primary); form && *form != tee)
    return Error{ReasonCode::kTeeMismatch, "the evidence is another TEE's than was announced",
                 std::string(*form)};
  if (tee == kSnp) return ParseSnpEvidence(primary);
  if (tee == kTdx) return ParseTdxEvidence(primary);
  if (tee == kAzSnp) return Evidence(TRY(azure::ParseSnpEvidence(primary)));
  if (tee == kAzTdx) return Evidence(TRY(azure::ParseTdxEvidence(primary)));
  return Error{ReasonCode::kTeeMismatch, "this TEE is not verified here", Quoted(tee)};
}

}  // namespace portcullis::policy
