#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "evidence/check.h"
#include "evidence/tdx/checks.h"
#include "evidence/tdx/collateral_parts.h"
#include "evidence/tdx/platform.h"
#include "evidence/tdx/quote.h"
#include "evidence/tdx/tcb_evaluation.h"

namespace portcullis::tdx {

/// A quote whose signatures lead to the pinned root, by collateral that is genuine, current and this
/// platform's. Only Authenticate() makes one. Its quote must outlive it.
class AuthenticQuote {
 public:
  const Quote& operator*() const { return quote_; }
  const Quote* operator->() const { return &quote_; }
  const PckExtension& pck() const { return *platform_->chain->extension; }
  PckCa ca() const { return *platform_->chain->ca; }
  const crypto::Certificate& certificate() const { return platform_->chain->pck; }
  const Collateral::Impl& collateral() const { return collateral_->impl(); }
  const TcbEvaluation& tcb() const { return tcb_; }
  WallTime at() const { return at_; }

 private:
  AuthenticQuote(const Quote& quote, std::shared_ptr<const ExaminedPlatform> platform,
                 std::shared_ptr<const Collateral> collateral, WallTime at);
  friend struct Authenticator;
  const Quote& quote_;
  std::shared_ptr<const ExaminedPlatform> platform_;
  std::shared_ptr<const Collateral> collateral_;
  TcbEvaluation tcb_;
  WallTime at_;
};

/// Verifies who signed the quote and what vouches for it, in the tables of chain_rows.h; all rows go to
/// `tree`. nullopt where one failed.
std::optional<AuthenticQuote> Authenticate(const Quote& quote, const CollateralSource& source,
                                           EvaluationSet set, const TrustAnchors& anchors, WallTime now,
                                           evidence::ProofTree& tree);

/// The ids of the rows above, with reason and source.
std::vector<evidence::Finding> ChainCheckRows();

}  // namespace portcullis::tdx
