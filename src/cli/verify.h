#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/verdict.h"
#include "evidence/azure/checks.h"
#include "evidence/snp/given_endorsements.h"
#include "policy/evidence.h"
#include "policy/policy.h"

/// What the `verify` commands share.
namespace portcullis::cli {

/// The options that each of them has.
struct VerifyOptions {
  std::string policy, report_data, init_data, at, collateral, format;
  std::vector<std::string> lists;  // --crl, for SNP
};
void AddVerifyOptions(CLI::App& command, VerifyOptions& options);

/// What the command line says that the evidence must show.
struct Expected {
  std::optional<ByteBuffer> report_data;  // 64 bytes, or for a vTPM its extraData
  std::optional<std::string> init_data;   // the exact TOML
};

/// Revocation lists and a folder, in this order.
class Endorsements final : public snp::EndorsementSource {
 public:
  Endorsements(std::vector<crypto::Crl> lists, std::shared_ptr<const snp::EndorsementSource> folder)
      : lists_(std::move(lists)), folder_(std::move(folder)) {}
  std::optional<crypto::Certificate> FindVcek(snp::Product product, const snp::ChipId& chip,
                                              const snp::Tcb& tcb) const override {
    return folder_ != nullptr ? folder_->FindVcek(product, chip, tcb) : std::nullopt;
  }
  std::shared_ptr<const crypto::Crl> FindCrl(snp::Product product) const override {
    auto found = lists_.FindCrl(product);
    return found != nullptr || folder_ == nullptr ? found : folder_->FindCrl(product);
  }

 private:
  const snp::GivenEndorsements lists_;
  const std::shared_ptr<const snp::EndorsementSource> folder_;
};

/// What evidence is held to, read from the files that the options name.
struct Judging {
  Expected expected;
  std::optional<policy::Policy> policy;
  WallTime now;
  std::shared_ptr<const snp::EndorsementSource>
      endorsements;                                         // null: nobody looks at revocation, and says so
  std::shared_ptr<const tdx::CollateralSource> collateral;  // never null
  const snp::TrustAnchors& anchors;
  const tdx::TrustAnchors& tdx_anchors;
};
Result<Judging> ReadJudging(const VerifyOptions& options, const CliPorts& ports);

/// The baseline, or with a policy its rules for this TEE, and what is expected. What nobody could compare is
/// said in not_proven and leaves no passed row. Errors: PolicyIncomplete (no rules for the TEE),
/// RequestMalformed (init-data of an algorithm that the TEE can't hold).
Result<Verdict> Judge(const policy::SnpEvidence& evidence, const Judging& judging);
Result<Verdict> Judge(const tdx::Evidence& evidence, const Judging& judging);
Result<Verdict> Judge(const azure::SnpEvidence& evidence, const Judging& judging);
Result<Verdict> Judge(const azure::TdxEvidence& evidence, const Judging& judging);

/// A comparison that the baseline has no row for, since it comes from the command line.
void CompareBytes(evidence::TableText row, ReasonCode reason, Bytes expected, Bytes actual,
                  evidence::ProofTree& tree);
/// Takes a row out of the tree, so that nobody takes it for passed.
void DropRow(std::string_view row, evidence::ProofTree& tree);
/// Says what was not asked.
void NoteUnasked(const Judging& judging, Verdict& verdict);
Verdict VerdictOf(evidence::Verification verified);

void AddVerifySnp(CLI::App& verify, Context& context);
void AddVerifyTdx(CLI::App& verify, Context& context);
void AddVerifyAttestation(CLI::App& verify, Context& context);

}  // namespace portcullis::cli
