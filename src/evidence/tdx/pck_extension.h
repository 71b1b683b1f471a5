#pragma once

#include <array>
#include <optional>

#include "crypto/certificate.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::tdx {

inline constexpr std::size_t kTcbComponents = 16;
using TcbComponents = std::array<std::uint8_t, kTcbComponents>;
using PceId = FixedBytes<struct PceIdTag, 2>;
using CpuSvn = FixedBytes<struct CpuSvnTag, 16>;
using PlatformInstanceId = FixedBytes<struct PlatformInstanceIdTag, 16>;

enum class SgxType : std::uint8_t { kStandard, kScalable, kScalableWithIntegrity };

/// Intel's SGX extension of a PCK certificate: the platform, and the TCB that the key was certified for.
struct PckExtension {
  Ppid ppid;
  TcbComponents components;
  std::uint16_t pce_svn;
  CpuSvn cpu_svn;
  PceId pce_id;
  Fmspc fmspc;
  SgxType sgx_type;
  std::optional<PlatformInstanceId> platform_instance_id;  // this and what follows: Platform CA only
  std::optional<bool> dynamic_platform, cached_keys, smt_enabled;
};

/// Reads the extension 1.2.840.113741.1.13.1: every field at most once, those of the Processor CA present,
/// nothing unknown, the CPUSVN equal to the components. Error: CertificateMismatch.
Result<PckExtension> ParsePckExtension(const crypto::Certificate& pck);
/// The same of the extension's value alone.
Result<PckExtension> ParseSgxExtension(Bytes value);

}  // namespace portcullis::tdx
