#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "codec/json.h"
#include "codec/text.h"
#include "evidence/tdx/attributes.h"
#include "evidence/tdx/checks.h"
#include "evidence/tdx/event_log.h"
#include "evidence/tdx/quote.h"
#include "tests/support/testdata.h"

namespace portcullis::tdx::test {

namespace fs = std::filesystem;
using portcullis::test::ReadBytes;
using portcullis::test::ReadFile;

constexpr std::uint64_t kSeptVeDisable = std::uint64_t{1} << 28;
constexpr std::uint64_t kProfilingMigrationPerfmon = 0x70 | std::uint64_t{1} << 29 | std::uint64_t{1} << 63;

/// Hands out one set whatever is asked for, as the manifests name the collateral of each case.
class OneCollateral final : public CollateralSource {
 public:
  explicit OneCollateral(CollateralBytes bytes) : collateral_(Collateral::Of(std::move(bytes))) {}
  std::shared_ptr<const Collateral> Find(const Fmspc&, PckCa, EvaluationSet) const override {
    return collateral_;
  }

 private:
  std::shared_ptr<const Collateral> collateral_;
};

/// What a case of a manifest gives to VerifyTdx(), and what it expects.
struct Case {
  std::string name;
  Evidence evidence;
  CollateralBytes collateral;
  TrustAnchors anchors;
  WallTime now;
  ReferenceValues reference;
  Binding binding;
  std::string expect_reason, expect_status;
  std::optional<std::set<std::string>> advisories;

