#include "crypto/crl.h"

#include <cstdlib>

using namespace portcullis;

/// Every accessor of whatever is taken for a revocation list; its bytes are kept as they came.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const auto list = crypto::Crl::Parse(bytes);
  if (!list) return 0;
  if (!SameBytes(list->der(), bytes) || list->size() > crypto::kMaxCrlEntries) std::abort();
  if (list->next_update() <= list->this_update()) std::abort();
  (void)list->issuer_common_name();
  return 0;
}
