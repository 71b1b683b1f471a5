#include <cstdlib>

#include "evidence/azure/hcl_report.h"

/// As either TEE's: what is taken for a report has the parts that the checks read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const Bytes bytes = std::as_bytes(std::span(data, size));
  for (const auto type : {azure::ReportType::kSnp, azure::ReportType::kTdx}) {
    const auto hcl = azure::ParseHclReport(bytes, type);
    if (!hcl) continue;
    if (hcl->var_data.size() > size || hcl->attestation_key.bits() < crypto::kMinRsaBits) std::abort();
    if (type == azure::ReportType::kTdx &&
        azure::FieldsOfTdReport(hcl->hardware_report).rtmrs.back().size() != 48)
      std::abort();
  }
  return 0;
}
