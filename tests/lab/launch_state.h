#pragma once

#include <string>

#include "codec/json.h"
#include "evidence/snp/report.h"

namespace portcullis::lab {

/// What a pretended machine and guest are: all that an SNP report says but REPORT_DATA, and the key that
/// signs it. The defaults are a healthy Milan; Genoa() and Turin() are the others.
struct LaunchState {
  std::uint32_t version = 3;
  snp::KeyKind key_kind = snp::KeyKind::kVcek;
  snp::CpuId cpuid{0x19, 0x01, 0x01};
  std::uint32_t guest_svn = 0;
  std::uint64_t policy = 0x30000;
  std::uint32_t vmpl = 0;
  std::uint64_t platform_info = 0x25;
  snp::Tcb reported_tcb = kMilanTcb, committed_tcb = kMilanTcb, current_tcb = kMilanTcb,
           launch_tcb = kMilanTcb;
  snp::FirmwareVersion current_firmware{1, 55, 29}, committed_firmware{1, 55, 29};
  std::uint64_t launch_mitigations = 0, current_mitigations = 0;  // version 5
  snp::Measurement measurement = CountingUp<snp::Measurement>();
  snp::HostData host_data;
  snp::FamilyId family_id;
  snp::ImageId image_id;
  snp::KeyDigest id_key_digest, author_key_digest;
  bool author_key_enabled = false;
  snp::ReportId report_id = Filled<snp::ReportId>(0x1D);
  snp::ReportId report_id_ma = Filled<snp::ReportId>(0xFF);
  snp::ChipId chip_id = Filled<snp::ChipId>(0xA5);
  bool chip_id_masked = false;                // the report says zeros, the certificate the chip
  std::string csp_id = "CN=cc-test.example";  // of a VLEK

  static LaunchState Milan() { return {}; }
  static LaunchState Genoa();
  static LaunchState Turin();

  /// The product of `cpuid`; aborts where it is none, which is a mistake in the test.
  snp::Product product() const;
  /// All four TCBs at once.
  LaunchState& SetTcb(const snp::Tcb& tcb);

  template <typename T>
  static T Filled(std::uint8_t value) {
    std::array<std::byte, T::kSize> bytes{};
    bytes.fill(std::byte{value});
    return T(bytes);
  }
  template <typename T>
  static T CountingUp() {
    std::array<std::byte, T::kSize> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
    return T(bytes);
  }

  static constexpr snp::Tcb kMilanTcb{.bootloader = 4, .tee = 0, .snp = 0x18, .microcode = 0xDB};
  static constexpr snp::Tcb kGenoaTcb{.bootloader = 10, .tee = 0, .snp = 0x17, .microcode = 0x54};
  static constexpr snp::Tcb kTurinTcb{.fmc = 0, .bootloader = 1, .tee = 0, .snp = 2, .microcode = 0x47};
};

/// The state as a file of the lab's agent: every member optional, what is left out is the default of the
/// product that "cpuid" names. Bytes are hex text, bit masks "0x…" text, "tcb" sets all four TCBs. Errors:
/// RequestMalformed.
Result<LaunchState> LaunchStateFromJson(const codec::Json& value);
codec::Json ToJson(const LaunchState& state);

}  // namespace portcullis::lab
