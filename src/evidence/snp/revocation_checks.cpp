#include <algorithm>
#include <array>
#include <mutex>

#include "codec/text.h"
#include "evidence/snp/checks.h"
#include "evidence/snp/leaf.h"

namespace portcullis::snp {
namespace {

using evidence::Comparison;

/// The lists that proved signed by a root. A list serves for weeks and thousands of reports; its RSA
/// signature is verified once.
class ProvenLists {
 public:
  bool Has(const crypto::Sha256Digest& list, const crypto::Sha256Digest& root) const {
    const std::scoped_lock lock(mutex_);
    return std::ranges::find(pairs_, std::pair(list, root)) != pairs_.end();
  }
  void Remember(const crypto::Sha256Digest& list, const crypto::Sha256Digest& root) {
    const std::scoped_lock lock(mutex_);
    pairs_[next_++ % pairs_.size()] = {list, root};
  }

 private:
  mutable std::mutex mutex_;
  std::array<std::pair<crypto::Sha256Digest, crypto::Sha256Digest>, 16> pairs_;
  std::size_t next_ = 0;
};

/// AMD's lists are signed by the ARK itself: neither ASK nor ASVK may sign one.
bool IsOfRoot(const crypto::Crl& list, const crypto::Certificate& root) {
  static ProvenLists proven;
  if (proven.Has(list.fingerprint(), root.fingerprint())) return true;
  if (!list.IsSignedBy_RsaPssSha384(root)) return false;
  proven.Remember(list.fingerprint(), root.fingerprint());
  return true;
}

std::string DaysText(std::chrono::seconds age) {
  return std::to_string(std::chrono::duration_cast<std::chrono::hours>(age).count() / 24) + " days";
}

Comparison ListCurrent(const RevocationSubject& s) {
  const std::string root = s.anchors.ark.subject_common_name();
  std::string expected = "a revocation list signed by " + root + ", in force at " + FormatTimestamp(s.now);
  if (s.max_age) expected += ", at most " + DaysText(*s.max_age) + " old";
  if (s.list == nullptr) return {false, std::move(expected), "absent"};
  if (!IsOfRoot(*s.list, s.anchors.ark))
    return {false, std::move(expected),
            "not signed by " + root + "; names " + Quoted(s.list->issuer_common_name())};
  const bool young = !s.max_age || s.now - s.list->this_update() <= *s.max_age;
  return {s.list->CurrentAt(s.now) && young, std::move(expected),
          "of " + FormatTimestamp(s.list->this_update()) + ", next due " +
              FormatTimestamp(s.list->next_update())};
}

/// A list that its root did not sign says nothing; one that is stale still revokes.
Comparison NotRevoked(const RevocationSubject& s) {
  const crypto::Certificate& issuer = IssuerOf(s.kind, s.anchors);
  std::string expected =
      issuer.subject_common_name() + " and " + s.anchors.ark.subject_common_name() + " not listed";
  if (s.list == nullptr || !IsOfRoot(*s.list, s.anchors.ark))
    return {.passed = false, .expected = std::move(expected), .actual = {}, .evaluated = false};
  if (s.list->Lists(s.anchors.ark))
    return {false, std::move(expected), s.anchors.ark.subject_common_name() + " is listed"};
  if (s.list->Lists(issuer)) return {false, std::move(expected), issuer.subject_common_name() + " is listed"};
  return {true, std::move(expected), "not among " + std::to_string(s.list->size()) + " listed"};
}

constexpr evidence::Check<RevocationSubject> kChecks[] = {
    {"snp.crl-current", ReasonCode::kCollateralStale, "AMD 57230, CRL; RFC 5280, 5.1.2", ListCurrent},
    {"snp.not-revoked", ReasonCode::kCertificateRevoked, "AMD 57230, CRL; RFC 5280, 5.3", NotRevoked},
};

}  // namespace

std::span<const evidence::Check<RevocationSubject>> RevocationChecks() { return kChecks; }

}  // namespace portcullis::snp
