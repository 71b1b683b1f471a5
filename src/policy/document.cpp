#include <algorithm>

#include "policy/azure_rules.h"
#include "policy/fields.h"
#include "policy/policy.h"
#include "policy/snp_rules.h"
#include "policy/tdx_rules.h"

namespace portcullis::policy {
namespace {

using codec::ObjectReader;

constexpr std::size_t kMaxKeys = 256;
constexpr std::size_t kMaxSubjects = 256;
constexpr std::size_t kMaxInitDataEntries = 64;
constexpr std::size_t kMaxDigestsPerEntry = 64;
constexpr std::int64_t kMaxRevision = (std::int64_t{1} << 53) - 1;  // exact in every JSON reader
constexpr std::int64_t kMaxLeaseSeconds = 30 * 24 * 60 * 60;

constexpr Choice<std::string_view> kAssetClasses[] = {{"ModelWeights", "ModelWeights"},
                                                      {"Adapter", "Adapter"},
                                                      {"Dataset", "Dataset"},
                                                      {"Credential", "Credential"}};
constexpr Choice<Delivery> kDeliveries[] = {{"Secret", Delivery::kSecret}, {"Direct", Delivery::kDirect}};

Result<std::vector<std::string>> ReadKeys(ObjectReader& in) {
  std::vector<std::string> keys = TRY(in.Texts("keys", kMaxKeys));
  if (keys.empty()) return Incomplete("must name at least one ModelKey", "keys");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!IsObjectName(keys[i]))
      return Incomplete("must name ModelKeys of the policy's namespace", "keys", keys[i]);
    if (std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), keys[i]) !=
        keys.begin() + static_cast<std::ptrdiff_t>(i))
      return Incomplete("names a ModelKey twice", "keys", keys[i]);
  }
  return keys;
}

Result<std::map<std::string, std::set<crypto::Sha256Digest>>> ReadInitDataPins(ObjectReader& in) {
  const codec::Json* const entries = TRY(in.Object("initData"));
  const codec::JsonObject& members = *entries->if_object();
  if (members.size() > kMaxInitDataEntries) return Incomplete("has more than 64 entries", "initData");
  ObjectReader reader = TRY_AT("initData", ObjectReader::Open(*entries, ReasonCode::kPolicyIncomplete));
  std::map<std::string, std::set<crypto::Sha256Digest>> pins;
  for (const auto& [entry, digests] : members) {
    if (entry.empty() || entry.size() > 255)
      return Incomplete("must name entries of 1 to 255 characters", "initData", entry);
    if (entry == kReleaseEntry)
      return Incomplete("can't be pinned: the webhook writes it anew for each pod, and the broker checks it",
                        "initData", entry);
    auto allowed =
        TRY_AT("initData", HexSet<crypto::Sha256Digest>(reader, entry, kMaxDigestsPerEntry,
                                                        "must list SHA-256 digests of 64 hex digits"));
    if (allowed.empty())
      return Incomplete("must list at least one SHA-256 digest for each entry", "initData", entry);
    pins.emplace(entry, std::move(allowed));
  }
  return pins;
}

Result<SubjectRule> ReadSubject(ObjectReader& in) {
  SubjectRule rule;
  rule.namespace_name = TRY(NamespaceField(in, "namespace"));
  rule.service_account = TRY(NameField(in, "serviceAccount"));
  rule.init_data = TRY(ReadInitDataPins(in));
  return rule;
}

Result<> RefuseSubjectTwice(const std::vector<SubjectRule>& subjects) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    if (!seen.emplace(subjects[i].namespace_name, subjects[i].service_account).second)
      return Incomplete("has namespace and service account of an earlier item; join their initData",
                        "subjects[" + std::to_string(i) + "]");
  return Done{};
}

Result<std::chrono::seconds> ReadSeconds(ObjectReader& in, std::string_view place, std::string_view name,
                                         std::int64_t min, std::int64_t max) {
  return ReadObject(in, place, [&](ObjectReader& inner) -> Result<std::chrono::seconds> {
    return std::chrono::seconds(TRY(inner.Integer(name, min, max)));
  });
}

/// Which TEEs are served is the one choice of members that a policy has: those that it does not name are not
/// allowed.
Result<> ReadTees(ObjectReader& in, Policy& out) {
  const codec::Json* const tees = TRY(in.Object("tees"));
  if (tees->if_object()->empty())
    return Incomplete("must have rules for at least one TEE; none allows nothing", "tees");
  ObjectReader reader = TRY_AT("tees", ObjectReader::Open(*tees, ReasonCode::kPolicyIncomplete));
  for (const auto& [name, unused] : *tees->if_object()) {
    if (name == kSnp)
      out.snp = TRY_AT("tees", ReadObject(reader, kSnp, ReadSnpRules));
    else if (name == kTdx)
      out.tdx = TRY_AT("tees", ReadObject(reader, kTdx, ReadTdxRules));
    else if (name == kAzSnp)
      out.az_snp = TRY_AT("tees", ReadObject(reader, kAzSnp, ReadAzureSnpRules));
    else if (name == kAzTdx)
      out.az_tdx = TRY_AT("tees", ReadObject(reader, kAzTdx, ReadAzureTdxRules));
    else
      return Incomplete("must name snp, tdx, az-snp-vtpm or az-tdx-vtpm", "tees", name);
  }
  return Done{};
}

}  // namespace

Result<Policy> ParsePolicy(const codec::Json& document) {
  const std::string canonical = codec::ToCanonicalText(document);
  if (canonical.size() > kMaxPolicyBytes)
    return Error{ReasonCode::kRequestMalformed, "a policy has at most 256 KiB"};
  ObjectReader in = TRY(ObjectReader::Open(document, ReasonCode::kPolicyIncomplete));

  Policy out{};
  const std::string format = TRY(in.Text("format"));
  if (format != kPolicyFormat) return Incomplete("must be portcullis.dev/policy.v1", "format", format);
  out.namespace_name = TRY(NamespaceField(in, "namespace"));
  out.name = TRY(NameField(in, "name"));
  out.revision = TRY(in.Integer("revision", 1, kMaxRevision));
  out.asset_class =
      TRY(OneOf(in, "assetClass", kAssetClasses, "must be ModelWeights, Adapter, Dataset or Credential"));
  out.keys = TRY(ReadKeys(in));
  out.subjects = TRY(ReadObjects<SubjectRule>(in, "subjects", kMaxSubjects, ReadSubject));
  TRY(RefuseSubjectTwice(out.subjects));
  TRY(ReadTees(in, out));
  out.challenge_lifetime = TRY(ReadSeconds(in, "freshness", "challengeSeconds", 10, 300));
  out.lease = TRY(ReadSeconds(in, "lease", "seconds", 60, kMaxLeaseSeconds));
  out.max_releases = TRY(in.Integer("maxReleases", 1, 1000));
  out.delivery = TRY(OneOf(in, "delivery", kDeliveries, "must be Secret or Direct"));
  TRY(in.Finish());
  out.digest = crypto::Sha256(AsBytes(canonical));
  return out;
}

}  // namespace portcullis::policy
