#pragma once

#include <map>
#include <set>

#include "crypto/digest.h"
#include "evidence/snp/reference_values.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::azure {

/// What a policy demands of the vTPM of an Azure confidential VM, beside what it demands of the hardware
/// report under it (whose measurement names Microsoft's paravisor, not the workload).
struct VtpmReferenceValues {
  /// SHA-256 PCR -> allowed values; never empty. PCR 8 is held to init-data and can't be listed.
  std::map<unsigned, std::set<crypto::Sha256Digest>> pcrs;  // 0..23
  bool secure_boot_required;
};

struct SnpReferenceValues {
  snp::ReferenceValues snp;
  VtpmReferenceValues vtpm;
};
struct TdxReferenceValues {
  tdx::ReferenceValues tdx;
  VtpmReferenceValues vtpm;
};

/// What this one attestation must show, beside the policy.
struct Binding {
  ByteBuffer report_data;                         // extraData of the TPM quote, whole
  std::optional<crypto::Sha256Digest> init_data;  // PCR 8 is SHA-256(zeros, this); nullopt demands zeros
};

}  // namespace portcullis::azure
