#include "measure/linux_header.h"

#include "measure/fields.h"

// Offsets: Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
namespace portcullis::measure {
namespace {

constexpr std::size_t kMinKernelBytes = 0x1000;
constexpr std::size_t kSignatureAt = 0x202, kVersionAt = 0x206, kLoaderAt = 0x210, kFlagsAt = 0x211;
constexpr std::size_t kInitrdAddressAt = 0x218, kInitrdSizeAt = 0x21C, kHeapEndAt = 0x224;
constexpr std::size_t kCommandLineAt = 0x228, kInitrdMaxAt = 0x22C, kExtendedFlagsAt = 0x236;
constexpr std::uint16_t kVersionWithExtendedFlags = 0x20C, kOldestVersion = 0x203;
constexpr std::uint8_t kLoadedHigh = 0x01, kCanUseHeap = 0x80, kLoaderQemu = 0xB0;
constexpr std::uint16_t kInitrdAbove2Gib = 0x02;  // XLF_CAN_BE_LOADED_ABOVE_4G

// Of QEMU's q35 machine.
constexpr std::uint32_t kAcpiBytes = 0x28000;
constexpr std::uint64_t kMemoryBelow4Gib = 0xB0000000, kMemoryBelow4GibOfLarge = 0x80000000;

/// Real-mode code and command line, for a kernel that loads low or high.
struct Places {
  std::uint32_t code, command_line;
};
constexpr Places kLow{0x90000, 0x9A000}, kHigh{0x10000, 0x20000};

Result<std::uint32_t> InitrdAddress(Bytes kernel, std::uint16_t version, std::uint64_t initrd_bytes,
                                    std::uint64_t memory_bytes) {
  const bool above = version >= kVersionWithExtendedFlags &&
                     (TRY(LittleAt<std::uint16_t>(kernel, kExtendedFlagsAt)) & kInitrdAbove2Gib) != 0;
  const std::uint64_t by_kernel = above ? UINT32_MAX : TRY(LittleAt<std::uint32_t>(kernel, kInitrdMaxAt));
  const std::uint64_t low =
      memory_bytes >= kMemoryBelow4Gib ? kMemoryBelow4GibOfLarge : std::min(memory_bytes, kMemoryBelow4Gib);
  if (low <= kAcpiBytes) return Error{ReasonCode::kRequestMalformed, "guest has too little memory"};
  const std::uint64_t max = std::min(by_kernel, low - kAcpiBytes - 1);
  if (initrd_bytes >= max)
    return Error{ReasonCode::kRequestMalformed, "initrd does not fit the guest's memory"};
  return static_cast<std::uint32_t>((max - initrd_bytes) & ~std::uint64_t{4095});
}

}  // namespace

Result<ByteBuffer> KernelAsLoaded(Bytes kernel, std::uint64_t initrd_bytes, std::uint64_t memory_bytes) {
  if (kernel.size() < kMinKernelBytes || AsText(kernel.subspan(kSignatureAt, 4)) != "HdrS")
    return Error{ReasonCode::kRequestMalformed, "kernel has no header of the Linux boot protocol"};
  const auto version = TRY(LittleAt<std::uint16_t>(kernel, kVersionAt));
  if (version < kOldestVersion)
    return Error{ReasonCode::kRequestMalformed, "kernel's boot protocol is older than 2.03"};
  ByteBuffer out = ToBuffer(kernel);
  const auto flags = TRY(LittleAt<std::uint8_t>(kernel, kFlagsAt));
  const Places places = (flags & kLoadedHigh) != 0 ? kHigh : kLow;
  PutLittle<std::uint8_t>(out, kLoaderAt, kLoaderQemu);
  PutLittle<std::uint8_t>(out, kFlagsAt, static_cast<std::uint8_t>(flags | kCanUseHeap));
  // QEMU writes 32 bits here, over the 16-bit field and the two bytes behind it.
  PutLittle<std::uint32_t>(out, kHeapEndAt, places.command_line - places.code - 0x200);
  PutLittle<std::uint32_t>(out, kCommandLineAt, places.command_line);
  if (initrd_bytes > 0) {
    PutLittle<std::uint32_t>(out, kInitrdAddressAt,
                             TRY(InitrdAddress(kernel, version, initrd_bytes, memory_bytes)));
    PutLittle<std::uint32_t>(out, kInitrdSizeAt, static_cast<std::uint32_t>(initrd_bytes));
  }
  return out;
}

}  // namespace portcullis::measure
