#include "evidence/snp/report.h"

namespace portcullis::snp {
namespace {

using Layout = FixedLayout<kReportSize>;

/// TCB_VERSION: its layout follows the product (snp.md section 2), never the look of the bytes.
template <std::size_t Offset>
Tcb TcbAt(const Layout& in, Product product) {
  const auto byte = [&]<std::size_t Index>() { return in.Field<std::uint8_t, Offset + Index>(); };
  if (product == Product::kTurin)
    return {.fmc = byte.template operator()<0>(),
            .bootloader = byte.template operator()<1>(),
            .tee = byte.template operator()<2>(),
            .snp = byte.template operator()<3>(),
            .microcode = byte.template operator()<7>()};
  return {.bootloader = byte.template operator()<0>(),
          .tee = byte.template operator()<1>(),
          .snp = byte.template operator()<6>(),
          .microcode = byte.template operator()<7>()};
}

template <std::size_t Offset>
bool TcbReservedClear(const Layout& in, Product product) {
  return product == Product::kTurin ? in.Zero<Offset + 4, Offset + 7>() : in.Zero<Offset + 2, Offset + 6>();
}

template <std::size_t Offset>
FirmwareVersion FirmwareAt(const Layout& in) {
  return {.major = in.Field<std::uint8_t, Offset + 2>(),
          .minor = in.Field<std::uint8_t, Offset + 1>(),
          .build = in.Field<std::uint8_t, Offset>()};
}

/// Firmware writes zeros here. Anything else is a field we do not know and must not ignore.
bool ReservedClear(const Layout& in, std::uint32_t version, Product product) {
  return in.Zero<0x04C, 0x050>() && in.Zero<0x18B, 0x1A0>() && in.Zero<0x1EB, 0x1EC>() &&
         in.Zero<0x1EF, 0x1F0>() && in.Zero<0x208, 0x2A0>() && in.Zero<0x330, kReportSize>() &&
         (version >= 5 || in.Zero<0x1F8, 0x208>()) && TcbReservedClear<0x038>(in, product) &&
         TcbReservedClear<0x180>(in, product) && TcbReservedClear<0x1E0>(in, product) &&
         TcbReservedClear<0x1F0>(in, product) &&
         KeyInfo(in.Field<std::uint32_t, 0x048>()).reserved_bits_valid();
}

}  // namespace

std::string_view NameOf(Product product) {
  switch (product) {
    case Product::kMilan:
      return "Milan";
    case Product::kGenoa:
      return "Genoa";
    case Product::kTurin:
      return "Turin";
  }
  return "unknown";
}

std::string_view NameOf(KeyKind kind) { return kind == KeyKind::kVcek ? "VCEK" : "VLEK"; }

Result<Product> ProductOf(CpuId cpuid) {
  const auto model_within = [&](unsigned first, unsigned last) {
    return first <= cpuid.model && cpuid.model <= last;
  };
  if (cpuid.family == 0x19 && model_within(0x00, 0x0F)) return Product::kMilan;
  if (cpuid.family == 0x19 && model_within(0x10, 0x1F)) return Product::kGenoa;
  if (cpuid.family == 0x19 && model_within(0xA0, 0xAF)) return Product::kGenoa;  // Bergamo and Siena
  if (cpuid.family == 0x1A && model_within(0x00, 0x11)) return Product::kTurin;
  return Error{ReasonCode::kProductNotAllowed, "no root is pinned for this processor", "report@0x188"};
}

Result<Report> ParseReport(Bytes bytes) {
  if (bytes.size() != kReportSize)
    return Error{ReasonCode::kEvidenceMalformed, "an SNP report is 1184 bytes"};
  const Layout in(bytes.first<kReportSize>());

  const auto version = in.Field<std::uint32_t, 0x000>();
  // Version 2 does not name the processor, so the root that must sign it cannot be chosen safely.
  if (version < kMinVersion || version > kMaxVersion)
    return Error{ReasonCode::kEvidenceVersionUnsupported, "report version outside 3..5", "report@0x000"};

  const CpuId cpuid{in.Field<std::uint8_t, 0x188>(), in.Field<std::uint8_t, 0x189>(),
                    in.Field<std::uint8_t, 0x18A>()};
  const Product product = TRY(ProductOf(cpuid));
  if (!ReservedClear(in, version, product))
    return Error{ReasonCode::kEvidenceMalformed, "reserved bytes are not zero"};

  return Report{
      .version = version,
      .guest_svn = in.Field<std::uint32_t, 0x004>(),
      .policy = GuestPolicy(in.Field<std::uint64_t, 0x008>()),
      .family_id = in.Field<FamilyId, 0x010>(),
      .image_id = in.Field<ImageId, 0x020>(),
      .vmpl = in.Field<std::uint32_t, 0x030>(),
      .signature_algorithm = in.Field<std::uint32_t, 0x034>(),
      .current_tcb = TcbAt<0x038>(in, product),
      .platform_info = PlatformInfo(in.Field<std::uint64_t, 0x040>()),
      .key_info = KeyInfo(in.Field<std::uint32_t, 0x048>()),
      .report_data = in.Field<ReportData, 0x050>(),
      .measurement = in.Field<Measurement, 0x090>(),
      .host_data = in.Field<HostData, 0x0C0>(),
      .id_key_digest = in.Field<KeyDigest, 0x0E0>(),
      .author_key_digest = in.Field<KeyDigest, 0x110>(),
      .report_id = in.Field<ReportId, 0x140>(),
      .report_id_ma = in.Field<ReportId, 0x160>(),
      .reported_tcb = TcbAt<0x180>(in, product),
      .cpuid = cpuid,
      .product = product,
      .chip_id = in.Field<ChipId, 0x1A0>(),
      .committed_tcb = TcbAt<0x1E0>(in, product),
      .current_firmware = FirmwareAt<0x1E8>(in),
      .committed_firmware = FirmwareAt<0x1EC>(in),
      .launch_tcb = TcbAt<0x1F0>(in, product),
      .launch_mitigations = in.Field<std::uint64_t, 0x1F8>(),
      .current_mitigations = in.Field<std::uint64_t, 0x200>(),
      .r = in.Field<SignatureComponent, 0x2A0>(),
      .s = in.Field<SignatureComponent, 0x2E8>(),
  };
}

}  // namespace portcullis::snp
