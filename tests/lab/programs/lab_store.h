#pragma once

#include <string>

#include "base/clock.h"
#include "tests/lab/snp_lab.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::lab {

/// A collateral store in this directory with the revocation lists of every product, and Intel's documents of
/// the lab's FMSPC in both sets: issued an hour ago, through the same gate as any others.
/// Errors: those of endorsement::Store.
Result<> FillStore(const std::string& directory, const LabPki& pki, const TdxLabPki& tdx_pki,
                   const Clock& clock);

}  // namespace portcullis::lab
