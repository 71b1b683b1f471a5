#include "codec/text.h"
#include "evidence/tdx/measurement_rule.h"
#include "evidence/tdx/tables.h"
#include "evidence/tdx/text.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

template <typename T>
std::string HexOf(const T& value) {
  return codec::EncodeHex(value.bytes());
}

Comparison MrTdAllowed(const Subject& s) {
  const Measurement& actual = s.quote->report.mr_td;
  return {s.reference.mr_td.contains(actual), OneOf(s.reference.mr_td, HexOf<Measurement>),
          FromReport(HexOf(actual), "136")};
}

Comparison MrSeamFits(const Subject& s) { return Fits(s.reference.mr_seam, s.quote->report.mr_seam, "16"); }

template <std::size_t Index>
Comparison RtmrFits(const Subject& s) {
  constexpr std::string_view kOffsets[] = {"328", "376", "424", "472"};
  return Fits(s.reference.rtmrs[Index], s.quote->report.rtmrs[Index], kOffsets[Index]);
}

/// No init-data expected means zeros: a host that sets some anyway did not start what was admitted.
Comparison ConfigIdIsExpected(const Subject& s) {
  const Measurement expected = s.binding.config_id.value_or(Measurement{});
  const Measurement& actual = s.quote->report.mr_config_id;
  return {actual == expected, HexOf(expected), FromReport(HexOf(actual), "184")};
}

Comparison OwnerFits(const Subject& s) { return Fits(s.reference.mr_owner, s.quote->report.mr_owner, "232"); }
Comparison OwnerConfigFits(const Subject& s) {
  return Fits(s.reference.mr_owner_config, s.quote->report.mr_owner_config, "280");
}

Comparison ReportDataBinds(const Subject& s) {
  const ReportData& actual = s.quote->report.report_data;
  return {actual == s.binding.report_data, HexOf(s.binding.report_data), FromReport(HexOf(actual), "520")};
}

constexpr Check<Subject> kRows[] = {
    {"tdx.mrtd", kMeasurementNotAllowed, "TDX Module ABI", MrTdAllowed},
    {"tdx.mrseam", kMeasurementNotAllowed, "TDX Module ABI", MrSeamFits},
    {"tdx.rtmr0", kMeasurementNotAllowed, "TDX Module ABI", RtmrFits<0>},
    {"tdx.rtmr1", kMeasurementNotAllowed, "TDX Module ABI", RtmrFits<1>},
    {"tdx.rtmr2", kMeasurementNotAllowed, "TDX Module ABI", RtmrFits<2>},
    {"tdx.rtmr3", kMeasurementNotAllowed, "TDX Module ABI", RtmrFits<3>},
    {"tdx.mrconfigid", kInitDataMismatch, "TDX Module ABI", ConfigIdIsExpected},
    {"tdx.mrowner", kIdentityKeyNotAllowed, "TDX Module ABI", OwnerFits},
    {"tdx.mrownerconfig", kIdentityKeyNotAllowed, "TDX Module ABI", OwnerConfigFits},
    {"tdx.reportdata", kReportDataMismatch, "TDX Module ABI", ReportDataBinds},
};

}  // namespace

Comparison Fits(const MeasurementRule& rule, const Measurement& actual, std::string_view offset) {
  using Mode = MeasurementRule::Mode;
  std::string text = FromReport(actual.IsZero() ? "absent" : HexOf(actual), offset);
  switch (rule.mode) {
    case Mode::kAny:
      return {true, "any", std::move(text)};
    case Mode::kAbsent:
      return {actual.IsZero(), "absent", std::move(text)};
    case Mode::kListed:
      return {rule.listed.contains(actual), OneOf(rule.listed, HexOf<Measurement>), std::move(text)};
  }
  return {false, "a rule", std::move(text)};
}

std::span<const Check<Subject>> MeasurementChecks() { return kRows; }

}  // namespace portcullis::tdx
