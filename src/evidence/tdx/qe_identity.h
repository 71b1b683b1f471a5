#pragma once

#include "evidence/tdx/quote.h"
#include "evidence/tdx/tcb_info.h"

namespace portcullis::tdx {

/// The identity of the TD quoting enclave, version 2 (PCS API v4), after its head.
struct QeIdentity {
  std::uint32_t misc_select, misc_select_mask;
  QeAttributes attributes, attributes_mask;
  QeSigner mr_signer;
  std::uint16_t isv_prod_id;
  std::vector<SvnLevel> levels;

  bool Matches(const QeReport& report) const;
};

/// Error: EvidenceMalformed.
Result<QeIdentity> ReadQeIdentity(const codec::Json& object);

}  // namespace portcullis::tdx
