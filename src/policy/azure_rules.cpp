#include "policy/azure_rules.h"

#include "policy/fields.h"
#include "policy/snp_rules.h"
#include "policy/tdx_rules.h"

namespace portcullis::policy {
namespace {

using codec::ObjectReader;

constexpr unsigned kPcrCount = 24;
constexpr unsigned kInitDataPcr = 8;

/// "0" to "23", in one way each: "08" would be a second name of one register.
std::optional<unsigned> PcrOf(std::string_view name) {
  for (unsigned pcr = 0; pcr < kPcrCount; ++pcr)
    if (name == std::to_string(pcr)) return pcr;
  return std::nullopt;
}

Result<std::map<unsigned, std::set<crypto::Sha256Digest>>> ReadPcrs(ObjectReader& in) {
  const codec::Json* const registers = TRY(in.Object("pcrs"));
  ObjectReader reader = TRY_AT("pcrs", ObjectReader::Open(*registers, ReasonCode::kPolicyIncomplete));
  std::map<unsigned, std::set<crypto::Sha256Digest>> out;
  for (const auto& [name, digests] : *registers->if_object()) {
    const auto pcr = PcrOf(name);
    if (!pcr) return Incomplete("must name registers \"0\" to \"23\"", "pcrs", name);
    if (*pcr == kInitDataPcr)
      return Incomplete("can't list PCR 8: it is held to the guest's init-data, whatever a policy says",
                        "pcrs", name);
    auto allowed = TRY_AT("pcrs", HexSet<crypto::Sha256Digest>(reader, name, kMaxDigests,
                                                               "must list SHA-256 values of 64 hex digits"));
    if (allowed.empty()) return Incomplete("must list at least one value for each register", "pcrs", name);
    out.emplace(*pcr, std::move(allowed));
  }
  if (out.empty())
    return Incomplete(
        "must list a register: the report under the vTPM names Microsoft's paravisor, not the guest", "pcrs");
  return out;
}

Result<azure::VtpmReferenceValues> ReadVtpm(ObjectReader& in) {
  constexpr Choice<bool> kSecureBoot[] = {{"Required", true}, {"NotRequired", false}};
  auto pcrs = TRY(ReadPcrs(in));
  const bool secure_boot = TRY(OneOf(in, "secureBoot", kSecureBoot, "must be Required or NotRequired"));
  return azure::VtpmReferenceValues{std::move(pcrs), secure_boot};
}

}  // namespace

Result<azure::SnpReferenceValues> ReadAzureSnpRules(ObjectReader& in) {
  auto snp = TRY(ReadObject(in, "snp", ReadSnpRules));
  auto vtpm = TRY(ReadObject(in, "vtpm", ReadVtpm));
  return azure::SnpReferenceValues{std::move(snp), std::move(vtpm)};
}

Result<azure::TdxReferenceValues> ReadAzureTdxRules(ObjectReader& in) {
  auto tdx = TRY(ReadObject(in, "tdx", ReadTdRules));
  if (!tdx.events.empty())
    return Incomplete("must be empty: what an Azure guest booted is in the vTPM's PCRs, not in RTMRs",
                      "tdx.events");
  auto vtpm = TRY(ReadObject(in, "vtpm", ReadVtpm));
  return azure::TdxReferenceValues{std::move(tdx), std::move(vtpm)};
}

}  // namespace portcullis::policy
