#include "evidence/tdx/tcb_status.h"

#include <array>

#include "evidence/tdx/collateral.h"

namespace portcullis::tdx {
namespace {

using enum TcbStatus;

constexpr std::string_view kNames[] = {
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "TDRelaunchAdvised",
    "TDRelaunchAdvisedConfigurationNeeded",
    "Revoked",
};
static_assert(std::size(kNames) == static_cast<std::size_t>(kRevoked) + 1);

}  // namespace

std::string_view NameOf(TcbStatus status) { return kNames[static_cast<std::size_t>(status)]; }

std::optional<TcbStatus> TcbStatusOf(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<TcbStatus>(i);
  return std::nullopt;
}

std::string_view NameOf(EvaluationSet set) { return set == EvaluationSet::kEarly ? "early" : "standard"; }

std::string_view NameOf(PckCa ca) { return ca == PckCa::kPlatform ? "platform" : "processor"; }

TcbStatus Converge(TcbStatus whole, TcbStatus part) {
  if (whole == kRevoked || part == kRevoked) return kRevoked;
  if (!IsOutOfDate(part)) return whole;
  switch (whole) {
    case kUpToDate:
    case kSwHardeningNeeded:
      return kOutOfDate;
    case kConfigurationNeeded:
    case kConfigurationAndSwHardeningNeeded:
      return kOutOfDateConfigurationNeeded;
    case kOutOfDate:
    case kOutOfDateConfigurationNeeded:
    case kRevoked:
      return whole;
    // A relaunch would not help a platform whose QE is out of date.
    case kTdRelaunchAdvised:
      return kOutOfDate;
    case kTdRelaunchAdvisedConfigurationNeeded:
      return kOutOfDateConfigurationNeeded;
  }
  return kRevoked;
}

bool IsOutOfDate(TcbStatus status) { return status == kOutOfDate || status == kOutOfDateConfigurationNeeded; }

bool NeedsConfiguration(TcbStatus status) {
  return status == kConfigurationNeeded || status == kConfigurationAndSwHardeningNeeded ||
         status == kOutOfDateConfigurationNeeded || status == kTdRelaunchAdvisedConfigurationNeeded;
}

bool IsCurrent(TcbStatus status) {
  return status == kUpToDate || status == kSwHardeningNeeded || status == kConfigurationNeeded ||
         status == kConfigurationAndSwHardeningNeeded;
}

}  // namespace portcullis::tdx