  evidence::Verification Verify() const {
    return VerifyTdx(evidence, OneCollateral(collateral), anchors, now, &reference, &binding);
  }
};

inline MeasurementRule Any() { return {MeasurementRule::Mode::kAny, {}}; }
inline MeasurementRule Absent() { return {MeasurementRule::Mode::kAbsent, {}}; }
inline MeasurementRule Only(const Measurement& value) { return {MeasurementRule::Mode::kListed, {value}}; }

/// The manifests' default policy, with what a policy must pin pinned to the quote's own.
inline ReferenceValues DefaultReference(const TdReport& report) {
  return ReferenceValues{.mr_td = {report.mr_td},
                         .mr_seam = Any(),
                         .rtmrs = {Any(), Any(), Any(), Any()},
                         .events = {},
                         .mr_owner = Any(),
                         .mr_owner_config = Any(),
                         .mr_service_td = Absent(),
                         .td_attributes_must_set = kSeptVeDisable,
                         .td_attributes_must_clear = kProfilingMigrationPerfmon,
                         .xfam_allowed = kXfamKnown,
                         .evaluation_set = EvaluationSet::kStandard,
                         .min_evaluation_number = 0,
                         .tcb_statuses = {TcbStatus::kUpToDate},
                         .tcb_exceptions = {},
                         .denied_advisories = {},
                         .any_genuine_platform = true,
                         .allowed_platforms = {},
                         .denied_platforms = {},
                         .fmspcs = {}};
}

inline void ApplyPolicy(const codec::Json& policy, ReferenceValues& reference, Binding& binding) {
  const auto texts = [](const codec::Json& list) {
    std::set<std::string> out;
    for (const codec::Json& item : *list.if_array()) out.insert(*item.if_string());
    return out;
  };
  std::map<std::string_view, MeasurementRule*> rules = {{"mrseam", &reference.mr_seam},
                                                        {"rtmr0", &reference.rtmrs[0]},
                                                        {"rtmr1", &reference.rtmrs[1]},
                                                        {"rtmr2", &reference.rtmrs[2]},
                                                        {"rtmr3", &reference.rtmrs[3]},
                                                        {"mrowner", &reference.mr_owner},
                                                        {"mrownerconfig", &reference.mr_owner_config}};
  for (const auto& [key, value] : *policy.if_object()) {
    if (key == "accept") {
      reference.tcb_statuses.clear();
      for (const std::string& name : texts(value)) reference.tcb_statuses.insert(*TcbStatusOf(name));
    } else if (key == "deny_adv") {
      reference.denied_advisories = texts(value);
    } else if (key == "allow_sept_ve") {
      reference.td_attributes_must_set = 0;
    } else if (key == "service_td") {
      reference.mr_service_td = Any();
    } else if (key == "min_eval") {
      reference.min_evaluation_number = static_cast<std::uint32_t>(*value.if_uint64());
    } else if (key == "reportdata") {
      binding.report_data = codec::FixedFromHex<ReportData>(*value.if_string()).value();
    } else {
      const auto pin = codec::FixedFromHex<Measurement>(*value.if_string()).value();
      if (key == "mrtd")
        reference.mr_td = {pin};
      else if (key == "mrconfigid")
        binding.config_id = pin;
      else
        *rules.at(key) = Only(pin);
    }
  }
}

inline Case CaseOf(const codec::Json& json, const TrustAnchors& anchors, const fs::path& quote,
                   const fs::path& collateral) {
  const auto file = [&](std::string_view member) { return collateral / std::string(json.TextAt({member})); };
  Case out{.name = std::string(json.TextAt({"name"})),
           .evidence = {ReadBytes(quote), {}},
           .collateral = {.tcb_info = ReadBytes(file("tcbinfo")),
                          .qe_identity = ReadBytes(file("qeid")),
                          .tcb_info_chain = ReadFile(file("tcb_chain")),
                          .qe_identity_chain = ReadFile(file("tcb_chain")),
                          .pck_crl = ReadBytes(file("pck_crl")),
                          .root_crl = ReadBytes(file("root_crl"))},
           .anchors = anchors,
           .now = ParseTimestamp(json.TextAt({"now"})).value(),
           .reference = DefaultReference({}),
           .binding = {},
           .expect_reason = std::string(json.TextAt({"expect_reason"})),
           .expect_status = std::string(json.TextAt({"expect_tcb_status"})),
           .advisories = std::nullopt};
  if (const auto parsed = ParseQuote(out.evidence.quote)) {
    out.reference = DefaultReference(parsed->report);
    out.binding = {parsed->report.report_data, parsed->report.mr_config_id};
  }
  if (const codec::Json* policy = json.Find("policy")) ApplyPolicy(*policy, out.reference, out.binding);
  if (const codec::Json* advisories = json.Find("advisories")) {
    out.advisories.emplace();
    for (const codec::Json& item : *advisories->if_array()) out.advisories->insert(*item.if_string());
  }
  return out;
}

inline TrustAnchors AnchorsOf(const codec::Json& manifest) {
  return {codec::FixedFromHex<crypto::Sha256Digest>(manifest.TextAt({"root_spki_sha256"})).value()};
}

/// The 24 cases of genuine quotes, where the test data is there.
inline std::vector<Case> RealCases(const fs::path& root) {
  const auto manifest = codec::ParseJson(ReadFile(root / "cases-real.json")).value();
  std::vector<Case> out;
  for (const codec::Json& json : *manifest.Find("cases")->if_array())
    out.push_back(CaseOf(json, AnchorsOf(manifest), root / std::string(json.TextAt({"quote"})), root));
  return out;
}

/// The 145 cases under a throw-away root.
inline std::vector<Case> SyntheticCases(const fs::path& root) {
  const fs::path folder = root / "synthetic";
  const auto manifest = codec::ParseJson(ReadFile(folder / "cases.json")).value();
  std::vector<Case> out;
  for (const codec::Json& json : *manifest.Find("cases")->if_array())
    out.push_back(CaseOf(json, AnchorsOf(manifest),
                         folder / "quotes" / (std::string(json.TextAt({"quote"})) + ".bin"),
                         folder / "collateral"));
  return out;
}

inline Case Named(const std::vector<Case>& cases, std::string_view name) {
  const auto found = std::ranges::find(cases, name, &Case::name);
  if (found == cases.end()) ADD_FAILURE() << "no case " << name;
  return found == cases.end() ? cases.front() : *found;
}

/// The ids of the rows that refused, in their order.
inline std::vector<std::string> Refusals(const evidence::ProofTree& tree) {
  std::vector<std::string> out;
  for (const evidence::Finding& finding : tree.findings)
    if (finding.outcome == evidence::Outcome::kFailed) out.emplace_back(finding.check_id);
  return out;
}

}  // namespace portcullis::tdx::test
