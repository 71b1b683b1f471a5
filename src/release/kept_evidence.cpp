#include "release/kept_evidence.h"

#include "codec/text.h"

namespace portcullis::release {
namespace {

using codec::Json;

// A report with its certificates stays below; a log's area of 64 KiB is mostly filler.
constexpr std::size_t kKeptAsItIs = 16 * 1024;
constexpr std::size_t kMaxEvidenceText = 2u << 20;  // a request has no more

Result<std::string> EvidenceText(const Json& kept) {
  if (kept.Find("evidence") != nullptr) return std::string(kept.TextAt({"evidence"}));
  const ByteBuffer packed = TRY(codec::DecodeBase64(kept.TextAt({"packedEvidence"})));
  return ToText(TRY(codec::Gunzip(packed, kMaxEvidenceText)));
}

/// What an appraisal reads of SNP evidence: the host's table has two certificates more that are never looked
/// at, and its page is filled with zeros.
std::string SnpText(const policy::SnpEvidence& evidence) {
  codec::JsonArray certificates;
  for (const crypto::Certificate& certificate : evidence.certificates)
    certificates.emplace_back(codec::EncodeBase64(certificate.der()));
  return codec::ToText(Json::Object({{"attestation_report", codec::EncodeBase64(evidence.report)},
                                     {"certificates", std::move(certificates)}}));
}

std::string EvidenceTextOf(const AttestationRequest& request) {
  const auto* snp = std::get_if<policy::SnpEvidence>(&request.evidence);
  return snp != nullptr ? SnpText(*snp) : request.evidence_text;
}

}  // namespace

std::string KeptEvidenceText(std::string_view tee, const AttestationRequest& request,
                             std::string_view init_data_text) {
  Json kept = Json::Object(
      {{"tee", tee}, {"initData", init_data_text}, {"reportData", codec::EncodeHex(request.report_data)}});
  std::string text = EvidenceTextOf(request);
  if (text.size() <= kKeptAsItIs)
    kept.Set("evidence", std::move(text));
  else
    kept.Set("packedEvidence", codec::EncodeBase64(codec::Gzip(AsBytes(text))));
  return codec::ToText(kept);
}

Result<KeptEvidence> ParseKeptEvidence(std::string_view text) {
  const Json kept = TRY(codec::ParseJson(text));
  const Json primary = TRY(codec::ParseJson(TRY(EvidenceText(kept))));
  auto evidence = TRY(policy::ParseEvidence(kept.TextAt({"tee"}), primary));
  auto init_data = TRY(codec::ParseInitData(kept.TextAt({"initData"})));
  auto report_data = TRY(codec::DecodeHex(kept.TextAt({"reportData"})));
  return KeptEvidence{std::move(evidence), std::move(init_data), std::move(report_data)};
}

}  // namespace portcullis::release
