#pragma once

#include <span>

#include "evidence/check.h"
#include "evidence/tdx/chain.h"

namespace portcullis::tdx {

/// What the rows of the chain tables look at; gathered by Authenticate(). A row whose basis is not there is
/// not evaluated, which denies.
struct ChainSubject {
  const Quote& quote;
  const TrustAnchors& anchors;
  WallTime now;
  const ExaminedPlatform& platform;
  const Collateral::Impl* collateral;  // null where there is none, or not all of it
  bool collateral_incomplete;
};

inline evidence::Comparison NothingToLookAt() {
  return {.passed = false, .expected = {}, .actual = {}, .evaluated = false};
}

// In the order of tdx.md section 12: where a document fails in two ways the first row names the reason.
std::span<const evidence::Check<ChainSubject>> CertificateChecks();  // the PCK chain, and validity of all
std::span<const evidence::Check<ChainSubject>> RevocationChecks();   // collateral there, lists, TCB signers
std::span<const evidence::Check<ChainSubject>> DocumentChecks();     // TCB info and QE identity
std::span<const evidence::Check<ChainSubject>> QuoteChecks();        // QE report and quote

}  // namespace portcullis::tdx
