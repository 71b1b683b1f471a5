#pragma once

#include <string_view>

#include "crypto/jwk.h"
#include "crypto/openssl.h"

namespace portcullis::crypto {

/// What sets one curve apart from another; the encodings around its keys are constants.
struct CurveProfile {
  Curve curve;
  std::string_view name;           // RFC 7518 6.2.1.1
  std::string_view jws_algorithm;  // RFC 7518 3.4
  int nid;
  const char* group;  // OpenSSL's name
  std::size_t field_bytes;
  const EVP_MD* (*digest)();  // the hash that belongs to it in JWS
  std::string_view order_hex;
  // DER with named curve and uncompressed point:
  std::string_view spki_prefix;   // SubjectPublicKeyInfo (RFC 5480) up to x
  std::string_view pkcs8_prefix;  // PrivateKeyInfo (RFC 5958, RFC 5915) up to d
  std::string_view pkcs8_middle;  // between d and x
  std::string_view object_id;     // content of the curve's OBJECT IDENTIFIER
};

const CurveProfile& ProfileOf(Curve curve);
std::span<const CurveProfile> AllCurves();

}  // namespace portcullis::crypto
