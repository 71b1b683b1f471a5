#include "release/attestation_request.h"

#include <algorithm>
#include <cctype>

#include "codec/text.h"

namespace portcullis::release {
namespace {

using codec::Json;
using codec::ObjectReader;

/// The members that both sides hash: others in the JWK would make two readings of one key, so they are
/// refused (kbs-protocol.md section 8, case 23).
Result<> OnlyHashedMembers(const Json& jwk) {
  constexpr std::string_view kHashed[] = {"kty", "crv", "alg", "x", "y"};
  for (const auto& [name, value] : *jwk.if_object())
    if (std::ranges::find(kHashed, name) == std::end(kHashed))
      return Error{ReasonCode::kTeeKeyNotAccepted, "the key has a member that is not hashed", Quoted(name)};
  return Done{};
}

Result<crypto::EcPublicKey> ParseTeeKey(const Json& jwk) {
  if (!jwk.is_object()) return Error{ReasonCode::kTeeKeyNotAccepted, "tee-pubkey is not a JWK"};
  TRY(OnlyHashedMembers(jwk));
  if (jwk.TextAt({"alg"}) != "ECDH-ES+A256KW")
    return Error{ReasonCode::kTeeKeyNotAccepted, "alg of tee-pubkey is not ECDH-ES+A256KW"};
  auto key = TRY(crypto::EcPublicKey::FromJwk(jwk));
  if (key.curve() != crypto::Curve::kP256 && key.curve() != crypto::Curve::kP521)
    return Error{ReasonCode::kTeeKeyNotAccepted, "crv of tee-pubkey is neither P-256 nor P-521"};
  return key;
}

/// A version as the clients' phrase shows it: without quotes, and so without whatever could end the sentence.
std::string PlainVersion(std::string version) {
  std::erase_if(version,
                [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '+'; });
  return version;
}

/// A vTPM's quote carries the digest as it is; SNP and TDX have report data of one size, so zeros behind it.
ByteBuffer ReportDataFor(std::string_view tee, const snp::ReportData& padded) {
  const bool by_vtpm = tee == policy::kAzSnp || tee == policy::kAzTdx;
  return ToBuffer(by_vtpm ? padded.bytes().first(crypto::Sha384Digest::kSize) : padded.bytes());
}

}  // namespace

bool IsReleaseId(std::string_view text) {
  return text.size() == 32 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<AuthRequest> ParseAuthRequest(std::string_view body) {
  const Json value = TRY(codec::ParseJson(body, {.max_bytes = 16 * 1024, .max_depth = 8}));
  ObjectReader in = TRY(ObjectReader::Open(value));
  const std::string version = TRY(in.Text("version", 32));
  // The phrase that clients' tests match (kbs-protocol.md 1.1).
  if (version != kProtocolVersion)
    return Error{ReasonCode::kProtocolVersionUnsupported,
                 "KBS Client Protocol Version Mismatch: expect =0.4.0",
                 "while the request is " + PlainVersion(version)};
  AuthRequest request;
  const std::string tee = TRY(in.Text("tee", 32));
  const auto known = policy::TeeNamed(tee);
  if (!known) return Error{ReasonCode::kTeeMismatch, "this TEE is not verified here", Quoted(tee)};
  request.tee = *known;
  const Json* extra = TRY(in.Any("extra-params"));
  if (const Json* id = extra->Find("portcullis-release"); id != nullptr) {
    const std::string* text = id->if_string();
    if (text == nullptr || !IsReleaseId(*text))
      return Error{ReasonCode::kRequestMalformed, "a release id is 32 hex digits",
                   "extra-params.portcullis-release"};
    request.release_id = *text;
  }
  return request;  // unknown members are ignored, as clients of the protocol expect
}

snp::ReportData ExpectedReportData(std::string_view nonce_text, const Json& tee_pubkey,
                                   std::string_view additional_evidence) {
  const std::string runtime_data = codec::ToCanonicalText(Json::Object(
      {{"additional-evidence", additional_evidence}, {"nonce", nonce_text}, {"tee-pubkey", tee_pubkey}}));
  const auto digest = crypto::Sha384(AsBytes(runtime_data));
  std::array<std::byte, snp::ReportData::kSize> padded{};
  std::ranges::copy(digest.array(), padded.begin());
  return snp::ReportData(padded);
}

Result<AttestationRequest> ParseAttestationRequest(std::string_view body, std::string_view tee) {
  // Evidence with certificates as lists of numbers has some ten thousand values; each costs far more memory
  // than bytes of the body.
  constexpr codec::JsonLimits kLimits{.max_bytes = 2u << 20, .max_depth = 32, .max_values = 1u << 16};
  const Json value = TRY(codec::ParseJson(body, kLimits));
  ObjectReader in = TRY(ObjectReader::Open(value));

  std::string init_data_text;
  if (const Json* init_data = in.Optional("init-data"); init_data != nullptr) {
    ObjectReader fields = TRY_AT("init-data", ObjectReader::Open(*init_data));
    if (TRY_AT("init-data", fields.Text("format", 16)) != "toml")
      return Error{ReasonCode::kRequestMalformed, "format is not toml", "init-data"};
    init_data_text = TRY_AT("init-data", fields.Text("body", codec::kMaxInitDataBytes));
  }

  ObjectReader runtime = TRY_AT("runtime-data", ObjectReader::Open(*TRY(in.Object("runtime-data"))));
  const std::string nonce_text = TRY_AT("runtime-data", runtime.Text("nonce", 64));
  const Json* jwk = TRY_AT("runtime-data", runtime.Any("tee-pubkey"));
  auto tee_key = TRY_AT("runtime-data.tee-pubkey", ParseTeeKey(*jwk));

  ObjectReader evidence = TRY_AT("tee-evidence", ObjectReader::Open(*TRY(in.Object("tee-evidence"))));
  const Json* primary = TRY_AT("tee-evidence", evidence.Any("primary_evidence"));
  const auto additional = TRY_AT("tee-evidence", evidence.OptionalText("additional_evidence", 1u << 20));
  if (additional && !additional->empty())
    return Error{ReasonCode::kEvidenceMalformed,
                 "additional evidence is not verified here, so it can't be accepted",
                 "tee-evidence.additional_evidence"};

  auto nonce = TRY_AT("runtime-data.nonce", codec::DecodeBase64(nonce_text));
  auto parsed_evidence = TRY_AT("tee-evidence.primary_evidence", policy::ParseEvidence(tee, *primary));
  std::string evidence_text = codec::ToCanonicalText(*primary);
  const auto evidence_digest = crypto::Sha256(AsBytes(evidence_text));
  return AttestationRequest{
      .nonce = std::move(nonce),
      .tee_key = std::move(tee_key),
      .init_data_text = std::move(init_data_text),
      .evidence = std::move(parsed_evidence),
      .evidence_text = std::move(evidence_text),
      .report_data = ReportDataFor(tee, ExpectedReportData(nonce_text, *jwk, "")),
      .evidence_digest = evidence_digest,
  };
}

Result<ReleaseClaim> ParseReleaseClaim(const codec::InitData& init_data) {
  const auto entry = init_data.data.find("portcullis.json");
  if (entry == init_data.data.end())
    return Error{ReasonCode::kInitDataMismatch,
                 "init-data has no entry portcullis.json: the pod was not admitted"};
  const auto value = codec::ParseJson(entry->second, {.max_bytes = 64 * 1024, .max_depth = 8});
  if (!value) return Error{ReasonCode::kInitDataMismatch, "not JSON", "portcullis.json"};
  ObjectReader in = TRY_AT("portcullis.json", ObjectReader::Open(*value, ReasonCode::kInitDataMismatch));
  ReleaseClaim claim;
  claim.release_id = TRY_AT("portcullis.json", in.Text("releaseId", 64));
  claim.namespace_name = TRY_AT("portcullis.json", in.Text("namespace", 253));
  claim.service_account = TRY_AT("portcullis.json", in.Text("serviceAccount", 253));
  claim.policy = TRY_AT("portcullis.json", in.Text("policy", 253));
  claim.key = TRY_AT("portcullis.json", in.Text("key", 253));
  claim.resource = TRY_AT("portcullis.json", in.Text("resource", 800));
  if (!IsReleaseId(claim.release_id))
    return Error{ReasonCode::kInitDataMismatch, "a release id is 32 hex digits", "portcullis.json.releaseId"};
  return claim;
}

}  // namespace portcullis::release
