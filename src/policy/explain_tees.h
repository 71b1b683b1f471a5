#pragma once

#include <string>

#include "evidence/azure/reference_values.h"

namespace portcullis::policy {

/// The rules of each TEE in plain words, one line a rule ("  - ..."), all of them.
std::string SnpText(const snp::ReferenceValues& rules);
std::string TdxText(const tdx::ReferenceValues& rules);
std::string VtpmText(const azure::VtpmReferenceValues& rules);

}  // namespace portcullis::policy
