#include "evidence/snp/checks.h"
#include "tests/bench/bare_operations.h"
#include "tests/bench/benches.h"
#include "tests/lab/snp_lists.h"
#include "tests/release/lab_guest.h"

namespace portcullis::bench {
namespace {

constexpr int kWarmUp = 50;  // proves the chain, fills caches

}  // namespace

Result<std::vector<Line>> BenchVerification(std::size_t count, const Narrator& say) {
  say("making lab certificates");
  const lab::LabPki& pki = lab::LabPki::Shared();
  const snp::TrustAnchors anchors = pki.anchors();
  const snp::ReportData report_data = lab::LaunchState::Filled<snp::ReportData>(0x42);
  const auto minted = pki.Mint(lab::LaunchState::Milan(), report_data);
  const std::vector<crypto::Certificate> certificates = {minted.leaf};
  const auto policy = TRY(policy::ParsePolicy(test::PolicyDocument()));
  const snp::Binding binding{.report_data = report_data, .host_data = std::nullopt};
  const BareCrypto bare(minted.report, minted.leaf);
  const WallTime now = SystemClock().Now();
  const lab::LabLists lists(pki, now);

  const auto verify = [&](const snp::ReferenceValues* reference) {
    return snp::VerifySnp(minted.report, certificates, &lists, anchors, now, reference, &binding)
        .tree.allowed();
  };
  for (int i = 0; i < kWarmUp; ++i)
    if (!verify(&*policy.snp)) return Error{ReasonCode::kInternalError, "the lab's evidence was refused"};

  say("verifying " + std::to_string(count) + " times");
  Samples baseline, appraised, openssl;
  bool allowed = true;
  for (std::size_t i = 0; i < count;
       ++i) {  // one after the other, so that the machine's moods meet all alike
    openssl.Add(Timed([&] { bare.VerifyReport(); }));
    baseline.Add(Timed([&] { allowed &= verify(nullptr); }));
    appraised.Add(Timed([&] { allowed &= verify(&*policy.snp); }));
  }
  if (!allowed) return Error{ReasonCode::kInternalError, "the lab's evidence was refused"};
  return std::vector<Line>{Compare("SNP verification, baseline", baseline, openssl, std::nullopt),
                           Compare("SNP verification against a policy", appraised, openssl, 1.10)};
}

}  // namespace portcullis::bench
