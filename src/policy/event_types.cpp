#include "policy/event_types.h"

#include <algorithm>
#include <utility>

namespace portcullis::policy {
namespace {

// EV_NO_ACTION is missing with intent: it extends nothing, so no log can prove one.
constexpr std::pair<std::string_view, std::uint32_t> kTypes[] = {
    {"EV_POST_CODE", 0x00000001},
    {"EV_SEPARATOR", 0x00000004},
    {"EV_ACTION", 0x00000005},
    {"EV_EVENT_TAG", 0x00000006},
    {"EV_S_CRTM_CONTENTS", 0x00000007},
    {"EV_S_CRTM_VERSION", 0x00000008},
    {"EV_CPU_MICROCODE", 0x00000009},
    {"EV_PLATFORM_CONFIG_FLAGS", 0x0000000A},
    {"EV_TABLE_OF_DEVICES", 0x0000000B},
    {"EV_COMPACT_HASH", 0x0000000C},
    {"EV_IPL", 0x0000000D},
    {"EV_IPL_PARTITION_DATA", 0x0000000E},
    {"EV_NONHOST_CODE", 0x0000000F},
    {"EV_NONHOST_CONFIG", 0x00000010},
    {"EV_NONHOST_INFO", 0x00000011},
    {"EV_OMIT_BOOT_DEVICE_EVENTS", 0x00000012},
    {"EV_POST_CODE2", 0x00000013},
    {"EV_EFI_VARIABLE_DRIVER_CONFIG", 0x80000001},
    {"EV_EFI_VARIABLE_BOOT", 0x80000002},
    {"EV_EFI_BOOT_SERVICES_APPLICATION", 0x80000003},
    {"EV_EFI_BOOT_SERVICES_DRIVER", 0x80000004},
    {"EV_EFI_RUNTIME_SERVICES_DRIVER", 0x80000005},
    {"EV_EFI_GPT_EVENT", 0x80000006},
    {"EV_EFI_ACTION", 0x80000007},
    {"EV_EFI_PLATFORM_FIRMWARE_BLOB", 0x80000008},
    {"EV_EFI_HANDOFF_TABLES", 0x80000009},
    {"EV_EFI_PLATFORM_FIRMWARE_BLOB2", 0x8000000A},
    {"EV_EFI_HANDOFF_TABLES2", 0x8000000B},
    {"EV_EFI_VARIABLE_BOOT2", 0x8000000C},
    {"EV_EFI_GPT_EVENT2", 0x8000000D},
    {"EV_EFI_HCRTM_EVENT", 0x80000010},
    {"EV_EFI_VARIABLE_AUTHORITY", 0x800000E0},
    {"EV_EFI_SPDM_FIRMWARE_BLOB", 0x800000E1},
    {"EV_EFI_SPDM_FIRMWARE_CONFIG", 0x800000E2},
};

}  // namespace

std::optional<std::uint32_t> EventTypeNamed(std::string_view name) {
  const auto* const found =
      std::ranges::find(kTypes, name, &std::pair<std::string_view, std::uint32_t>::first);
  if (found == std::end(kTypes)) return std::nullopt;
  return found->second;
}

std::string_view EventTypeName(std::uint32_t type) {
  const auto* const found =
      std::ranges::find(kTypes, type, &std::pair<std::string_view, std::uint32_t>::second);
  return found == std::end(kTypes) ? std::string_view() : found->first;
}

}  // namespace portcullis::policy
