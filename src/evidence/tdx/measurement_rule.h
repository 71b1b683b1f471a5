#pragma once

#include "evidence/check.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::tdx {

/// Holds a value of the TD report at this offset to a rule of the policy.
evidence::Comparison Fits(const MeasurementRule& rule, const Measurement& actual, std::string_view offset);

}  // namespace portcullis::tdx
