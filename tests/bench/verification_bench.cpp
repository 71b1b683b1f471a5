#include "evidence/snp/checks.h"
#include "tests/bench/bare_operations.h"
#include "tests/bench/benches.h"
#include "tests/lab/snp_lists.h"
#include "tests/release/lab_guest.h"

namespace portcullis::bench {
namespace {

constexpr int kWarmUp = 50;  // proves the chain, fills caches

constexpr std::size_t kColdChips = 200;

/// Every time another chip, whose certificate nobody has seen; parsed from DER as it comes with evidence.
Result<Line> Cold(const lab::LabPki& pki, const lab::LabLists& lists, const snp::ReferenceValues& reference,
                  WallTime now) {
  const snp::TrustAnchors anchors = pki.anchors();
  const snp::ReportData report_data = lab::LaunchState::Filled<snp::ReportData>(0x42);
  const snp::Binding binding{.report_data = report_data, .host_data = std::nullopt};
  Samples ours, openssl;
  bool allowed = true;
  for (std::size_t i = 0; i < kColdChips; ++i) {
    lab::LaunchState machine = lab::LaunchState::Milan();
    auto chip = machine.chip_id.array();
    chip[0] = static_cast<std::byte>(i);
    chip[1] = std::byte{0xC0};
    machine.chip_id = snp::ChipId(chip);
    const auto minted = pki.Mint(machine, report_data);
    const BareCrypto bare(minted.report, minted.leaf);
    const snp::ProductAnchors& product = *anchors.For(snp::Product::kMilan);
    const auto in_bare = [&] {
      openssl.Add(Timed([&] {
        BareCrypto::VerifyChain(minted.leaf.der(), product.ask, product.ark);
        bare.VerifyReport();
      }));
    };
    if (i % 2 == 0) in_bare();
    ours.Add(Timed([&] {
      const auto leaf = snp::ParseLeaf(minted.leaf.der());
      const std::vector<crypto::Certificate> certificates = {leaf.value()};
      allowed &= snp::VerifySnp(minted.report, certificates, &lists, anchors, now, &reference, &binding)
                     .tree.allowed();
    }));
    if (i % 2 == 1) in_bare();
  }
  if (!allowed) return Error{ReasonCode::kInternalError, "the lab's evidence was refused"};
  return Compare("SNP verification, chip never seen", ours, openssl, 1.15);
}

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
  say("verifying reports of " + std::to_string(kColdChips) + " chips never seen");
  Line cold = TRY(Cold(pki, lists, *policy.snp, now));
  return std::vector<Line>{Compare("SNP verification, baseline", baseline, openssl, std::nullopt),
                           Compare("SNP verification against a policy", appraised, openssl, 1.10),
                           std::move(cold)};
}

}  // namespace portcullis::bench
