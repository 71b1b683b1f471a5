#pragma once

#include <functional>

#include "evidence/azure/checks.h"
#include "tests/lab/azure_lab.h"
#include "tests/support/evidence_builder.h"

namespace portcullis::azure::test {

using portcullis::test::Refusals;

inline std::array<std::byte, 64> Padded(Bytes report_data) {
  std::array<std::byte, 64> out{};
  std::ranges::copy(report_data.first(std::min(report_data.size(), out.size())), out.begin());
  return out;
}

/// Two PCRs pinned to what a healthy lab VM has.
inline VtpmReferenceValues VtpmReference() {
  const lab::AzureState healthy;
  return {.pcrs = {{4, {healthy.pcrs[4]}}, {7, {healthy.pcrs[7]}}}, .secure_boot_required = true};
}

/// Good evidence of an Azure VM on SNP with a policy that it meets, to be spoiled one thing at a time.
struct SnpBuilder {
  lab::LaunchState hardware = lab::LaunchState::Milan();
  lab::AzureState vtpm;
  std::int64_t version = 2;
  ByteBuffer report_data = ByteBuffer(48, std::byte{0x42});
  std::optional<ByteBuffer> extra_data;                           // else report_data
  std::optional<std::array<std::byte, 64>> user_data;             // else report_data, from version 2 on
  std::optional<std::array<std::byte, 64>> hardware_report_data;  // else what binds the paravisor's data
  std::function<void(SnpEvidence&)> alter = [](SnpEvidence&) {};  // on the way
  SnpReferenceValues reference{portcullis::test::ReferenceFor(lab::LaunchState::Milan()), VtpmReference()};
  std::optional<crypto::Sha256Digest> init_data;

  SnpEvidence Evidence() const {
    const lab::AzureVm& vm = lab::AzureVm::Shared();
    const auto boot_time = std::array<std::byte, 64>{};
    const std::string var_data =
        vm.VarData(vtpm, user_data.value_or(version < 2 ? boot_time : Padded(report_data)));
    const lab::MintedEvidence minted = lab::LabPki::Shared().Mint(
        hardware, snp::ReportData(hardware_report_data.value_or(lab::ReportDataFor(var_data))));
    const codec::Json form =
        lab::AzureSnpEvidence(version, vtpm, vm.Quote(vtpm, extra_data.value_or(report_data)),
                              lab::HclReportOf(2, minted.report, var_data), minted.leaf.der());
    SnpEvidence evidence = ParseSnpEvidence(form).value();
    alter(evidence);
    return evidence;
  }
  Binding binding() const { return {report_data, init_data}; }
  evidence::Verification Verify() const {
    const Binding bound = binding();
    return VerifyAzSnp(Evidence(), &portcullis::test::CurrentLists(), lab::LabPki::Shared().anchors(),
                       portcullis::test::kEvidenceTime, &reference, &bound);
  }
  evidence::Verification VerifyBaseline() const {
    return VerifyAzSnp(Evidence(), nullptr, lab::LabPki::Shared().anchors(), portcullis::test::kEvidenceTime,
                       nullptr, nullptr);
  }
};

/// A defect, the row that refuses it, and the hardware's own rows that see it too.
template <typename Builder>
struct Case {
  std::string_view id;
  std::function<void(Builder&)> spoil;
  std::vector<std::string> also = {};
};

}  // namespace portcullis::azure::test
