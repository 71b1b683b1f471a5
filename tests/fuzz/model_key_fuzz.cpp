#include <cstdlib>

#include "keystore/signature.h"

/// A spec that is accepted names a resource of its own namespace and versions in rising order, which nobody
/// signed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(data)), size);
  const auto spec = codec::ParseJson(text);
  if (!spec) return 0;
  const auto key = keystore::ParseModelKey("models", "llama", *spec);
  if (!key) return 0;
  if (!key->resource.starts_with("models/") || key->versions.empty()) std::abort();
  for (std::size_t i = 1; i < key->versions.size(); ++i)
    if (key->versions[i].version <= key->versions[i - 1].version) std::abort();
  for (const auto& version : key->versions)
    if (keystore::VerifyWrappedKey(*key, version)) std::abort();
  return 0;
}
