#include "evidence/tdx/chain.h"

#include <algorithm>

#include "evidence/tdx/chain_rows.h"

namespace portcullis::tdx {
namespace {

std::array<std::span<const evidence::Check<ChainSubject>>, 4> Tables() {
  return {CertificateChecks(), RevocationChecks(), DocumentChecks(), QuoteChecks()};
}

/// Collateral for the platform that the PCK names. Nobody is looked up for whom the root has not signed: what
/// is missing would be fetched.
std::shared_ptr<const Collateral> CollateralFor(const ExaminedPlatform& platform, const TrustAnchors& anchors,
                                                const CollateralSource& source, EvaluationSet set) {
  if (!platform.CertifiedUnder(anchors.root_spki)) return nullptr;
  return source.Find(platform.chain->extension->fmspc, *platform.chain->ca, set);
}

}  // namespace

AuthenticQuote::AuthenticQuote(const Quote& quote, std::shared_ptr<const ExaminedPlatform> platform,
                               std::shared_ptr<const Collateral> collateral, WallTime at)
    : quote_(quote),
      platform_(std::move(platform)),
      collateral_(std::move(collateral)),
      tcb_(EvaluateTcb(quote.report, quote.qe_report.isv_svn, pck(), *this->collateral().tcb_info.body,
                       *this->collateral().qe_identity.body)),
      at_(at) {}

/// The only one that makes an AuthenticQuote.
struct Authenticator {
  static AuthenticQuote Make(const Quote& quote, std::shared_ptr<const ExaminedPlatform> platform,
                             std::shared_ptr<const Collateral> collateral, WallTime at) {
    return {quote, std::move(platform), std::move(collateral), at};
  }
};

std::optional<AuthenticQuote> Authenticate(const Quote& quote, const CollateralSource& source,
                                           EvaluationSet set, const TrustAnchors& anchors, WallTime now,
                                           evidence::ProofTree& tree) {
  auto platform = KnownPlatform(quote, anchors.root_spki);
  auto collateral = CollateralFor(*platform, anchors, source, set);
  const bool incomplete = collateral != nullptr && !collateral->impl().complete();
  const ChainSubject subject{
      .quote = quote,
      .anchors = anchors,
      .now = now,
      .platform = *platform,
      .collateral = collateral != nullptr && !incomplete ? &collateral->impl() : nullptr,
      .collateral_incomplete = incomplete};
  const std::size_t before = tree.findings.size();
  for (const auto& table : Tables()) evidence::Appraise(table, subject, tree);
  const bool all_passed = std::all_of(
      tree.findings.begin() + static_cast<std::ptrdiff_t>(before), tree.findings.end(),
      [](const evidence::Finding& finding) { return finding.outcome == evidence::Outcome::kPassed; });
  if (!all_passed) return std::nullopt;
  return Authenticator::Make(quote, std::move(platform), std::move(collateral), now);
}

std::vector<evidence::Finding> ChainCheckRows() {
  evidence::ProofTree rows;
  for (const auto& table : Tables()) evidence::NotEvaluated(table, rows);
  return rows.findings;
}

}  // namespace portcullis::tdx
