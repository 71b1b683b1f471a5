#include <cstdint>

#include "measure/snp.h"
#include "measure/tdx.h"

// Reads the tables of a firmware image and calculates from whatever it accepts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace measure = portcullis::measure;
  const auto image = std::as_bytes(std::span(data, size));
  if (const auto firmware = measure::ParseFirmware(image, measure::Metadata::kSev)) {
    const measure::SnpLaunch launch{measure::Vmm::kEc2, 0, 1, measure::DirectBoot{{}, {}, ""}};
    (void)measure::SnpDigests(*firmware, launch, {1, 2});
  }
  if (const auto firmware = measure::ParseFirmware(image, measure::Metadata::kTdx))
    (void)measure::MrTd(*firmware, measure::AddOrder::kSectionBySection);
  return 0;
}
