#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "codec/json.h"
#include "evidence/verification.h"

namespace portcullis::differential {

/// A question as tests/differential/run.py asks it (docs/development/differential.md), ready to be answered
/// as often as wished. What a broker holds beforehand (roots, lists, collateral) was read when it was made;
/// what comes along with evidence is read in the answering. Error: a certificate that came along does not
/// parse.
using Question = std::function<Result<evidence::Verification>()>;

/// Answers about SNP and TDX evidence under AMD's and Intel's roots or those of the test data.
class Examiner {
 public:
  explicit Examiner(std::filesystem::path testdata) : testdata_(std::move(testdata)) {}
  /// Error: the certificate or list that came along does not parse, or the question is none
  /// (RequestMalformed).
  Result<Question> Read(const codec::Json& question) const;

 private:
  Result<Question> ReadSnp(const codec::Json& question) const;
  Result<Question> ReadTdx(const codec::Json& question) const;
  std::filesystem::path testdata_;
};

}  // namespace portcullis::differential
