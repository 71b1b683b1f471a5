#pragma once

#include <string>

#include "codec/init_data.h"
#include "codec/json.h"
#include "codec/text.h"
#include "crypto/jose.h"
#include "keystore/keystore.h"
#include "policy/policy.h"
#include "release/attestation_request.h"
#include "tests/release/lab_evidence.h"
#include "tests/release/tee_rules.h"

namespace portcullis::test {

inline constexpr const char* kNamespace = "team-a";
inline constexpr const char* kServiceAccount = "inference";
inline constexpr const char* kPolicyName = "llama";
inline constexpr const char* kKeyName = "llama-70b";
inline constexpr const char* kResource = "team-a/model-key/llama-70b";

/// A release id that reads as the number it is.
inline std::string IdOf(int number) {
  std::string digits = std::to_string(number);
  return std::string(32 - digits.size(), '0') + digits;
}

/// What the owner of a model key has on the desk: authority and key, and the documents made with them.
class KeyOwner {
 public:
  explicit KeyOwner(std::string key = "the model key, 32 bytes of text!") : key_(std::move(key)) {}

  const std::string& key() const { return key_; }
  const crypto::EcPrivateKey& authority() const { return authority_; }

  /// ModelKey.spec with versions 1 to `versions`: key() is the first, and begins the others.
  codec::Json KeySpec(const crypto::EcPublicKey& broker, std::int64_t versions = 1,
                      const std::string& name = kKeyName) const {
    crypto::SystemRandom random;
    const std::string resource = "team-a/model-key/" + name;
    codec::JsonArray items;
    for (std::int64_t version = 1; version <= versions; ++version) {
      const std::string text = version == 1 ? key_ : key_ + " in version " + std::to_string(version);
      const auto wrapped = keystore::WrapModelKey(SecretBytes::CopyOf(AsBytes(text)), broker,
                                                  {kNamespace, name, resource, version}, authority_, random);
      items.push_back(codec::Json::Object(
          {{"version", version}, {"wrapped", wrapped.wrapped}, {"signature", wrapped.signature}}));
    }
    return codec::Json::Object({{"authority", authority_.public_key().ToJwk()},
                                {"resource", resource},
                                {"versions", std::move(items)}});
  }

  /// The body of PUT /v1/policies for a document, signed.
  codec::Json Signed(const codec::Json& document) const {
    return codec::Json::Object(
        {{"policy", document},
         {"signatures", codec::Json::Array({policy::SignPolicy(document, authority_)})}});
  }

