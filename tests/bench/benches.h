#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/bench/measure.h"

namespace portcullis::bench {

/// Says a line of progress, with the time that has gone by.
using Narrator = std::function<void(const std::string&)>;

/// SNP verification with its certificate chain proven before, beside the bare P-384 verification of the same
/// bytes; and of chips never seen before, beside parsing their certificate, the chain's RSA and that P-384.
Result<std::vector<Line>> BenchVerification(std::size_t count, const Narrator& say);

/// TDX verification with platform and collateral proven before, beside the bare P-256 verification that is
/// left.
Result<std::vector<Line>> BenchTdx(std::size_t count, const Narrator& say);

/// The collateral store with the VCEKs of that many chips: its size on disk and its look-ups.
Result<std::vector<Line>> BenchStore(std::size_t chips, const Narrator& say);

struct ReleasePlan {
  std::string kbs_program;
  std::size_t timed = 1000;     // releases whose attestation is timed
  std::size_t in_all = 10'000;  // releases before memory is read; 0 leaves memory out
};
/// POST /kbs/v0/attest over a kept TLS connection to a broker process, beside the sum of its cryptography and
/// one commit; then what the broker's process holds after many releases.
Result<std::vector<Line>> BenchRelease(const ReleasePlan& plan, const Narrator& say);

}  // namespace portcullis::bench
