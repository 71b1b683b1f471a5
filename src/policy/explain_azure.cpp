#include "policy/explain_tees.h"
#include "policy/explain_words.h"

namespace portcullis::policy {

std::string VtpmText(const azure::VtpmReferenceValues& rules) {
  std::string out = "  - These SHA-256 PCRs:\n";
  for (const auto& [pcr, values] : rules.pcrs)
    out += "      PCR " + Number(pcr) + ": " + HexList(values) + ".\n";
  out += "      PCR 8: the guest's init-data.\n";
  return out + (rules.secure_boot_required ? "  - Secure Boot on.\n" : "  - Secure Boot: not looked at.\n");
}

}  // namespace portcullis::policy
