#include "release/kept_evidence.h"

#include "codec/text.h"

namespace portcullis::release {
namespace {

using codec::Json;

// A report with its certificates stays below; a log's area of 64 KiB is mostly filler.
constexpr std::size_t kKeptAsItIs = 16 * 1024;
constexpr std::size_t kMaxEvidenceText = 2u << 20;  // a request has no more

Result<Json> PrimaryEvidence(const Json& kept) {
  if (const Json* evidence = kept.Find("evidence")) return *evidence;
  const ByteBuffer packed = TRY(codec::DecodeBase64(kept.TextAt({"packedEvidence"})));
  return codec::ParseJson(ToText(TRY(codec::Gunzip(packed, kMaxEvidenceText))));
}

/// What an appraisal reads of SNP evidence: the host's table has two certificates more that are never looked
/// at, and its page is filled with zeros.
std::string SnpText(const policy::SnpEvidence& evidence) {
  codec::JsonWriter out;
  out.BeginObject().Member("attestation_report", codec::EncodeBase64(evidence.report));
  out.Name("certificates").BeginArray();
  for (const crypto::Certificate& certificate : evidence.certificates)
    out.Text(codec::EncodeBase64(certificate.der()));
  out.EndArray().EndObject();
  return std::move(out).Take();
}

std::string EvidenceTextOf(const AttestationRequest& request) {
  const auto* snp = std::get_if<policy::SnpEvidence>(&request.evidence);
  return snp != nullptr ? SnpText(*snp) : request.evidence_text;
}

}  // namespace

std::string KeptEvidenceText(std::string_view tee, const AttestationRequest& request,
                             std::string_view init_data_text) {
  codec::JsonWriter out;
  out.BeginObject().Member("tee", tee).Member("initData", init_data_text);
  out.Member("reportData", codec::EncodeHex(request.report_data));
  const std::string text = EvidenceTextOf(request);
  if (text.size() <= kKeptAsItIs)
    out.Name("evidence").Written(text);
  else
    out.Member("packedEvidence", codec::EncodeBase64(codec::Gzip(AsBytes(text))));
  out.EndObject();
  return std::move(out).Take();
}

Result<KeptEvidence> ParseKeptEvidence(std::string_view text) {
  const Json kept = TRY(codec::ParseJson(text));
  const Json primary = TRY(PrimaryEvidence(kept));
  auto evidence = TRY(policy::ParseEvidence(kept.TextAt({"tee"}), primary));
  auto init_data = TRY(codec::ParseInitData(kept.TextAt({"initData"})));
  auto report_data = TRY(codec::DecodeHex(kept.TextAt({"reportData"})));
  return KeptEvidence{std::move(evidence), std::move(init_data), std::move(report_data)};
}

}  // namespace portcullis::release
