#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace portcullis::measure {

inline constexpr std::size_t kPageBytes = 4096;
using Page = std::array<std::byte, kPageBytes>;

inline constexpr std::size_t kMaxFirmwareBytes = 16u << 20;  // OVMF is 2 to 8 MiB
inline constexpr std::size_t kMaxFirmwareSections = 64;      // OVMF has 7
/// Of memory that the sections lay out: OVMF has about 4.5 MiB.
inline constexpr std::uint64_t kMaxSectionMemory = 64u << 20;

/// A part of guest memory that the SEV metadata lays out before launch.
struct SevSection {
  enum class Type : std::uint32_t {
    kMemory = 1,
    kSecrets = 2,
    kCpuid = 3,
    kSvsmCaa = 4,
    kKernelHashes = 0x10
  };
  std::uint32_t address;
  std::uint32_t size;  // whole pages, at least one
  Type type;
};

/// A part of guest memory that the TDX metadata lays out.
struct TdxSection {
  static constexpr std::uint32_t kExtend = 1, kAugment = 2;  // MR.EXTEND, PAGE.AUG
  Bytes data;                                                // in the image; zeros follow up to memory_size
  std::uint64_t address, memory_size;                        // whole pages
  std::uint32_t type, attributes;
};

/// What a firmware image says of how it is launched. A view: the image must outlive it.
struct Firmware {
  Bytes image;                                  // whole pages; it ends at 4 GiB in guest memory
  std::optional<std::uint32_t> reset_address;   // where secondary vCPUs start under SEV
  std::optional<std::uint32_t> hashes_address;  // of the table of kernel hashes
  std::vector<SevSection> sev_sections;         // in the order of the metadata; empty: no SEV metadata
  std::vector<TdxSection> tdx_sections;         // likewise
};

/// Which metadata is read. An image may be launched either way; what is not asked for is not looked at.
enum class Metadata : std::uint8_t { kSev, kTdx };

/// Reads the GUIDed table at the end of an OVMF image (edk2 OvmfPkg/ResetVector) and the metadata it points
/// to. Errors: RequestMalformed (not whole pages, above a limit, no table, no such metadata, offsets or sizes
/// that do not fit, an unknown kind of SEV section).
Result<Firmware> ParseFirmware(Bytes image, Metadata wanted);

}  // namespace portcullis::measure
