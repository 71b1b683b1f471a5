#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret_bytes.h"
#include "crypto/digest.h"
#include "crypto/jwk.h"

namespace portcullis::crypto {

inline constexpr std::size_t kMaxCertificateBytes = 16 * 1024;

/// An X.509 v3 certificate as received: well formed, not believed. Refused at parsing: trailing bytes,
/// re-encoding that differs (BER), version other than v3, a duplicate extension, outer and inner signature
/// algorithm that differ (research/reliability/hazards.md X1 to X7). Immutable, thread-safe, cheap to copy.
class Certificate {
 public:
  /// Error: EvidenceMalformed.
  static Result<Certificate> Parse(Bytes der);

  Bytes der() const;
  Sha256Digest fingerprint() const;       // of the DER
  Sha256Digest spki_fingerprint() const;  // of the DER SubjectPublicKeyInfo
  std::string subject() const;            // RFC 2253, escaped: safe to print
  std::string issuer() const;
  std::string subject_common_name() const;  // "" unless there is exactly one, printable ASCII
  std::string issuer_common_name() const;
  WallTime not_before() const;
  WallTime not_after() const;
  bool ValidAt(WallTime time) const { return not_before() <= time && time <= not_after(); }
  std::uint64_t serial() const;  // saturates at UINT64_MAX
  /// Critical basicConstraints with cA TRUE, and keyUsage with keyCertSign. IsSignedBy_* do not ask this.
  bool is_ca() const;
  /// The raw content of the extnValue OCTET STRING of the extension with this dotted OID; nullopt where
  /// absent. A view, as der() is: it lives as long as this certificate or a copy of it.
  std::optional<Bytes> Extension(std::string_view oid) const;
  /// Whether an extension marked critical is not one of basicConstraints, keyUsage, extendedKeyUsage,
  /// certificatePolicies, subjectAltName.
  bool HasUnknownCriticalExtension() const;
  /// The public key where it is EC on a named curve.
  std::optional<EcPublicKey> ec_key() const;

  /// Signed by `issuer`'s key, with issuer's subject equal to our issuer name. For RSA-PSS the parameters
  /// must be SHA-384, MGF1-SHA-384, salt 48, trailer 1 (AMD's profile); plain PKCS#1, SHA-1 or anything else
  /// is false.
  bool IsSignedBy_RsaPssSha384(const Certificate& issuer) const;
  /// ECDSA with SHA-256 or SHA-384 under an EC issuer key.
  bool IsSignedBy_Ecdsa(const Certificate& issuer) const;

  struct Impl;
  explicit Certificate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// ECDSA P-384 with SHA-384 over `message`, r and s given as big-endian of any length up to 48 (AMD's
/// little-endian fields are turned by the caller). False for any defect; r and s must be in [1, n-1].
bool VerifyP384(const Certificate& leaf, Bytes message, Bytes r, Bytes s);

/// Makes certificates for our own TLS (webhook, broker client CA in development) and for the lab's roots.
struct CertificateTemplate {
  std::string common_name;
  std::vector<std::string> dns_names, ip_addresses, uris;
  bool is_ca = false;
  bool server_auth = false, client_auth = false;
  WallTime not_before, not_after;
};
struct IssuedCertificate {
  ByteBuffer certificate_der;
  SecretBytes private_key_pem;  // EC P-256, PKCS#8
};
/// Self-signed CA, or a leaf under `issuer` (its certificate DER and key PEM).
Result<IssuedCertificate> IssueCertificate(const CertificateTemplate& wanted);
Result<IssuedCertificate> IssueCertificate(const CertificateTemplate& wanted, Bytes issuer_der,
                                           const SecretBytes& issuer_key_pem);

}  // namespace portcullis::crypto
