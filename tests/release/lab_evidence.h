#pragma once

#include "policy/evidence.h"
#include "tests/lab/azure_lab.h"
#include "tests/lab/snp_lab.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::test {

/// What a guest of the lab runs in, whichever TEE that is.
struct LabMachine {
  std::string tee = std::string(policy::kSnp);
  lab::LaunchState launch = lab::LaunchState::Milan();  // of SNP, also under Azure's vTPM
  lab::TdState td;                                      // of TDX, likewise
  lab::AzureState vtpm;

  static LabMachine Of(std::string_view tee) {
    LabMachine machine;
    machine.tee = tee;
    if (tee == policy::kAzTdx) machine.td.SetEvents({});  // its workload is in the vTPM
    return machine;
  }
};

inline tdx::Measurement ConfigIdFor(const crypto::Sha256Digest& init_data) {
  std::array<std::byte, tdx::Measurement::kSize> padded{};
  std::ranges::copy(init_data.array(), padded.begin());
  return tdx::Measurement(padded);
}

/// The primary evidence that the machine gives over 64 bytes of report data, launched for this init-data.
inline codec::Json PrimaryEvidence(LabMachine machine, const crypto::Sha256Digest& init_data,
                                   const snp::ReportData& report_data) {
  const tdx::ReportData td_data(report_data.array());
  if (machine.tee == policy::kSnp) {
    machine.launch.host_data = snp::HostData(init_data.array());
    const auto minted = lab::LabPki::Shared().Mint(machine.launch, report_data);
    return codec::Json::Object({{"attestation_report", codec::EncodeBase64(minted.report)},
                                {"auxblob", codec::EncodeBase64(minted.aux_blob)}});
  }
  if (machine.tee == policy::kTdx) {
    machine.td.mr_config_id = ConfigIdFor(init_data);
    const tdx::Evidence minted = lab::TdxLabPki::Shared().MintEvidence(machine.td, td_data);
    return codec::Json::Object({{"quote", codec::EncodeBase64(minted.quote)},
                                {"cc_eventlog", codec::EncodeBase64(minted.event_log)}});
  }
  const lab::AzureVm& vm = lab::AzureVm::Shared();
  machine.vtpm.ExtendInitData(init_data);
  const std::string var_data = vm.VarData(machine.vtpm, report_data.array());
  const auto bound = lab::ReportDataFor(var_data);
  const auto quote = vm.Quote(machine.vtpm, report_data.bytes().first(crypto::Sha384Digest::kSize));
  if (machine.tee == policy::kAzSnp) {
    const auto minted = lab::LabPki::Shared().Mint(machine.launch, snp::ReportData(bound));
    return lab::AzureSnpEvidence(2, machine.vtpm, quote, lab::HclReportOf(2, minted.report, var_data),
                                 minted.leaf.der());
  }
  const auto& rtmrs = machine.td.rtmrs;
  const ByteBuffer td_report = lab::TdReportOf(
      {machine.td.mr_td.bytes(), {rtmrs[0].bytes(), rtmrs[1].bytes(), rtmrs[2].bytes(), rtmrs[3].bytes()}},
      bound);
  return lab::AzureTdxEvidence(2, machine.vtpm, quote, lab::HclReportOf(4, td_report, var_data),
                               lab::TdxLabPki::Shared().Mint(machine.td, tdx::ReportData(bound)));
}

}  // namespace portcullis::test
