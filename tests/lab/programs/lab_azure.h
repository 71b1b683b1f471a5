#pragma once

#include <functional>
#include <memory>

#include "agent/vtpm.h"
#include "http/client.h"
#include "tests/lab/azure_lab.h"
#include "tests/lab/snp_lab.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::lab {

/// The vTPM and the metadata service of a pretended Azure confidential VM, over hardware of the lab.
class LabAzure final : public agent::Vtpm {
 public:
  LabAzure(LabPki pki, LaunchState launch, AzureState state);
  LabAzure(TdxLabPki pki, TdState td, AzureState state);

  Result<ByteBuffer> ReadHclReport() override;
  Result<> WriteReportData(const agent::ReportData& report_data) override;
  Result<tpm::PcrValues> ReadPcrs() override;
  Result<agent::PcrQuote> Quote(Bytes extra_data) override;

  /// A client of the metadata service; this must outlive it.
  std::shared_ptr<http::Client> Metadata();
  /// The next so many readings still show the report before.
  void BeSlow(int readings) { slow_ = readings; }

 private:
  friend class LabMetadata;
  struct Hardware {
    std::uint32_t type;                                                  // in the HCL report
    std::function<ByteBuffer(const std::array<std::byte, 64>&)> report;  // what the HCL report holds
    std::function<http::Response(const std::string& path, Bytes td_report)> metadata;
  };
  LabAzure(Hardware hardware, AzureState state);

  const Hardware hardware_;
  const AzureState state_;
  const AzureVm vm_ = AzureVm::Generate();
  agent::ReportData reported_, asked_;
  int slow_ = 0;
};

/// The VM as a file of the lab's agent: "tee" is "az-snp-vtpm" or "az-tdx-vtpm", "machine" the state of the
/// hardware (launch_state.h, tdx_state.h), "initData" the digest that PCR 8 was extended by, "secureBoot".
/// `folder` is the PKI's. Errors: RequestMalformed, ConfigurationInvalid.
Result<std::unique_ptr<LabAzure>> LabAzureFromJson(const codec::Json& value,
                                                   const std::filesystem::path& folder);

}  // namespace portcullis::lab
