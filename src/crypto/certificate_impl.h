#pragma once

#include <vector>

#include "crypto/certificate.h"
#include "crypto/der.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

/// One entry of the extensions; `object_id` is the content of its OBJECT IDENTIFIER.
struct CertificateExtension {
  Bytes object_id;
  bool critical;
  Bytes value;
};

/// What certificate.h hides. All views point into `der`.
struct Certificate::Impl {
  ByteBuffer der;
  Bytes signed_part;          // tbsCertificate, as it was signed
  Bytes signature_algorithm;  // AlgorithmIdentifier; outer and inner are the same bytes
  Bytes signature;
  std::uint64_t serial = 0;
  Bytes serial_content;   // of the INTEGER, minimal as DER demands
  Bytes issuer, subject;  // Names
  WallTime not_before, not_after;
  Bytes spki;
  std::vector<CertificateExtension> extensions;
  Sha256Digest fingerprint, spki_fingerprint;
  std::optional<EcPublicKey> ec_key;
  bool is_ca = false;
  X509Ptr x509;  // for names and for keys that are not EC
};

/// What an issuer signed: a certificate or a revocation list. `algorithm` is the whole AlgorithmIdentifier.
struct SignedPart {
  Bytes bytes, algorithm, signature;
};
/// The profiles of Certificate::IsSignedBy_*; names are the caller's to compare.
bool IsSignedWithRsaPssSha384(const SignedPart& what, const Certificate::Impl& issuer);
bool IsSignedWithEcdsa(const SignedPart& what, const Certificate::Impl& issuer);

/// The common name where there is exactly one and it is printable ASCII; else "".
std::string CommonNameOf(const X509_NAME* name);

/// A serial number as it may stand in a certificate or list: the content of the INTEGER, not negative, at
/// most 20 bytes and a sign. Error: EvidenceMalformed.
Result<Bytes> TakeSerial(DerReader& in);

/// Fills the views and values that stand in the DER itself. Error: EvidenceMalformed.
Result<> ReadCertificateFields(Certificate::Impl& out);

}  // namespace portcullis::crypto
