#include <cstdlib>

#include "evidence/snp/coco_evidence.h"
#include "evidence/snp/report.h"

/// What is taken for a report is one's size, and holds with the parser that reads reports.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  const auto json = codec::ParseJson(AsText(std::as_bytes(std::span(data, size))));
  if (!json) return 0;
  const auto evidence = snp::ParseCocoEvidence(*json);
  if (!evidence) return 0;
  if (evidence->report.size() != snp::kReportSize || evidence->certificates.size() > 16) std::abort();
  const auto report = snp::ParseReport(evidence->report);
  if (!report && report.error().code != ReasonCode::kEvidenceMalformed) std::abort();
  return 0;
}
