#include "policy/snp_rules.h"

#include "evidence/snp/report.h"
#include "policy/bit_rule.h"
#include "policy/fields.h"
#include "policy/snp_bits.h"

namespace portcullis::policy {
namespace {

using codec::ObjectReader;

constexpr Choice<bool> kDenyOrAllow[] = {{"Deny", false}, {"Allow", true}};
constexpr Choice<snp::KeyKind> kKeyKinds[] = {{"VCEK", snp::KeyKind::kVcek}, {"VLEK", snp::KeyKind::kVlek}};
constexpr Choice<snp::Product> kProducts[] = {
    {"Milan", snp::Product::kMilan}, {"Genoa", snp::Product::kGenoa}, {"Turin", snp::Product::kTurin}};
constexpr Choice<bool> kChipModes[] = {{"AllowList", false}, {"AnyGenuine", true}};

Result<std::set<snp::KeyKind>> ReadKeyKinds(ObjectReader& in) {
  std::set<snp::KeyKind> out;
  for (const std::string& text : TRY(in.Texts("keyKinds", 2))) {
    const auto* const found = std::ranges::find(kKeyKinds, text, &Choice<snp::KeyKind>::first);
    if (found == std::end(kKeyKinds)) return Incomplete("must list VCEK or VLEK", "keyKinds", text);
    out.insert(found->second);
  }
  if (out.empty())
    return Incomplete("must list VCEK, VLEK or both; an empty list allows nothing", "keyKinds");
  return out;
}

Result<std::set<std::uint32_t>> ReadVmpls(ObjectReader& in) {
  std::set<std::uint32_t> out;
  for (const codec::Json& item : *TRY(in.Array("vmpls", 4))) {
    const auto level = item.if_uint64();
    if (!level || *level > 3) return Incomplete("must list numbers of 0 to 3", "vmpls");
    out.insert(static_cast<std::uint32_t>(*level));
  }
  if (out.empty())
    return Incomplete("must list at least one level; guests without an SVSM report at 0", "vmpls");
  return out;
}

Result<> ReadGuestPolicy(ObjectReader& in, snp::ReferenceValues& out) {
  const BitRule bits = TRY(ReadBitRule(in, kGuestPolicyBits));
  if ((bits.must_set & kDebug) != 0)
    return Incomplete("can't ask for debugging: a guest that the host can read is never released to",
                      "mustSet", "Debug");
  out.guest_policy_must_set = bits.must_set;
  out.guest_policy_must_clear = bits.must_clear;
  const auto abi = TRY((DottedField<2>(in, "minAbi", "must be a quoted ABI version, such as \"1.55\"")));
  out.min_abi_major = abi[0];
  out.min_abi_minor = abi[1];
  return Done{};
}

Result<> ReadPlatform(ObjectReader& in, snp::ReferenceValues& out) {
  const BitRule bits = TRY(ReadBitRule(in, kPlatformBits));
  out.platform_must_set = bits.must_set;
  out.platform_must_clear = bits.must_clear;
  return Done{};
}

Result<snp::Tcb> ReadTcb(ObjectReader& in, snp::Product product) {
  snp::Tcb tcb;
  // Only Turin has an FMC; elsewhere the member is one that nobody asked for, and so refused.
  if (product == snp::Product::kTurin) tcb.fmc = TRY(ByteField(in, "fmc"));
  tcb.bootloader = TRY(ByteField(in, "bootloader"));
  tcb.tee = TRY(ByteField(in, "tee"));
  tcb.snp = TRY(ByteField(in, "snp"));
  tcb.microcode = TRY(ByteField(in, "microcode"));
  return tcb;
}

Result<> ReadMitigations(ObjectReader& in, snp::AllowedProduct& out) {
  out.launch_mitigations = TRY(MaskField(in, "launch"));
  out.current_mitigations = TRY(MaskField(in, "current"));
  return Done{};
}

Result<snp::AllowedProduct> ReadProduct(ObjectReader& in) {
  const snp::Product product = TRY(OneOf(in, "product", kProducts, "must be Milan, Genoa or Turin"));
  snp::AllowedProduct out{};
  out.family = TRY(ByteField(in, "family"));
  out.model = TRY(ByteField(in, "model"));
  out.stepping = TRY(ByteField(in, "stepping"));
  const auto named = snp::ProductOf({out.family, out.model, out.stepping});
  if (!named || *named != product)
    return Incomplete(
        "is not a model of this product; see the table of CPUID values in docs/reference/policy.md", "model",
        std::to_string(out.model));
  out.tcb_floor = TRY(ReadObject(in, "tcbFloor", [&](ObjectReader& tcb) { return ReadTcb(tcb, product); }));
  const auto firmware =
      TRY((DottedField<3>(in, "firmwareFloor", "must be major.minor.build, such as \"1.55.29\"")));
  out.firmware_major = firmware[0];
  out.firmware_minor = firmware[1];
  out.firmware_build = firmware[2];
  TRY(ReadObject(in, "mitigations", [&](ObjectReader& inner) { return ReadMitigations(inner, out); }));
  return out;
}

Result<> RefuseProductTwice(const std::vector<snp::AllowedProduct>& products) {
  std::set<std::tuple<int, int, int>> seen;
  for (std::size_t i = 0; i < products.size(); ++i)
    if (!seen.emplace(products[i].family, products[i].model, products[i].stepping).second)
      return Incomplete("has family, model and stepping of an earlier item, so its floor is not certain",
                        "products[" + std::to_string(i) + "]");
  return Done{};
}

Result<> ReadChips(ObjectReader& in, snp::ReferenceValues& out) {
  constexpr StaticText kMust("must list chip ids of 128 hex digits");
  out.any_genuine_chip = TRY(OneOf(in, "mode", kChipModes, "must be AllowList or AnyGenuine"));
  out.allowed_chips = TRY(HexSet<snp::ChipId>(in, "allow", kMaxChips, kMust));
  out.denied_chips = TRY(HexSet<snp::ChipId>(in, "deny", kMaxChips, kMust));
  if (out.any_genuine_chip && !out.allowed_chips.empty())
    return Incomplete("must be empty with mode AnyGenuine, under which it would say nothing", "allow");
  for (const snp::ChipId& chip : out.denied_chips)
    if (out.allowed_chips.contains(chip))
      return Incomplete("has a chip of deny too", "allow", codec::EncodeHex(chip.bytes()));
  return Done{};
}

template <typename T>
Result<snp::DigestRule<T>> ReadDigestRule(ObjectReader& in, StaticText must) {
  using Mode = typename snp::DigestRule<T>::Mode;
  constexpr Choice<Mode> kModes[] = {
      {"Any", Mode::kAny}, {"Absent", Mode::kAbsent}, {"Listed", Mode::kListed}};
  const Mode mode = TRY(OneOf(in, "mode", kModes, "must be Any, Absent or Listed"));
  auto digests = TRY(HexSet<T>(in, "digests", kMaxDigests, must));
  snp::DigestRule<T> rule{mode, std::move(digests)};
  if ((rule.mode == Mode::kListed) == rule.listed.empty())
    return Incomplete("must have values with mode Listed, and none with the other modes", "digests");
  return rule;
}

Result<std::chrono::seconds> ReadRevocation(ObjectReader& in) {
  const auto days = TRY(in.Integer("maxCrlAgeDays", 1, 366));
  return std::chrono::seconds(std::chrono::hours(24 * days));
}

Result<> RefuseContradictions(const snp::ReferenceValues& rules) {
  const bool vlek = rules.key_kinds.contains(snp::KeyKind::kVlek);
  const bool vcek = rules.key_kinds.contains(snp::KeyKind::kVcek);
  if (vlek && rules.csps.empty())
    return Incomplete("must list the providers whose VLEK is accepted, as keyKinds has VLEK", "csps");
  if (!vlek && !rules.csps.empty()) return Incomplete("must be empty, as keyKinds has no VLEK", "csps");
  if (vcek && !rules.any_genuine_chip && rules.allowed_chips.empty())
    return Incomplete("must list chips: keyKinds has VCEK, and mode AllowList without any allows nothing",
                      "chips.allow");
  if ((rules.guest_policy_must_clear & kMigrateMa) != 0 && !rules.migration_agents.empty())
    return Incomplete("must be empty, as guestPolicy.mustClear has MigrateMa", "migrationAgents");
  return Done{};
}

}  // namespace

Result<snp::ReferenceValues> ReadSnpRules(ObjectReader& in) {
  snp::ReferenceValues out{};
  out.min_version = static_cast<std::uint32_t>(TRY(in.Integer("minReportVersion", 3, 5)));
  out.key_kinds = TRY(ReadKeyKinds(in));
  out.vmpls = TRY(ReadVmpls(in));
  TRY(ReadObject(in, "guestPolicy", [&](ObjectReader& inner) { return ReadGuestPolicy(inner, out); }));
  TRY(ReadObject(in, "platform", [&](ObjectReader& inner) { return ReadPlatform(inner, out); }));
  out.provisional_firmware_allowed =
      TRY(OneOf(in, "provisionalFirmware", kDenyOrAllow, "must be Deny or Allow"));
  out.migration_agents =
      TRY(HexSet<snp::ReportId>(in, "migrationAgents", kMaxDigests, "must list report ids of 64 hex digits"));
  out.products = TRY(ReadObjects<snp::AllowedProduct>(in, "products", kMaxProducts, ReadProduct));
  TRY(RefuseProductTwice(out.products));
  TRY(ReadObject(in, "chips", [&](ObjectReader& inner) { return ReadChips(inner, out); }));
  out.masked_chip_id_allowed = TRY(OneOf(in, "maskedChipId", kDenyOrAllow, "must be Deny or Allow"));
  for (std::string& csp : TRY(in.Texts("csps", 64, 255))) out.csps.insert(std::move(csp));
  out.measurements = TRY(HexSet<snp::Measurement>(in, "measurements", kMaxMeasurements,
                                                  "must list launch digests of 96 hex digits"));
  if (out.measurements.empty())
    return Incomplete("must list at least one launch digest; an empty list allows nothing", "measurements");
  out.min_guest_svn = static_cast<std::uint32_t>(TRY(in.Integer("minGuestSvn", 0, UINT32_MAX)));
  out.family_id = TRY(ReadObject(in, "familyId", [](ObjectReader& inner) {
    return ReadDigestRule<snp::FamilyId>(inner, "must list ids of 32 hex digits");
  }));
  out.image_id = TRY(ReadObject(in, "imageId", [](ObjectReader& inner) {
    return ReadDigestRule<snp::ImageId>(inner, "must list ids of 32 hex digits");
  }));
  out.id_key = TRY(ReadObject(in, "idKey", [](ObjectReader& inner) {
    return ReadDigestRule<snp::KeyDigest>(inner, "must list key digests of 96 hex digits");
  }));
  out.author_key = TRY(ReadObject(in, "authorKey", [](ObjectReader& inner) {
    return ReadDigestRule<snp::KeyDigest>(inner, "must list key digests of 96 hex digits");
  }));
  out.max_crl_age = TRY(ReadObject(in, "revocation", ReadRevocation));
  TRY(RefuseContradictions(out));
  return out;
}

}  // namespace portcullis::policy
