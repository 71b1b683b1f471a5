#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/openssl.h"

namespace portcullis::lab {

/// A key that certificates and reports are signed with. Throw-away: it protects nothing.
using SharedKey = std::shared_ptr<EVP_PKEY>;

SharedKey GenerateRsa4096();
SharedKey GenerateP384();

/// AMD's, unless something is to be wrong.
struct PssParameters {
  std::string digest = "SHA384", mask_digest = "SHA384";
  int salt = 48;
};
/// A signature in the making over what is given to it next.
crypto::DigestContextPtr PssSigning(const SharedKey& key, const PssParameters& pss);

using NamePtr = std::unique_ptr<X509_NAME, crypto::FreeWith<X509_NAME_free>>;
/// AMD's names: OU, C, L, ST and O are the same everywhere.
NamePtr AmdName(std::string_view common_name);

/// OpenSSL's form of a certificate.
crypto::X509Ptr OpenSslOf(const crypto::Certificate& certificate);

/// A certificate in the making: v3; with texts for names they are AMD's.
class X509Writer {
 public:
  X509Writer(std::uint64_t serial, const X509_NAME& subject_name, const X509_NAME& issuer_name,
             WallTime not_before, WallTime not_after, const SharedKey& subject_key);
  X509Writer(long serial, std::string_view subject_name, std::string_view issuer_name, WallTime not_before,
             WallTime not_after, const SharedKey& subject_key);

  /// An extension with `value` as the raw content of its OCTET STRING.
  void Add(const std::string& oid, Bytes value, bool critical = false);
  /// An extension by OpenSSL's own name and syntax; `issuer` null where the certificate is self-signed.
  void AddStandard(int nid, const std::string& value, X509* issuer = nullptr);

  using Pss = PssParameters;
  /// As AMD does.
  ByteBuffer Sign(const SharedKey& issuer_key, const Pss& pss);
  /// As Intel does: ECDSA, with the digest of this name.
  ByteBuffer SignEcdsa(const SharedKey& issuer_key, const std::string& digest);

 private:
  crypto::X509Ptr certificate_;
};

}  // namespace portcullis::lab
