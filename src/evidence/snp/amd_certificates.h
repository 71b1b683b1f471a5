#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evidence/snp/reference_values.h"

namespace portcullis::snp {

enum class AmdRole : std::uint8_t { kArk, kAsk, kAsvk };

/// A certificate that AMD signs with, and the pins it is held to.
struct AmdCertificate {
  Product product;
  AmdRole role;
  std::string_view common_name;
  std::string_view certificate_sha256;  // of the DER, hex
  std::string_view spki_sha256;         // of the DER SubjectPublicKeyInfo, hex
  std::string_view der_base64;
};

inline constexpr std::size_t kAmdCertificateCount = 9;
extern const AmdCertificate kAmdCertificates[kAmdCertificateCount];

}  // namespace portcullis::snp
