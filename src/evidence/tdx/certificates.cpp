#include "evidence/tdx/certificates.h"

#include <algorithm>

#include "codec/text.h"

namespace portcullis::tdx {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::string_view kBasicConstraints = "2.5.29.19";
constexpr std::string_view kKeyUsage = "2.5.29.15";

// The whole extension values, as every certificate of Intel's has them.
constexpr auto kPathLength1 = "\x30\x06\x01\x01\xFF\x02\x01\x01"sv;
constexpr auto kPathLength0 = "\x30\x06\x01\x01\xFF\x02\x01\x00"sv;
constexpr auto kNoAuthority = "\x30\x00"sv;
constexpr auto kSignsCertificatesAndLists = "\x03\x02\x01\x06"sv;
constexpr auto kSignsData = "\x03\x02\x06\xC0"sv;  // digitalSignature, nonRepudiation

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

std::string_view SkipLineEnds(std::string_view text) {
  const std::size_t first = text.find_first_not_of("\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

/// One block from the start of the text.
Result<crypto::Certificate> TakeCertificate(std::string_view& text) {
  if (!text.starts_with(kBegin)) return Malformed("chain holds something other than certificates");
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos) return Malformed("certificate in PEM does not end");
  const std::size_t size = end + kEnd.size();
  const auto blocks = codec::ParsePem(text.substr(0, size), 1);
  if (!blocks || blocks->size() != 1) return Malformed("certificate is not PEM");
  text = SkipLineEnds(text.substr(size));
  return crypto::Certificate::Parse(blocks->front().der);
}

bool HasExtension(const crypto::Certificate& certificate, std::string_view oid, std::string_view value) {
  const auto found = certificate.Extension(oid);
  return found && SameBytes(*found, AsBytes(value));
}

}  // namespace

Result<std::vector<crypto::Certificate>> ParseChain(Bytes pem, std::size_t count) {
  if (pem.size() > kMaxChainBytes) return Malformed("chain is larger than 16 KiB");
  std::string_view text = AsText(pem);
  if (text.ends_with('\0')) text.remove_suffix(1);
  text = SkipLineEnds(text);
  std::vector<crypto::Certificate> out;
  while (!text.empty()) {
    if (out.size() == count) return Malformed("chain has too many certificates");
    out.push_back(TRY(TakeCertificate(text)));
  }
  if (out.size() != count) return Malformed("chain has too few certificates");
  return out;
}

bool FitsProfile(const crypto::Certificate& certificate, Role role) {
  const auto key = certificate.ec_key();
  if (!key || key->curve() != crypto::Curve::kP256 || certificate.HasUnknownCriticalExtension()) return false;
  if (certificate.is_ca() != (role != Role::kEndEntity)) return false;
  switch (role) {
    case Role::kRoot:
      return HasExtension(certificate, kBasicConstraints, kPathLength1) &&
             HasExtension(certificate, kKeyUsage, kSignsCertificatesAndLists);
    case Role::kAuthority:
      return HasExtension(certificate, kBasicConstraints, kPathLength0) &&
             HasExtension(certificate, kKeyUsage, kSignsCertificatesAndLists);
    case Role::kEndEntity:
      return HasExtension(certificate, kBasicConstraints, kNoAuthority) &&
             HasExtension(certificate, kKeyUsage, kSignsData);
  }
  return false;
}

std::optional<PckCa> PckCaNamed(std::string_view common_name) {
  if (common_name == kPlatformCaName) return PckCa::kPlatform;
  if (common_name == kProcessorCaName) return PckCa::kProcessor;
  return std::nullopt;
}

bool IsSelfSigned(const crypto::Certificate& root) { return root.IsSignedBy_Ecdsa(root); }

}  // namespace portcullis::tdx
