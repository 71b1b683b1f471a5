#include "policy/explain_tees.h"
#include "policy/explain_words.h"
#include "policy/policy.h"

namespace portcullis::policy {
namespace {

std::string SubjectsText(const Policy& policy) {
  std::string out = "Released to:\n";
  for (const SubjectRule& rule : policy.subjects) {
    out += "  - service account " + rule.service_account + " in namespace " + rule.namespace_name;
    if (rule.init_data.empty())
      out += ", whose init-data has no entry but the webhook's portcullis.json.\n";
    else
      out += ", whose init-data has the webhook's portcullis.json and exactly:\n";
    for (const auto& [entry, digests] : rule.init_data)
      out += "      " + Quoted(entry) + " with SHA-256 " +
             Joined(digests, [](const auto& digest) { return Hex(digest.bytes()); }) + "\n";
  }
  return out;
}

}  // namespace

std::string Explain(const Policy& policy) {
  std::string out = "Policy " + policy.namespace_name + "/" + policy.name + ", revision " +
                    std::to_string(policy.revision) + ", protects " + policy.asset_class + ": keys " +
                    Joined(policy.keys, [](const std::string& key) { return key; }) + ".\nDigest " +
                    crypto::DigestText(policy.digest) + ".\n\n";
  out += SubjectsText(policy) + "\n";
  if (policy.snp) out += "AMD SEV-SNP evidence (snp) must show:\n" + SnpText(*policy.snp) + "\n";
  if (policy.tdx) out += "Intel TDX evidence (tdx) must show:\n" + TdxText(*policy.tdx) + "\n";
  if (policy.az_snp)
    out +=
        "Azure evidence over AMD SEV-SNP (az-snp-vtpm) must show of the hardware, whose measurement names "
        "Microsoft's paravisor:\n" +
        SnpText(policy.az_snp->snp) + "and of the vTPM, which measures the guest:\n" +
        VtpmText(policy.az_snp->vtpm) + "\n";
  if (policy.az_tdx)
    out +=
        "Azure evidence over Intel TDX (az-tdx-vtpm) must show of the hardware, whose measurement names "
        "Microsoft's paravisor:\n" +
        TdxText(policy.az_tdx->tdx) + "and of the vTPM, which measures the guest:\n" +
        VtpmText(policy.az_tdx->vtpm) + "\n";
  out += "A challenge lives " + std::to_string(policy.challenge_lifetime.count()) + " s, a release " +
         std::to_string(policy.lease.count()) + " s; each pod may ask " +
         std::to_string(policy.max_releases) + (policy.max_releases == 1 ? " time.\n" : " times.\n");
  out += policy.delivery == Delivery::kSecret
             ? "The sealed key (ciphertext only) is also put into a Kubernetes Secret, which starts the "
               "pod's main "
               "containers.\n"
             : "The sealed key goes to the guest alone: no Kubernetes Secret is written.\n";
  return out;
}

}  // namespace portcullis::policy
