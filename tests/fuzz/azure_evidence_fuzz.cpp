#include <cstdlib>

#include "evidence/azure/checks.h"
#include "tests/support/no_collateral.h"

/// The whole way of an evidence JSON up to the verdict, under no root at all: nothing is allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto json = codec::ParseJson(AsText(std::as_bytes(std::span(data, size))));
  if (!json) return 0;
  if (const auto evidence = azure::ParseSnpEvidence(*json);
      evidence && azure::VerifyAzSnp(*evidence, nullptr, {}, WallTime{}, nullptr, nullptr).tree.allowed())
    std::abort();
  const test::NoCollateral none;
  if (const auto evidence = azure::ParseTdxEvidence(*json);
      evidence && azure::VerifyAzTdx(*evidence, none, {}, WallTime{}, nullptr, nullptr).tree.allowed())
    std::abort();
  return 0;
}
