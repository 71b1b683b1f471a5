#include <algorithm>

#include "codec/text.h"
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

Comparison EvaluationFloor(const Subject& s) {
  const Collateral::Impl& collateral = s.quote.collateral();
  const std::uint32_t info = collateral.tcb_info.head.evaluation_number.value_or(0);
  const std::uint32_t identity = collateral.qe_identity.head.evaluation_number.value_or(0);
  return {std::min(info, identity) >= s.reference.min_evaluation_number,
          "at least " + std::to_string(s.reference.min_evaluation_number),
          std::to_string(info) + " and " + std::to_string(identity)};
}

/// All three conditions: an advisory list alone would pass a platform that is out of date without any.
bool Covers(const TcbException& exception, const TcbEvaluation& tcb, WallTime now) {
  return tcb.status == exception.status && tcb.status != TcbStatus::kUpToDate &&
         tcb.status != TcbStatus::kRevoked && std::ranges::includes(exception.advisories, tcb.advisories) &&
         tcb.tcb_date >= exception.tcb_date_floor && now < exception.until;
}

std::string StatusText(const TcbEvaluation& tcb) {
  return tcb.status_name + " of " + FormatTimestamp(tcb.tcb_date) +
         (tcb.advisories.empty() ? ", no advisory" : ", " + OneOf(tcb.advisories, AsItIs));
}

Comparison StatusAllowed(const Subject& s) {
  const TcbEvaluation& tcb = s.quote.tcb();
  if (!tcb.supported()) return NothingToCompareWith();
  const bool accepted =
      tcb.status && *tcb.status != TcbStatus::kRevoked && s.reference.tcb_statuses.contains(*tcb.status);
  const bool excepted = std::ranges::any_of(s.reference.tcb_exceptions, [&](const TcbException& exception) {
    return Covers(exception, tcb, s.quote.at());
  });
  const auto name = [](TcbStatus status) { return std::string(NameOf(status)); };
  return {accepted || excepted,
          OneOf(s.reference.tcb_statuses, name) +
              (s.reference.tcb_exceptions.empty() ? "" : ", or an exception that covers it"),
          excepted && !accepted ? StatusText(tcb) + ", by exception" : StatusText(tcb)};
}

Comparison NoAdvisoryDenied(const Subject& s) {
  const TcbEvaluation& tcb = s.quote.tcb();
  if (!tcb.supported()) return NothingToCompareWith();
  const auto denied = std::ranges::find_if(
      tcb.advisories, [&](const std::string& id) { return s.reference.denied_advisories.contains(id); });
  const bool none = denied == tcb.advisories.end();
  return {none, "none of " + std::to_string(s.reference.denied_advisories.size()) + " denied advisories",
          none ? (tcb.advisories.empty() ? "none" : OneOf(tcb.advisories, AsItIs)) : Quoted(*denied)};
}

Comparison PlatformAllowed(const Subject& s) {
  const Ppid& ppid = s.quote.pck().ppid;
  if (s.reference.any_genuine_platform) return {true, "any genuine platform", HexOf(ppid)};
  return {s.reference.allowed_platforms.contains(ppid), OneOf(s.reference.allowed_platforms, HexOf<Ppid>),
          HexOf(ppid)};
}

Comparison PlatformNotDenied(const Subject& s) {
  const Ppid& ppid = s.quote.pck().ppid;
  return {!s.reference.denied_platforms.contains(ppid),
          "none of " + std::to_string(s.reference.denied_platforms.size()) + " denied platforms",
          HexOf(ppid)};
}

Comparison FmspcAllowed(const Subject& s) {
  const Fmspc& fmspc = s.quote.pck().fmspc;
  if (s.reference.fmspcs.empty()) return {true, "any", HexOf(fmspc)};
  return {s.reference.fmspcs.contains(fmspc), OneOf(s.reference.fmspcs, HexOf<Fmspc>), HexOf(fmspc)};
}

constexpr Check<Subject> kRows[] = {
    {"tdx.tcb-eval-rollback", kCollateralStale, "PCS API v4", EvaluationFloor},
    {"tdx.tcb-status-not-allowed", kTcbStatusNotAllowed, "PCS API v4", StatusAllowed},
    {"tdx.advisory-denied", kTcbStatusNotAllowed, "PCS API v4", NoAdvisoryDenied},
    {"tdx.platform-not-allowed", kChipNotAllowed, "SGX PCK profile", PlatformAllowed},
    {"tdx.platform-denied", kChipNotAllowed, "SGX PCK profile", PlatformNotDenied},
    {"tdx.fmspc-not-allowed", kProductNotAllowed, "SGX PCK profile", FmspcAllowed},
};

}  // namespace

std::span<const Check<Subject>> PlatformChecks() { return kRows; }

}  // namespace portcullis::tdx
