#include "evidence/snp/report.h"
#include "policy/explain_tees.h"
#include "policy/explain_words.h"
#include "policy/snp_bits.h"

namespace portcullis::policy {
namespace {

std::string ProductText(const snp::AllowedProduct& allowed) {
  const auto product = snp::ProductOf({allowed.family, allowed.model, allowed.stepping});
  const snp::Tcb& tcb = allowed.tcb_floor;
  std::string out = "      ";
  if (product) out += std::string(snp::NameOf(*product)) + " (";
  out += "family " + Number(allowed.family) + ", model " + Number(allowed.model) + ", stepping " +
         Number(allowed.stepping) + (product ? ")" : "") + ": TCB at least";
  if (product && *product == snp::Product::kTurin) out += " FMC " + Number(tcb.fmc) + ",";
  out += " bootloader " + Number(tcb.bootloader) + ", TEE " + Number(tcb.tee) + ", SNP " + Number(tcb.snp) +
         ", microcode " + Number(tcb.microcode) + " (reported, committed and at launch); firmware at least " +
         Number(allowed.firmware_major) + "." + Number(allowed.firmware_minor) + "." +
         Number(allowed.firmware_build);
  if (allowed.launch_mitigations != 0)
    out += "; mitigations " + Mask(allowed.launch_mitigations) + " at launch";
  if (allowed.current_mitigations != 0) out += "; mitigations " + Mask(allowed.current_mitigations) + " now";
  return out + ".\n";
}

std::string ChipsText(const snp::ReferenceValues& rules) {
  std::string out = rules.any_genuine_chip
                        ? "Any genuine chip of these products: whoever owns one may run this guest."
                        : "Only these chips: " + Joined(rules.allowed_chips, [](const snp::ChipId& chip) {
                            return Hex(chip.bytes());
                          }) + ".";
  if (!rules.denied_chips.empty())
    out += " Never " + Joined(rules.denied_chips, [](const snp::ChipId& chip) { return Hex(chip.bytes()); }) +
           ".";
  out += rules.masked_chip_id_allowed ? " A report that hides its chip id is accepted."
                                      : " A report that hides its chip id is refused.";
  return out;
}

template <typename T>
std::string DigestText(std::string_view what, const snp::DigestRule<T>& rule) {
  using Mode = typename snp::DigestRule<T>::Mode;
  std::string out = "      " + std::string(what);
  switch (rule.mode) {
    case Mode::kAny:
      return out + ": not looked at.\n";
    case Mode::kAbsent:
      return out + ": must be absent.\n";
    case Mode::kListed:
      return out + ": " + Joined(rule.listed, [](const T& digest) { return Hex(digest.bytes()); }) + ".\n";
  }
  return out;
}

}  // namespace

std::string SnpText(const snp::ReferenceValues& rules) {
  std::string out;
  const auto line = [&out](const std::string& text) { out += "  - " + text + "\n"; };
  line("A report of version " + Number(rules.min_version) + " or later, signed by a " +
       Joined(rules.key_kinds,
              [](snp::KeyKind kind) { return std::string(kind == snp::KeyKind::kVcek ? "VCEK" : "VLEK"); }) +
       (rules.csps.empty()
            ? ""
            : " of " + Joined(rules.csps, [](const std::string& csp) { return Quoted(csp); })) +
       ", requested at VMPL " + Joined(rules.vmpls, [](std::uint32_t level) { return Number(level); }) + ".");
  line("Debugging off; guest policy with " + NamesOf(kGuestPolicyBits, rules.guest_policy_must_set) +
       " set, " + NamesOf(kGuestPolicyBits, rules.guest_policy_must_clear) + " clear, ABI at least " +
       Number(rules.min_abi_major) + "." + Number(rules.min_abi_minor) + ".");
  line("A platform with " + NamesOf(kPlatformBits, rules.platform_must_set) + " set and " +
       NamesOf(kPlatformBits, rules.platform_must_clear) + " clear.");
  line(std::string("Firmware that is not committed is ") +
       (rules.provisional_firmware_allowed ? "accepted." : "refused.") + " Migration agents: " +
       Joined(rules.migration_agents, [](const snp::ReportId& id) { return Hex(id.bytes()); }) + ".");
  line("One of these processors:");
  for (const snp::AllowedProduct& product : rules.products) out += ProductText(product);
  line(ChipsText(rules));
  line("AMD's revocation list, at most " +
       Number(static_cast<std::uint64_t>(rules.max_crl_age / std::chrono::hours(24))) +
       " days old, without the chain's certificates on it.");
  line("A launch measurement of:");
  for (const snp::Measurement& measurement : rules.measurements)
    out += "      " + Hex(measurement.bytes()) + "\n";
  line("An identity block with guest SVN of at least " + Number(rules.min_guest_svn) + ":");
  out += DigestText("family id", rules.family_id) + DigestText("image id", rules.image_id) +
         DigestText("ID key", rules.id_key) + DigestText("author key", rules.author_key);
  return out;
}

}  // namespace portcullis::policy
