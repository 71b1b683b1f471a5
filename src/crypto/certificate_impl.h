#pragma once

#include <vector>

#include "crypto/certificate.h"
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
  Bytes issuer, subject;  // Names
  WallTime not_before, not_after;
  Bytes spki;
  std::vector<CertificateExtension> extensions;
  Sha256Digest fingerprint, spki_fingerprint;
  std::optional<EcPublicKey> ec_key;
  bool is_ca = false;
  X509Ptr x509;  // for names and for keys that are not EC
};

/// Fills the views and values that stand in the DER itself. Error: EvidenceMalformed.
Result<> ReadCertificateFields(Certificate::Impl& out);

}  // namespace portcullis::crypto
