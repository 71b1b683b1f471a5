#include "evidence/snp/chain.h"

#include <algorithm>
#include <memory>

#include "evidence/snp/chain_rows.h"
#include "evidence/snp/proven_leaves.h"

namespace portcullis::snp {
namespace {

// A certificate table holds four; what comes after these is not looked at.
constexpr std::size_t kMaxCertificates = 16;

std::optional<KeyKind> SigningKeyKind(const Report& report) {
  switch (report.key_info.signing_key()) {
    case 0:
      return KeyKind::kVcek;
    case 1:
      return KeyKind::kVlek;
    default:
      return std::nullopt;  // 7 is "not signed", the others are reserved
  }
}

bool LooksLikeThisChipAndTcb(const LeafExtensions& extensions, const Report& report) {
  if (extensions.tcb != report.reported_tcb) return false;
  return !extensions.hwid ||
         std::ranges::equal(*extensions.hwid, report.chip_id.bytes().first(extensions.hwid->size()));
}
bool LooksLikeThisChipAndTcb(const crypto::Certificate& leaf, const Report& report) {
  const auto extensions = ParseLeafExtensions(leaf);
  return extensions && LooksLikeThisChipAndTcb(*extensions, report);
}

/// The leaf among the certificates: of the kind that SIGNING_KEY names, and where there are several, as in a
/// cache that holds more than one TCB of a chip, the one that fits. The rows check what this only guesses.
const crypto::Certificate* ChooseLeaf(std::span<const crypto::Certificate> certificates, KeyKind kind,
                                      const Report& report) {
  const std::string name = "SEV-" + std::string(NameOf(kind));
  std::vector<const crypto::Certificate*> candidates;
  for (const crypto::Certificate& certificate :
       certificates.first(std::min(certificates.size(), kMaxCertificates)))
    if (certificate.subject_common_name() == name) candidates.push_back(&certificate);
  if (candidates.empty()) return nullptr;
  if (candidates.size() == 1) return candidates.front();
  const auto fitting = std::ranges::find_if(
      candidates, [&](const crypto::Certificate* leaf) { return LooksLikeThisChipAndTcb(*leaf, report); });
  return fitting == candidates.end() ? candidates.front() : *fitting;
}

/// The VCEK that did not come along, or not any more after the host's firmware was updated. A VLEK is the
/// provider's to hand out, and a masked chip has no name.
std::optional<crypto::Certificate> StoredLeaf(KeyKind kind, const Report& report,
                                              const EndorsementSource* endorsements) {
  if (endorsements == nullptr || kind != KeyKind::kVcek || report.chip_id.IsZero()) return std::nullopt;
  return endorsements->FindVcek(report.product, report.chip_id, report.reported_tcb);
}

/// What is known of a leaf: from memory where it proved sound before, else by examining it.
std::shared_ptr<const ExaminedLeaf> Known(const crypto::Certificate& leaf, KeyKind kind,
                                          const ProductAnchors* anchors) {
  if (anchors == nullptr) return std::make_shared<ExaminedLeaf>(Examine(leaf, kind, anchors));
  const ProvenLeaves::Key key{leaf.fingerprint(), IssuerOf(kind, *anchors).fingerprint(),
                              anchors->ark.fingerprint(), anchors->product};
  if (auto proven = Proven().Find(key)) return proven;
  auto examined = std::make_shared<const ExaminedLeaf>(Examine(leaf, kind, anchors));
  if (examined->sound()) Proven().Remember(key, examined);
  return examined;
}

bool CanRun(const ChainRow& row, const ChainSubject& subject) {
  switch (row.needs) {
    case ChainNeeds::kReport:
      return true;
    case ChainNeeds::kKind:
      return subject.kind.has_value();
    case ChainNeeds::kLeaf:
      return subject.leaf != nullptr;
    case ChainNeeds::kExtensions:
      return subject.leaf != nullptr && subject.leaf->extensions.has_value();
  }
  return false;
}

/// Whether every row passed; one that could not run did not.
bool RunRows(const ChainSubject& subject, evidence::ProofTree& tree) {
  bool all_passed = true;
  for (const ChainRow& row : ChainRows()) {
    const std::span<const evidence::Check<ChainSubject>> one(&row.check, 1);
    if (CanRun(row, subject))
      evidence::Appraise(one, subject, tree);
    else
      evidence::NotEvaluated(one, tree);
    all_passed = all_passed && tree.findings.back().outcome == evidence::Outcome::kPassed;
  }
  return all_passed;
}

}  // namespace

/// The only one that makes an AuthenticReport.
struct Authenticator {
  static AuthenticReport Make(const ChainSubject& subject) {
    return {subject.report, *subject.leaf->extensions, subject.leaf->certificate, *subject.kind};
  }
};

std::optional<AuthenticReport> Authenticate(const Report& report, Bytes raw,
                                            std::span<const crypto::Certificate> certificates,
                                            const EndorsementSource* endorsements,
                                            const TrustAnchors& anchors, WallTime now,
                                            evidence::ProofTree& tree) {
  ChainSubject subject{.report = report,
                       .raw = raw,
                       .kind = SigningKeyKind(report),
                       .anchors = anchors.For(report.product),
                       .now = now};
  if (subject.kind) {
    const crypto::Certificate* const offered = ChooseLeaf(certificates, *subject.kind, report);
    if (offered != nullptr) subject.leaf = Known(*offered, *subject.kind, subject.anchors);
    const bool fits = subject.leaf != nullptr && subject.leaf->extensions &&
                      LooksLikeThisChipAndTcb(*subject.leaf->extensions, report);
    if (!fits)
      if (const auto stored = StoredLeaf(*subject.kind, report, endorsements))
        subject.leaf = Known(*stored, *subject.kind, subject.anchors);
  }
  if (!RunRows(subject, tree)) return std::nullopt;
  return Authenticator::Make(subject);
}

Result<crypto::Certificate> ParseLeaf(Bytes der) {
  if (auto known = Proven().CertificateOf(crypto::Sha256(der))) return *std::move(known);
  return crypto::Certificate::Parse(der);
}

std::vector<evidence::Finding> ChainCheckRows() {
  evidence::ProofTree rows;
  for (const ChainRow& row : ChainRows())
    evidence::NotEvaluated(std::span<const evidence::Check<ChainSubject>>(&row.check, 1), rows);
  return rows.findings;
}

}  // namespace portcullis::snp
