#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace portcullis::policy {

/// A TCG event type by its name, "EV_IPL" (TCG PC Client Platform Firmware Profile 1.06, section 10.4.1);
/// nullopt for a name that is none of a measurement.
std::optional<std::uint32_t> EventTypeNamed(std::string_view name);
/// The name of a type that has one; "" otherwise.
std::string_view EventTypeName(std::uint32_t type);

}  // namespace portcullis::policy
