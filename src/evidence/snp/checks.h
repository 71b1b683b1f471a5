#pragma once

#include "evidence/check.h"
#include "evidence/snp/chain.h"
#include "evidence/snp/reference_values.h"
#include "evidence/verification.h"

namespace portcullis::snp {

struct Subject {
  const AuthenticReport& report;
  const ReferenceValues& reference;
  const Binding& binding;
};

/// What Portcullis demands of an authentic SNP report under a policy. Pure. The table is snp.md section 11.
std::span<const evidence::Check<Subject>> PolicyChecks();

/// What holds with no policy at all: well-formed, debug off, requested by the guest (VMPL 0..3), guest-policy
/// reserved bits, SMT consistency, TCB ordering. The first rows of every appraisal.
std::span<const evidence::Check<AuthenticReport>> BaselineChecks();

/// What AMD's revocation list is held to, and what it says of the chain.
struct RevocationSubject {
  const crypto::Crl* list;  // null where there is none
  const ProductAnchors& anchors;
  KeyKind kind;
  WallTime now;
  std::optional<std::chrono::seconds> max_age;  // nullopt without a policy
};
std::span<const evidence::Check<RevocationSubject>> RevocationChecks();

/// Every row of an appraisal in its order, with reason and source: what `portcullis-kbs checks` prints, what
/// docs/reference/checks.md explains and a golden test holds.
std::vector<evidence::Finding> CheckRows();

/// Parses, authenticates and appraises: the whole of SNP verification. `reference` null runs the baseline
/// only, and `binding` may then be null too; null beside a policy leaves the policy's rows open, which
/// denies. `endorsements` gives the VCEK where none came along, and AMD's revocation list: with a policy or
/// with a source its rows run, and without both `not_proven` says that nobody looked.
using Verification = evidence::Verification;
Verification VerifySnp(Bytes report, std::span<const crypto::Certificate> certificates,
                       const EndorsementSource* endorsements, const TrustAnchors& anchors, WallTime now,
                       const ReferenceValues* reference, const Binding* binding);

}  // namespace portcullis::snp
