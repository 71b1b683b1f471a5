#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "crypto/digest.h"
#include "measure/firmware.h"
#include "measure/vcpu.h"

namespace portcullis::measure {

using LaunchDigest = crypto::Sha384Digest;

inline constexpr std::uint32_t kMaxVcpus = 4096;

/// A kernel that the VMM hands to the firmware itself.
struct DirectBoot {
  Bytes kernel;
  Bytes initrd;              // empty: none
  std::string command_line;  // without the NUL
};

/// All that a launch digest depends on, but for the number of vCPUs.
struct SnpLaunch {
  Vmm vmm;
  std::uint32_t vcpu_signature;  // SignatureOf(); only QEMU's digests depend on it
  std::uint64_t guest_features;  // SEV_FEATURES: 0x1, or with QEMU before 9.1 0x21
  std::optional<DirectBoot> boot;
};

/// The digest of the firmware's pages alone.
LaunchDigest FirmwareDigest(const Firmware& firmware);

/// The launch digest that MEASUREMENT shows (AMD 56860, section 8.17), for each number of vCPUs
/// in 1..kMaxVcpus. It says nothing of the root file system unless the command line names its hash, and
/// nothing of HOST_DATA, guest policy or ID block. Errors: RequestMalformed (a kernel, and firmware that has
/// no place for its hashes; more than one vCPU, and firmware that does not say where they start; a number of
/// vCPUs outside its range).
Result<std::map<std::uint32_t, LaunchDigest>> SnpDigests(const Firmware& firmware, const SnpLaunch& launch,
                                                         const std::set<std::uint32_t>& vcpu_counts);

}  // namespace portcullis::measure