 private:
  std::string key_;
  crypto::EcPrivateKey authority_ = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
};

/// What a test wants of a policy; the rest is the lab's healthy Milan, or its healthy machine of another TEE,
/// and nothing else.
struct PolicyWish {
  std::int64_t revision = 1;
  std::int64_t challenge_seconds = 60;
  std::int64_t lease_seconds = 3600;
  std::int64_t max_releases = 10;
  std::string delivery = "Secret";
  std::string name = kPolicyName;
  std::string keys = kKeyName;
  std::vector<snp::Measurement> measurements = {lab::LaunchState::Milan().measurement};
};

inline codec::Json PolicyDocument(const PolicyWish& wish = {}) {
  std::string measurements;
  for (const snp::Measurement& one : wish.measurements)
    measurements += (measurements.empty() ? "\"" : ", \"") + codec::EncodeHex(one.bytes()) + "\"";
  const auto document = codec::ParseYaml(
      "format: portcullis.dev/policy.v1\nnamespace: team-a\nname: " + wish.name +
      "\nrevision: " + std::to_string(wish.revision) + "\nassetClass: ModelWeights\nkeys: [" + wish.keys +
      "]\nsubjects:\n  - {namespace: team-a, serviceAccount: inference, initData: {}}\n"
      "tees:\n  snp:\n    minReportVersion: 3\n    keyKinds: [VCEK]\n    vmpls: [0]\n"
      "    guestPolicy: {mustSet: [], mustClear: [MigrateMa, CxlAllowed], minAbi: \"0.0\"}\n"
      "    platform: {mustSet: [AliasCheckComplete], mustClear: []}\n"
      "    provisionalFirmware: Deny\n    migrationAgents: []\n"
      "    products:\n      - product: Milan\n        family: 25\n        model: 1\n        stepping: 1\n"
      "        tcbFloor: {bootloader: 4, tee: 0, snp: 24, microcode: 219}\n"
      "        firmwareFloor: \"1.55.29\"\n        mitigations: {launch: \"0x0\", current: \"0x0\"}\n"
      "    chips: {mode: AnyGenuine, allow: [], deny: []}\n    revocation: {maxCrlAgeDays: 366}\n    "
      "maskedChipId: Deny\n    csps: []\n"
      "    measurements: [" +
      measurements +
      "]\n    minGuestSvn: 0\n    familyId: {mode: Any, digests: []}\n    imageId: {mode: Any, digests: []}\n"
      "    idKey: {mode: Absent, digests: []}\n    authorKey: {mode: Absent, digests: []}\n"
      "freshness: {challengeSeconds: " +
      std::to_string(wish.challenge_seconds) + "}\nlease: {seconds: " + std::to_string(wish.lease_seconds) +
      "}\nmaxReleases: " + std::to_string(wish.max_releases) + "\ndelivery: " + wish.delivery + "\n");
  if (!document) return {};  // a defect here is refused by the broker, and so seen
  codec::Json out = *document;
  codec::Json& tees = *out.Find("tees");
  const codec::Json snp = *tees.Find("snp");
  tees.Set("tdx", TdxRules())
      .Set("az-snp-vtpm", codec::Json::Object({{"snp", snp}, {"vtpm", VtpmRules()}}))
      .Set("az-tdx-vtpm", codec::Json::Object({{"tdx", AzureTdxRules()}, {"vtpm", VtpmRules()}}));
  return out;
}

/// What the webhook would have written for a pod.
inline codec::InitData InitDataFor(const std::string& release_id, const std::string& key = kKeyName) {
  return codec::MakeInitData(
      {{"portcullis.json",
        codec::ToText(codec::Json::Object({{"version", 1},
                                           {"releaseId", release_id},
                                           {"namespace", kNamespace},
                                           {"serviceAccount", kServiceAccount},
                                           {"policy", kPolicyName},
                                           {"key", key},
                                           {"resource", kResource},
                                           {"kbs", codec::Json::Object({{"url", "https://kbs"}})}}))}});
}

/// The body of PUT /v1/releases/{id} for a pod with this init-data.
inline codec::Json RegistrationFor(const std::string& release_id, const codec::InitData& init_data) {
  return codec::Json::Object(
      {{"cluster", "lab"},
       {"namespace", kNamespace},
       {"pod", "pod-" + release_id},
       {"podUid", "uid-" + release_id},
       {"serviceAccount", kServiceAccount},
       {"policy", kPolicyName},
       {"key", kKeyName},
       {"initDataDigest", crypto::DigestText(crypto::Sha256(AsBytes(init_data.text)))}});
}

/// A guest in the lab's TEE: its launch, its key, its init-data, and the requests that it sends.
struct LabGuest {
  std::string release_id;
  codec::InitData init_data;
  LabMachine machine;
  std::shared_ptr<const crypto::EcPrivateKey> key;

  explicit LabGuest(std::string id, crypto::Curve curve = crypto::Curve::kP256)
      : release_id(std::move(id)),
        init_data(InitDataFor(release_id)),
        key(std::make_shared<const crypto::EcPrivateKey>(crypto::EcPrivateKey::Generate(curve))) {}

  std::string AuthBody() const {
    return codec::ToText(
        codec::Json::Object({{"version", "0.4.0"},
                             {"tee", machine.tee},
                             {"extra-params", codec::Json::Object({{"portcullis-release", release_id}})}}));
  }

  codec::Json TeeKey() const {
    codec::Json jwk = key->public_key().ToJwk();
    jwk.Set("alg", "ECDH-ES+A256KW");
    return jwk;
  }

  /// The attestation over a nonce, as JSON that a test can spoil. `jwk` null: the guest's own.
  codec::Json Attestation(const std::string& nonce, codec::Json jwk = nullptr) const {
    if (jwk.is_null()) jwk = TeeKey();
    const codec::Json primary = PrimaryEvidence(machine, crypto::Sha256(AsBytes(init_data.text)),
                                                release::ExpectedReportData(nonce, jwk, ""));
    return codec::Json::Object(
        {{"init-data", codec::Json::Object({{"format", "toml"}, {"body", init_data.text}})},
         {"runtime-data", codec::Json::Object({{"nonce", nonce}, {"tee-pubkey", jwk}})},
         {"tee-evidence",
          codec::Json::Object({{"primary_evidence", primary}, {"additional_evidence", ""}})}});
  }

  /// What the sealed key opens to with this guest's key; "" where it does not open.
  std::string Open(const codec::Json& jwe) const {
    const auto sealed = crypto::Jwe::FromJson(jwe);
    if (!sealed) return "";
    const auto plaintext = crypto::DecryptJwe(*key, *sealed);
    return plaintext ? plaintext->Expose([](Bytes bytes) { return ToText(bytes); }) : "";
  }
};

}  // namespace portcullis::test
