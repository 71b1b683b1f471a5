#include "tests/lab/report_writer.h"

#include <algorithm>

namespace portcullis::lab {
namespace {

class Writer {
 public:
  template <std::unsigned_integral T>
  void Number(std::size_t offset, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      bytes_.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
  }
  template <typename T>
  void Fixed(std::size_t offset, const T& value) {
    std::ranges::copy(value.bytes(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  void Tcb(std::size_t offset, const snp::Tcb& tcb, snp::Product product) {
    const auto byte = [&](std::size_t index, std::uint8_t value) { Number(offset + index, value); };
    if (product == snp::Product::kTurin) {
      byte(0, tcb.fmc);
      byte(1, tcb.bootloader);
      byte(2, tcb.tee);
      byte(3, tcb.snp);
    } else {
      byte(0, tcb.bootloader);
      byte(1, tcb.tee);
      byte(6, tcb.snp);
    }
    byte(7, tcb.microcode);
  }
  void Firmware(std::size_t offset, const snp::FirmwareVersion& version) {
    Number(offset, version.build);
    Number(offset + 1, version.minor);
    Number(offset + 2, version.major);
  }
  ByteBuffer Take() { return std::move(bytes_); }

 private:
  ByteBuffer bytes_ = ByteBuffer(snp::kReportSize);
};

std::uint32_t KeyInfoOf(const LaunchState& state) {
  const std::uint32_t signing_key = state.key_kind == snp::KeyKind::kVlek ? 1 : 0;
  return (signing_key << 2) | (state.author_key_enabled ? 1u : 0u);
}

}  // namespace

ByteBuffer EncodeReport(const LaunchState& state, const snp::ReportData& report_data) {
  const snp::Product product = state.product();
  Writer out;
  out.Number(0x000, state.version);
  out.Number(0x004, state.guest_svn);
  out.Number(0x008, state.policy);
  out.Fixed(0x010, state.family_id);
  out.Fixed(0x020, state.image_id);
  out.Number(0x030, state.vmpl);
  out.Number(0x034, snp::kEcdsaP384Sha384);
  out.Tcb(0x038, state.current_tcb, product);
  out.Number(0x040, state.platform_info);
  out.Number(0x048, KeyInfoOf(state));
  out.Fixed(0x050, report_data);
  out.Fixed(0x090, state.measurement);
  out.Fixed(0x0C0, state.host_data);
  out.Fixed(0x0E0, state.id_key_digest);
  out.Fixed(0x110, state.author_key_digest);
  out.Fixed(0x140, state.report_id);
  out.Fixed(0x160, state.report_id_ma);
  out.Tcb(0x180, state.reported_tcb, product);
  out.Number(0x188, state.cpuid.family);
  out.Number(0x189, state.cpuid.model);
  out.Number(0x18A, state.cpuid.stepping);
  // A provider with VLEKs hides its chips.
  if (state.key_kind == snp::KeyKind::kVcek && !state.chip_id_masked) out.Fixed(0x1A0, state.chip_id);
  out.Tcb(0x1E0, state.committed_tcb, product);
  out.Firmware(0x1E8, state.current_firmware);
  out.Firmware(0x1EC, state.committed_firmware);
  out.Tcb(0x1F0, state.launch_tcb, product);
  if (state.version >= 5) {
    out.Number(0x1F8, state.launch_mitigations);
    out.Number(0x200, state.current_mitigations);
  }
  return out.Take();
}

}  // namespace portcullis::lab
