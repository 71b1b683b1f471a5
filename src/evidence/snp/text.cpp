#include "evidence/snp/text.h"

#include "codec/text.h"

namespace portcullis::snp {

std::string TextOf(const Tcb& tcb, Product product) {
  std::string out;
  if (product == Product::kTurin) out += "fmc=" + std::to_string(tcb.fmc) + " ";
  out += "bootloader=" + std::to_string(tcb.bootloader);
  out += " tee=" + std::to_string(tcb.tee);
  out += " snp=" + std::to_string(tcb.snp);
  out += " microcode=" + std::to_string(tcb.microcode);
  return out;
}

std::string TextOf(const FirmwareVersion& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.build);
}

std::string TextOf(CpuId cpuid) {
  const auto hex = [](std::uint8_t value) {
    const std::byte byte{value};
    return codec::EncodeHex({&byte, 1});
  };
  std::string out = hex(cpuid.family) + "/" + hex(cpuid.model) + "/" + hex(cpuid.stepping);
  if (const auto product = ProductOf(cpuid)) out += " (" + std::string(NameOf(*product)) + ")";
  return out;
}

}  // namespace portcullis::snp
