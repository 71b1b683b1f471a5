#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"
#include "evidence/tdx/collateral.h"

namespace portcullis::tdx {

// Names in Intel's certificates, compared whole: a part would do for whoever gets a name that holds it.
inline constexpr std::string_view kRootName = "Intel SGX Root CA";
inline constexpr std::string_view kPlatformCaName = "Intel SGX PCK Platform CA";
inline constexpr std::string_view kProcessorCaName = "Intel SGX PCK Processor CA";
inline constexpr std::string_view kPckName = "Intel SGX PCK Certificate";
inline constexpr std::string_view kTcbSigningName = "Intel SGX TCB Signing";

inline constexpr std::size_t kMaxChainBytes = 16 * 1024;  // genuine ones have 3.7 KiB

/// Exactly `count` certificates in PEM with nothing but line ends between them; behind the last one zero byte
/// may stand, as Intel's quote generation writes it. Error: EvidenceMalformed.
Result<std::vector<crypto::Certificate>> ParseChain(Bytes pem, std::size_t count);

/// What a certificate is for in Intel's hierarchy (tdx.md section 3).
enum class Role : std::uint8_t { kRoot, kAuthority, kEndEntity };
/// P-256, the constraints and key usages of its role, no critical extension beside them.
bool FitsProfile(const crypto::Certificate& certificate, Role role);

/// The PCK CA of this name.
std::optional<PckCa> PckCaNamed(std::string_view common_name);

/// Whether the root signed itself, so that what it says beside its pinned key is its own word.
bool IsSelfSigned(const crypto::Certificate& root);

}  // namespace portcullis::tdx
