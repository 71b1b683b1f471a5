#include "evidence/tdx/checks.h"
#include "evidence/tdx/quote.h"
#include "tests/bench/bare_operations.h"
#include "tests/bench/benches.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::bench {
namespace {

constexpr int kWarmUp = 50;  // proves platform and collateral, fills caches

class OneCollateral final : public tdx::CollateralSource {
 public:
  explicit OneCollateral(tdx::CollateralBytes bytes) : collateral_(tdx::Collateral::Of(std::move(bytes))) {}
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc&, tdx::PckCa,
                                              tdx::EvaluationSet) const override {
    return collateral_;
  }

 private:
  const std::shared_ptr<const tdx::Collateral> collateral_;
};

tdx::MeasurementRule Listed(const tdx::Measurement& value) {
  return {tdx::MeasurementRule::Mode::kListed, {value}};
}

/// Everything pinned that a quote of this TD says.
tdx::ReferenceValues ReferenceOf(const lab::TdState& td) {
  const tdx::MeasurementRule absent{tdx::MeasurementRule::Mode::kAbsent, {}};
  return {.mr_td = {td.mr_td},
          .mr_seam = Listed(td.mr_seam),
          .rtmrs = {Listed(td.rtmrs[0]), Listed(td.rtmrs[1]), Listed(td.rtmrs[2]), Listed(td.rtmrs[3])},
          .events = {},
          .mr_owner = absent,
          .mr_owner_config = absent,
          .mr_service_td = absent,
          .td_attributes_must_set = td.td_attributes,
          .td_attributes_must_clear = 0,
          .xfam_allowed = td.xfam,
          .evaluation_set = tdx::EvaluationSet::kStandard,
          .min_evaluation_number = 1,
          .tcb_statuses = {tdx::TcbStatus::kUpToDate},
          .tcb_exceptions = {},
          .denied_advisories = {},
          .any_genuine_platform = false,
          .allowed_platforms = {td.ppid},
          .denied_platforms = {},
          .fmspcs = {td.fmspc}};
}

}  // namespace

Result<std::vector<Line>> BenchTdx(std::size_t count, const Narrator& say) {
  const lab::TdxLabPki& pki = lab::TdxLabPki::Shared();
  const WallTime now = SystemClock().Now();
  const lab::TdState td;
  const auto report_data = lab::TdState::Filled<tdx::ReportData>(0x42);
  const tdx::Evidence evidence{pki.Mint(td, report_data), {}};
  const OneCollateral collateral(pki.CollateralFor(td, {.issued = now - std::chrono::hours(1)}));
  const tdx::ReferenceValues reference = ReferenceOf(td);
  const tdx::Binding binding{.report_data = report_data, .config_id = std::nullopt};
  const tdx::Quote quote = TRY(tdx::ParseQuote(evidence.quote));
  const BareP256 bare(quote.attestation_key, quote.signed_part, quote.signature);

  const tdx::TrustAnchors anchors = pki.anchors();
  const auto verify = [&](const tdx::ReferenceValues* values) {
    return tdx::VerifyTdx(evidence, collateral, anchors, now, values, &binding).tree.allowed();
  };
  for (int i = 0; i < kWarmUp; ++i)
    if (!verify(&reference)) return Error{ReasonCode::kInternalError, "the lab's quote was refused"};

  say("verifying quotes " + std::to_string(count) + " times");
  Samples parse, baseline, appraised, openssl;
  bool allowed = true;
  for (std::size_t i = 0; i < count; ++i) {
    openssl.Add(Timed([&] { bare.Verify(); }));
    parse.Add(Timed([&] { allowed &= tdx::ParseQuote(evidence.quote).has_value(); }));
    baseline.Add(Timed([&] { allowed &= verify(nullptr); }));
    appraised.Add(Timed([&] { allowed &= verify(&reference); }));
  }
  if (!allowed) return Error{ReasonCode::kInternalError, "the lab's quote was refused"};
  return std::vector<Line>{{.name = "TDX quote, parsing alone",
                            .unit = "us",
                            .p50 = parse.Percentile(0.5),
                            .p99 = parse.Percentile(0.99)},
                           Compare("TDX verification, baseline", baseline, openssl, std::nullopt),
                           Compare("TDX verification against a policy", appraised, openssl, 1.15)};
}

}  // namespace portcullis::bench
