#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/files.h"
#include "cli/verify.h"
#include "codec/init_data.h"
#include "policy/evidence_json.h"

namespace portcullis::cli {
namespace {

using codec::Json;

constexpr std::size_t kMaxEvidenceBytes = 2u << 20;
constexpr std::size_t kPaddedReportDataBytes = 64;
constexpr std::string_view kVtpmNonceRow = "az.vtpm-nonce";

struct VerifyAttestationOptions : VerifyOptions {
  std::string evidence, tee;
};

/// The primary evidence: within the body of an RCAR attestation, or alone.
const Json& PrimaryOf(const Json& document) {
  const Json* const within = document.At({"tee-evidence", "primary_evidence"});
  return within != nullptr ? *within : document;
}

/// The body of an attestation says which nonce and key its evidence must cover (kbs-protocol.md section 2).
void ExpectFromBody(const Json& body, Expected& expected) {
  const Json* const nonce = body.At({"runtime-data", "nonce"});
  const Json* const key = body.At({"runtime-data", "tee-pubkey"});
  if (!expected.report_data && nonce != nullptr && key != nullptr) {
    const Json* const additional = body.At({"tee-evidence", "additional_evidence"});
    const bool none = additional == nullptr || !additional->is_string();
    const std::string covered = codec::ToCanonicalText(Json::Object(
        {{"additional-evidence", none ? Json("") : *additional}, {"nonce", *nonce}, {"tee-pubkey", *key}}));
    expected.report_data = ToBuffer(crypto::Sha384(AsBytes(covered)).bytes());
  }
  if (const Json* init_data = body.At({"init-data", "body"});
      !expected.init_data && init_data != nullptr && init_data->is_string())
    expected.init_data = *init_data->if_string();
}

Result<std::string> TeeOf(const VerifyAttestationOptions& options, const Json& primary) {
  const auto named = options.tee.empty() ? policy::TeeOfForm(primary) : policy::TeeNamed(options.tee);
  if (!named)
    return Error{ReasonCode::kEvidenceMalformed,
                 "it is evidence of no TEE that is known here; name it by --tee"};
  return std::string(*named);
}

/// A digest where 64 bytes are wanted has zeros behind it; a vTPM carries it as it is.
void PadFor(std::string_view tee, Expected& expected) {
  const bool vtpm = tee == policy::kAzSnp || tee == policy::kAzTdx;
  if (expected.report_data && !vtpm) expected.report_data->resize(kPaddedReportDataBytes);
}

Result<Exit> VerifyAttestation(const VerifyAttestationOptions& options, const Context& context) {
  const std::string text = TRY(ReadFile(options.evidence, kMaxEvidenceBytes));
  const Json document = TRY_AT(Quoted(options.evidence), codec::ParseJson(text));
  const Json& primary = PrimaryOf(document);
  const std::string tee = TRY_AT(Quoted(options.evidence), TeeOf(options, primary));
  const policy::Evidence evidence = TRY_AT(Quoted(options.evidence), policy::ParseEvidence(tee, primary));
  Judging judging = TRY(ReadJudging(options, context.ports()));
  if (&primary != &document) ExpectFromBody(document, judging.expected);
  PadFor(tee, judging.expected);
  const Verdict verdict = TRY(std::visit([&](const auto& one) { return Judge(one, judging); }, evidence));
  return PrintVerdict(verdict, options.format, context);
}

Result<std::optional<crypto::Sha256Digest>> Pcr8Of(const Expected& expected) {
  if (!expected.init_data) return std::optional<crypto::Sha256Digest>();
  const codec::InitData init_data = TRY(codec::ParseInitData(*expected.init_data));
  if (init_data.algorithm != "sha256")
    return Error{ReasonCode::kRequestMalformed, "must be sha256: the vTPM's bank is SHA-256",
                 "init-data algorithm = " + Quoted(init_data.algorithm)};
  return std::optional(crypto::Sha256(AsBytes(init_data.text)));
}

/// What both vTPM forms share: `verify` runs the rows under rules, or the baseline where they are null.
template <typename Rules, typename Verify>
Result<Verdict> JudgeVtpm(const std::optional<Rules>* rules, const Judging& judging, Verify verify) {
  if (rules != nullptr && !*rules)
    return Error{ReasonCode::kPolicyIncomplete, "the policy has no rules for this TEE", "tees"};
  const auto init_data = TRY(Pcr8Of(judging.expected));
  const azure::Binding binding{judging.expected.report_data.value_or(ByteBuffer()), init_data};
  const Rules* const under = rules != nullptr ? &**rules : nullptr;
  Verdict verdict = VerdictOf(verify(under, under != nullptr ? &binding : nullptr));
  if (!judging.expected.report_data) DropRow(kVtpmNonceRow, verdict.tree);
  NoteUnasked(judging, verdict);
  if (under == nullptr && judging.expected.report_data)
    verdict.not_proven.emplace_back("without a policy the quote's nonce was not compared");
  return verdict;
}

}  // namespace

Result<Verdict> Judge(const azure::SnpEvidence& evidence, const Judging& judging) {
  const auto* const rules = judging.policy ? &judging.policy->az_snp : nullptr;
  return JudgeVtpm(rules, judging,
                   [&](const azure::SnpReferenceValues* under, const azure::Binding* binding) {
                     return azure::VerifyAzSnp(evidence, judging.endorsements.get(), judging.anchors,
                                               judging.now, under, binding);
                   });
}

Result<Verdict> Judge(const azure::TdxEvidence& evidence, const Judging& judging) {
  const auto* const rules = judging.policy ? &judging.policy->az_tdx : nullptr;
  return JudgeVtpm(rules, judging,
                   [&](const azure::TdxReferenceValues* under, const azure::Binding* binding) {
                     return azure::VerifyAzTdx(evidence, *judging.collateral, judging.tdx_anchors,
                                               judging.now, under, binding);
                   });
}

void AddVerifyAttestation(CLI::App& verify, Context& context) {
  const auto options = std::make_shared<VerifyAttestationOptions>();
  CLI::App* const attestation = verify.add_subcommand(
      "attestation", "Verify evidence as guests send it: the body of an attestation, or its evidence alone");
  attestation
      ->add_option("--evidence", options->evidence,
                   "JSON: what a guest posted to /kbs/v0/attest, or its primary_evidence")
      ->required()
      ->type_name("FILE");
  attestation
      ->add_option("--tee", options->tee,
                   "The TEE, where the form does not tell: snp, tdx, az-snp-vtpm, az-tdx-vtpm")
      ->type_name("TEE");
  attestation->add_option("--crl", options->lists, "AMD's revocation list in DER; may be repeated")
      ->type_name("FILE");
  AddVerifyOptions(*attestation, *options);
  attestation->footer(
      R"(The body of an attestation says itself which nonce, key and init-data its evidence must cover;
--report-data and --init-data take their place.

Examples:
  portcullis verify attestation --evidence attest.json --collateral ./collateral
  portcullis verify attestation --evidence evidence.json --tee tdx --collateral ./collateral --policy policy.yaml -o json)");
  attestation->callback(
      [options, &context] { context.Finish(VerifyAttestation(*options, context), options->format); });
}

}  // namespace portcullis::cli
