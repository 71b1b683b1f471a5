#include "evidence/tdx/attributes.h"
#include "evidence/tdx/measurement_rule.h"
#include "evidence/tdx/tables.h"
#include "evidence/tdx/text.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

Comparison AttributesMustSet(const Subject& s) {
  const std::uint64_t wanted = s.reference.td_attributes_must_set, actual = s.quote->report.td_attributes;
  return {(actual & wanted) == wanted, "all of " + HexNumber(wanted) + " set",
          FromReport(HexNumber(actual), "120")};
}

Comparison AttributesMustClear(const Subject& s) {
  const std::uint64_t unwanted = s.reference.td_attributes_must_clear, actual = s.quote->report.td_attributes;
  return {(actual & unwanted) == 0, "all of " + HexNumber(unwanted) + " clear",
          FromReport(HexNumber(actual), "120")};
}

Comparison XfamAllowed(const Subject& s) {
  const std::uint64_t allowed = s.reference.xfam_allowed, actual = s.quote->report.xfam;
  return {(actual & ~allowed) == 0, "none outside " + HexNumber(allowed),
          FromReport(HexNumber(actual), "128")};
}

/// A report of TDX 1.0 has no such field: no service TD can be bound.
Comparison ServiceTdFits(const Subject& s) {
  const auto& tdx15 = s.quote->report.tdx15;
  return Fits(s.reference.mr_service_td, tdx15 ? tdx15->mr_service_td : Measurement{}, "600");
}

constexpr Check<Subject> kRows[] = {
    {"tdx.td-attributes-must-set", kGuestPolicyNotAllowed, "TDX Module ABI", AttributesMustSet},
    {"tdx.td-attributes-must-clear", kGuestPolicyNotAllowed, "TDX Module ABI", AttributesMustClear},
    {"tdx.td-xfam", kGuestPolicyNotAllowed, "TDX Module ABI", XfamAllowed},
    {"tdx.td-service", kMigrationNotAllowed, "TDX Module ABI", ServiceTdFits},
};

}  // namespace

std::span<const Check<Subject>> AttributeChecks() { return kRows; }

}  // namespace portcullis::tdx
