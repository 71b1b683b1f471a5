#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/firmware.h"

namespace portcullis::measure {

/// Who launches the guest: each sets a vCPU's registers in its own way. EC2 changed its way in 2026, and both
/// may be met.
enum class Vmm : std::uint8_t { kQemu, kEc2, kEc2Old, kGce };

/// A vCPU of a launch.
struct Vcpu {
  Vmm vmm;
  std::uint32_t start;  // where it starts: the reset vector, or reset_address for a secondary one
  bool secondary;
  std::uint32_t signature;       // CPUID Fn0000_0001_EAX, which only QEMU puts into a register
  std::uint64_t guest_features;  // SEV_FEATURES
};

/// The VMSA (AMD 24593, appendix B) of a vCPU as it is launched.
Page VmsaPage(const Vcpu& vcpu);

/// The CPUID signature of a QEMU model: "EPYC-Milan", "EPYC-Milan-v2", "Milan", or the signature itself in
/// hex
/// ("0xa00f11"). nullopt for an unknown one.
std::optional<std::uint32_t> SignatureOf(std::string_view model);
/// The names it knows, for messages.
std::vector<std::string> KnownModels();

}  // namespace portcullis::measure
