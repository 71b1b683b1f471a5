#pragma once

#include <map>

#include "tests/lab/tdx_lab.h"

namespace portcullis::lab {

/// The lab's collateral as a source: of the lab's FMSPC, for both authorities and both sets, issued an hour
/// before `now` and in force for 30 days.
class LabCollateral : public tdx::CollateralSource {
 public:
  LabCollateral(const TdxLabPki& pki, WallTime now) {
    for (const tdx::PckCa ca : {tdx::PckCa::kProcessor, tdx::PckCa::kPlatform})
      for (const tdx::EvaluationSet set : {tdx::EvaluationSet::kStandard, tdx::EvaluationSet::kEarly}) {
        TdState state;
        state.ca = ca;
        known_[{ca, set}] = tdx::Collateral::Of(
            pki.CollateralFor(state, {.issued = now - std::chrono::hours(1), .set = set}));
      }
  }
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc& fmspc, tdx::PckCa ca,
                                              tdx::EvaluationSet set) const override {
    const auto found = known_.find({ca, set});
    return fmspc != TdState::LabFmspc() || found == known_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::pair<tdx::PckCa, tdx::EvaluationSet>, std::shared_ptr<const tdx::Collateral>> known_;
};

}  // namespace portcullis::lab
