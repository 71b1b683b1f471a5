#include <cstdlib>

#include "endorsement/recognise.h"

/// Whatever lies in a folder of collateral is told apart, and a name in the store is a name of one document.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const Bytes content = std::as_bytes(std::span(data, size));
  if (const auto vcek = endorsement::VcekAt(AsText(content));
      vcek && endorsement::PathOf(*vcek) != AsText(content))
    std::abort();
  const auto found = endorsement::Recognise(content, tdx::EvaluationSet::kEarly);
  const auto* const claimed = std::get_if<endorsement::Claimed>(&found);
  if (claimed == nullptr) return 0;
  // Its own bytes are recognised as the same document.
  const auto again = endorsement::Recognise(claimed->body, tdx::EvaluationSet::kEarly);
  const auto* const same = std::get_if<endorsement::Claimed>(&again);
  if (same == nullptr || endorsement::PathOf(same->id) != endorsement::PathOf(claimed->id)) std::abort();
  return 0;
}
