#pragma once

#include "evidence/tdx/collateral.h"

namespace portcullis::test {

/// Has no collateral, so that no TDX quote can be verified with it.
class NoCollateral final : public tdx::CollateralSource {
 public:
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc&, tdx::PckCa,
                                              tdx::EvaluationSet) const override {
    return nullptr;
  }
};

}  // namespace portcullis::test
