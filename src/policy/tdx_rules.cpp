#include "policy/tdx_rules.h"

#include <algorithm>

#include "policy/bit_rule.h"
#include "policy/event_types.h"
#include "policy/fields.h"
#include "policy/snp_rules.h"
#include "policy/tcb_rules.h"
#include "policy/tdx_bits.h"

namespace portcullis::policy {
namespace {

using codec::ObjectReader;
using tdx::MeasurementRule;
using Mode = MeasurementRule::Mode;

constexpr StaticText kMustBeDigests("must list digests of 96 hex digits");

Result<MeasurementRule> WithDigests(ObjectReader& in, Mode mode) {
  auto digests = TRY(HexSet<tdx::Measurement>(in, "digests", kMaxDigests, kMustBeDigests));
  if ((mode == Mode::kListed) == digests.empty())
    return Incomplete("must have values with mode Listed, and none with the other modes", "digests");
  return MeasurementRule{mode, std::move(digests)};
}

Result<MeasurementRule> ReadMeasurementRule(ObjectReader& in) {
  constexpr Choice<Mode> kModes[] = {
      {"Any", Mode::kAny}, {"Absent", Mode::kAbsent}, {"Listed", Mode::kListed}};
  return WithDigests(in, TRY(OneOf(in, "mode", kModes, "must be Any, Absent or Listed")));
}

/// Every TD runs under a module, so that one is absent is nothing to demand.
Result<MeasurementRule> ReadModuleRule(ObjectReader& in) {
  constexpr Choice<Mode> kModes[] = {{"Any", Mode::kAny}, {"Listed", Mode::kListed}};
  return WithDigests(in, TRY(OneOf(in, "mode", kModes, "must be Any or Listed")));
}

Result<std::array<MeasurementRule, 4>> ReadRtmrs(ObjectReader& in) {
  constexpr std::string_view kNames[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
  std::array<MeasurementRule, 4> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = TRY(ReadObject(in, kNames[i], ReadMeasurementRule));
  return out;
}

Result<tdx::RequiredEvent> ReadEvent(ObjectReader& in) {
  tdx::RequiredEvent event;
  event.rtmr = static_cast<std::uint32_t>(TRY(in.Integer("rtmr", 0, 3)));
  const std::string type = TRY(in.Text("type"));
  const auto number = EventTypeNamed(type);
  if (!number)
    return Incomplete("must be the TCG name of an event that is measured, such as EV_IPL", "type", type);
  event.type = *number;
  event.digests = TRY(HexSet<tdx::Measurement>(in, "digests", kMaxDigests, kMustBeDigests));
  if (event.digests.empty())
    return Incomplete("must list at least one digest; an empty list allows nothing", "digests");
  return event;
}

Result<std::vector<tdx::RequiredEvent>> ReadEvents(ObjectReader& in) {
  // Not to need any event is a choice, as registers may be listed instead.
  if (TRY(in.Array("events", kMaxRequiredEvents))->empty()) return std::vector<tdx::RequiredEvent>();
  return ReadObjects<tdx::RequiredEvent>(in, "events", kMaxRequiredEvents, ReadEvent);
}

Result<> ReadTdAttributes(ObjectReader& in, tdx::ReferenceValues& out) {
  const BitRule bits = TRY(ReadBitRule(in, kTdAttributeBits));
  if (const std::uint64_t debug = bits.must_set & kTdUnderDebug; debug != 0)
    return Incomplete("can't ask for a TD that the host can look into: it is never released to", "mustSet",
                      NamesOf(kTdAttributeBits, debug));
  out.td_attributes_must_set = bits.must_set;
  // Whatever the policy says: no relaxing by leaving one out.
  out.td_attributes_must_clear = bits.must_clear | (kTdUnderDebug & tdx::kTdAttributesKnown);
  return Done{};
}

Result<std::uint64_t> ReadXfam(ObjectReader& in) {
  const std::uint64_t mask = TRY(MaskField(in, "xfamAllowed"));
  if ((mask & tdx::kXfamFixed) != tdx::kXfamFixed)
    return Incomplete("must have bits 0x3, which every TD has set", "xfamAllowed");
  if ((mask & ~tdx::kXfamKnown) != 0)
    return Incomplete("has a bit outside 0x6dbe7, which no TD can have set", "xfamAllowed");
  return mask;
}

Result<> ReadPlatforms(ObjectReader& in, tdx::ReferenceValues& out) {
  constexpr Choice<bool> kModes[] = {{"AllowList", false}, {"AnyGenuine", true}};
  constexpr StaticText kMust("must list PPIDs of 32 hex digits");
  out.any_genuine_platform = TRY(OneOf(in, "mode", kModes, "must be AllowList or AnyGenuine"));
  out.allowed_platforms = TRY(HexSet<tdx::Ppid>(in, "allow", kMaxChips, kMust));
  out.denied_platforms = TRY(HexSet<tdx::Ppid>(in, "deny", kMaxChips, kMust));
  if (out.any_genuine_platform && !out.allowed_platforms.empty())
    return Incomplete("must be empty with mode AnyGenuine, under which it would say nothing", "allow");
  if (!out.any_genuine_platform && out.allowed_platforms.empty())
    return Incomplete("must list platforms: mode AllowList without any allows nothing", "allow");
  for (const tdx::Ppid& platform : out.denied_platforms)
    if (out.allowed_platforms.contains(platform))
      return Incomplete("has a platform of deny too", "allow", codec::EncodeHex(platform.bytes()));
  return Done{};
}

Result<std::set<tdx::Fmspc>> ReadFmspcs(ObjectReader& in) {
  constexpr Choice<bool> kModes[] = {{"Any", true}, {"Listed", false}};
  const bool any = TRY(OneOf(in, "mode", kModes, "must be Any or Listed"));
  auto values = TRY(HexSet<tdx::Fmspc>(in, "values", kMaxProducts, "must list FMSPCs of 12 hex digits"));
  if (any != values.empty())
    return Incomplete("must have values with mode Listed, and none with mode Any", "values");
  return values;
}

Result<> RefuseContradictions(const tdx::ReferenceValues& rules) {
  for (std::size_t i = 0; i < rules.events.size(); ++i)
    if (rules.rtmrs[rules.events[i].rtmr].mode == Mode::kAbsent)
      return Incomplete("demands an event in a register that must be absent, so that nothing was extended",
                        "events[" + std::to_string(i) + "].rtmr");
  // Whoever holds the state of a migratable TD is its service TD: one that nobody named may be anyone's.
  if ((rules.td_attributes_must_clear & kMigratable) == 0 && rules.mr_service_td.mode == Mode::kAny)
    return Incomplete("must have MIGRATABLE, unless mrServiceTd lists who may migrate the guest",
                      "tdAttributes.mustClear");
  if ((rules.td_attributes_must_set & kMigratable) != 0 && rules.mr_service_td.mode == Mode::kAbsent)
    return Incomplete("demands a TD that may migrate, and mrServiceTd none that could migrate it",
                      "tdAttributes.mustSet", "MIGRATABLE");
  return Done{};
}

}  // namespace

Result<tdx::ReferenceValues> ReadTdRules(ObjectReader& in) {
  tdx::ReferenceValues out{};
  out.mr_td = TRY(HexSet<tdx::Measurement>(in, "mrTd", kMaxMeasurements, kMustBeDigests));
  if (out.mr_td.empty())
    return Incomplete("must list at least one measurement; an empty list allows nothing", "mrTd");
  out.mr_seam = TRY(ReadObject(in, "mrSeam", ReadModuleRule));
  out.rtmrs = TRY(ReadObject(in, "rtmrs", ReadRtmrs));
  out.events = TRY(ReadEvents(in));
  out.mr_owner = TRY(ReadObject(in, "mrOwner", ReadMeasurementRule));
  out.mr_owner_config = TRY(ReadObject(in, "mrOwnerConfig", ReadMeasurementRule));
  out.mr_service_td = TRY(ReadObject(in, "mrServiceTd", ReadMeasurementRule));
  TRY(ReadObject(in, "tdAttributes", [&](ObjectReader& inner) { return ReadTdAttributes(inner, out); }));
  out.xfam_allowed = TRY(ReadXfam(in));
  TRY(ReadObject(in, "tcb", [&](ObjectReader& inner) { return ReadTcbRules(inner, out); }));
  TRY(ReadObject(in, "platforms", [&](ObjectReader& inner) { return ReadPlatforms(inner, out); }));
  out.fmspcs = TRY(ReadObject(in, "fmspcs", ReadFmspcs));
  TRY(RefuseContradictions(out));
  return out;
}

Result<tdx::ReferenceValues> ReadTdxRules(ObjectReader& in) {
  auto out = TRY(ReadTdRules(in));
  const bool registers_free =
      std::ranges::all_of(out.rtmrs, [](const MeasurementRule& rule) { return rule.mode == Mode::kAny; });
  if (registers_free && out.events.empty())
    return Incomplete("leaves every register open and demands no event, so that any kernel would do",
                      "rtmrs");
  return out;
}

}  // namespace portcullis::policy
