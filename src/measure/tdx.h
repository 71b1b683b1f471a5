#pragma once

#include <optional>
#include <span>
#include <string>

#include "crypto/digest.h"
#include "measure/firmware.h"

namespace portcullis::measure {

using Register = crypto::Sha384Digest;  // MRTD or an RTMR

/// How a VMM adds the firmware's sections: a page and its content in turn, or all pages of a section and then
/// all contents. The digests differ, and which one a host does is its kernel's and QEMU's matter.
enum class AddOrder : std::uint8_t { kPageByPage, kSectionBySection };

/// MRTD (Intel 348551, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND) from the sections that are not augmented later.
/// Depends on the firmware alone: not on memory, vCPUs or devices.
Register MrTd(const Firmware& firmware, AddOrder order);

/// R = SHA384(R || digest), from zeros: what an RTMR shows after these events.
Register Extended(std::span<const crypto::Sha384Digest> events);

/// What a build of EDK II does differently in a direct boot. Unsure which one is yours? Allow all.
/// Newer EDK II puts "initrd=initrd " before the command line, earlier " initrd=initrd" behind
/// it.
enum class InitrdWord : std::uint8_t { kBefore, kBehind };
/// Whether RTMR1 gets the separator between firmware and boot loader; older EDK II has none.
enum class Separator : std::uint8_t { kMeasured, kNotMeasured };

/// RTMR1 of a direct boot: the kernel, by its Authenticode digest, and the events around its start. The
/// kernel is the file as given, or KernelAsLoaded().
Register Rtmr1(const crypto::Sha384Digest& kernel, Separator separator);

/// The event "LOADED_IMAGE::LoadOptions" of Linux' EFI stub: the command line with EDK II's addition where
/// there is an initrd, in UTF-16 with its NUL. Error: RequestMalformed for a command line that is not ASCII,
/// which EDK II does not carry over unchanged.
Result<crypto::Sha384Digest> LoadOptionsDigest(std::string_view command_line, bool has_initrd,
                                               InitrdWord word);

/// RTMR2 of a direct boot: load options and, where there is one, the initrd.
Register Rtmr2(const crypto::Sha384Digest& load_options, std::optional<Bytes> initrd);

// RTMR0 can't be predicted from files: it measures memory layout, ACPI tables and boot variables as QEMU
// makes them for one machine shape. RTMR3 is the guest's own.

}  // namespace portcullis::measure
