#include "policy/evidence.h"

namespace portcullis::policy {
namespace {

/// In the order of the variant.
constexpr std::string_view kNames[] = {kSnp, kTdx, kAzSnp, kAzTdx};
static_assert(std::size(kNames) == std::variant_size_v<Evidence>);

}  // namespace

std::string_view TeeOf(const Evidence& evidence) { return kNames[evidence.index()]; }

std::optional<std::string_view> TeeNamed(std::string_view name) {
  for (const std::string_view known : kNames)
    if (name == known) return known;
  // As guest-components up to v0.15 say them.
  if (name == "azsnpvtpm") return kAzSnp;
  if (name == "aztdxvtpm") return kAzTdx;
  return std::nullopt;
}

}  // namespace portcullis::policy
