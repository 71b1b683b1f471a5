#include "measure/snp.h"

#include "measure/fields.h"
#include "measure/kernel_hashes.h"

namespace portcullis::measure {
namespace {

constexpr std::uint64_t kFirmwareEnd = std::uint64_t{1} << 32;
constexpr std::uint32_t kResetVector = 0xFFFFFFF0;
constexpr std::uint64_t kVmsaAddress = 0xFFFFFFFFF000;  // not an address of the guest's; all vCPUs share it

enum class PageType : std::uint8_t {
  kNormal = 1,
  kVmsa = 2,
  kZero = 3,
  kUnmeasured = 4,
  kSecrets = 5,
  kCpuid = 6
};

/// The digest as it grows, page by page.
class Growing {
 public:
  const LaunchDigest& digest() const { return digest_; }

  void AddContent(PageType type, std::uint64_t address, Bytes page) {
    Add(type, address, crypto::Sha384(page));
  }
  void AddEmpty(PageType type, std::uint64_t address) { Add(type, address, LaunchDigest()); }
  void AddEmptyPages(PageType type, const SevSection& section) {
    for (std::uint64_t at = 0; at < section.size; at += kPageBytes) AddEmpty(type, section.address + at);
  }

 private:
  /// PAGE_INFO (AMD 56860, table 67): digest so far, of the page, length, type, VMPL permissions (none),
  /// address.
  void Add(PageType type, std::uint64_t address, const LaunchDigest& contents) {
    std::array<std::byte, 0x70> info{};
    PutBytes(info, 0x00, digest_.bytes());
    PutBytes(info, 0x30, contents.bytes());
    PutLittle<std::uint16_t>(info, 0x60, info.size());
    PutLittle<std::uint8_t>(info, 0x62, static_cast<std::uint8_t>(type));
    PutLittle<std::uint64_t>(info, 0x68, address);
    digest_ = crypto::Sha384(info);
  }

  LaunchDigest digest_;
};

void AddFirmware(const Firmware& firmware, Growing& digest) {
  const std::uint64_t start = kFirmwareEnd - firmware.image.size();
  for (std::size_t at = 0; at < firmware.image.size(); at += kPageBytes)
    digest.AddContent(PageType::kNormal, start + at, firmware.image.subspan(at, kPageBytes));
}

Result<> AddKernelHashes(const SevSection& section, const Firmware& firmware, const SnpLaunch& launch,
                         Growing& digest) {
  if (!launch.boot) {
    digest.AddEmptyPages(PageType::kZero, section);
    return Done{};
  }
  if (!firmware.hashes_address)
    return Error{ReasonCode::kRequestMalformed, "firmware does not say where the kernel's hashes go"};
  const Page page = TRY(KernelHashesPage(*launch.boot, *firmware.hashes_address % kPageBytes));
  digest.AddContent(PageType::kNormal, section.address, page);
  return Done{};
}

Result<> AddSection(const SevSection& section, const Firmware& firmware, const SnpLaunch& launch,
                    Growing& digest) {
  switch (section.type) {
    case SevSection::Type::kMemory:
      digest.AddEmptyPages(launch.vmm == Vmm::kGce ? PageType::kUnmeasured : PageType::kZero, section);
      return Done{};
    case SevSection::Type::kSvsmCaa:
      digest.AddEmptyPages(PageType::kZero, section);
      return Done{};
    case SevSection::Type::kSecrets:
      digest.AddEmpty(PageType::kSecrets, section.address);
      return Done{};
    case SevSection::Type::kCpuid:
      digest.AddEmpty(PageType::kCpuid, section.address);
      return Done{};
    case SevSection::Type::kKernelHashes:
      return AddKernelHashes(section, firmware, launch, digest);
  }
  return Error{ReasonCode::kRequestMalformed, "SEV metadata has a section of an unknown kind"};
}

bool IsCpuid(const SevSection& section) { return section.type == SevSection::Type::kCpuid; }

/// In the order of the metadata; EC2 leaves the CPUID page to the end.
Result<> AddSections(const Firmware& firmware, const SnpLaunch& launch, Growing& digest) {
  const bool cpuid_last = launch.vmm == Vmm::kEc2 || launch.vmm == Vmm::kEc2Old;
  for (const SevSection& section : firmware.sev_sections)
    if (!cpuid_last || !IsCpuid(section)) TRY(AddSection(section, firmware, launch, digest));
  for (const SevSection& section : firmware.sev_sections)
    if (cpuid_last && IsCpuid(section)) TRY(AddSection(section, firmware, launch, digest));
  return Done{};
}

Result<> RequirePlaceForHashes(const Firmware& firmware) {
  const bool has = std::ranges::any_of(firmware.sev_sections, [](const SevSection& section) {
    return section.type == SevSection::Type::kKernelHashes;
  });
  if (!has)
    return Error{ReasonCode::kRequestMalformed,
                 "firmware has no section for the kernel's hashes: a kernel would not be measured"};
  return Done{};
}

}  // namespace

LaunchDigest FirmwareDigest(const Firmware& firmware) {
  Growing digest;
  AddFirmware(firmware, digest);
  return digest.digest();
}

Result<std::map<std::uint32_t, LaunchDigest>> SnpDigests(const Firmware& firmware, const SnpLaunch& launch,
                                                         const std::set<std::uint32_t>& vcpu_counts) {
  if (vcpu_counts.empty() || *vcpu_counts.begin() == 0 || *vcpu_counts.rbegin() > kMaxVcpus)
    return Error{ReasonCode::kRequestMalformed, "number of vCPUs outside 1..4096"};
  const std::uint32_t most = *vcpu_counts.rbegin();
  if (most > 1 && !firmware.reset_address)
    return Error{ReasonCode::kRequestMalformed, "firmware does not say where secondary vCPUs start"};
  if (launch.boot) TRY(RequirePlaceForHashes(firmware));

  Growing digest;
  AddFirmware(firmware, digest);
  TRY(AddSections(firmware, launch, digest));

  const auto vmsa_of = [&launch](std::uint32_t start, bool secondary) {
    return VmsaPage({launch.vmm, start, secondary, launch.vcpu_signature, launch.guest_features});
  };
  const Page first = vmsa_of(kResetVector, false);
  const Page secondary = vmsa_of(firmware.reset_address.value_or(0), true);
  std::map<std::uint32_t, LaunchDigest> digests;
  for (std::uint32_t count = 1; count <= most; ++count) {
    digest.AddContent(PageType::kVmsa, kVmsaAddress, count == 1 ? first : secondary);
    if (vcpu_counts.contains(count)) digests.emplace(count, digest.digest());
  }
  return digests;
}

}  // namespace portcullis::measure
