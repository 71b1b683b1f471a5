#pragma once

#include <filesystem>
#include <string>

#include "crypto/certificate.h"
#include "crypto/openssl.h"

struct sqlite3;
struct sqlite3_stmt;

namespace portcullis::bench {

/// What a release can't do without, as plain calls of OpenSSL and SQLite: the measure for everything around
/// it. Each aborts where it does not succeed: a figure of a failure means nothing.
class BareCrypto {
 public:
  /// `report` is signed by `leaf`, the rest is made here.
  BareCrypto(Bytes report, const crypto::Certificate& leaf);
  /// ECDSA P-384 with SHA-384 over the report's signed bytes.
  void VerifyReport() const;
  /// A chip's certificate parsed, and the chain above it: leaf, intermediate and root, each RSASSA-PSS.
  static void VerifyChain(Bytes leaf, const crypto::Certificate& issuer, const crypto::Certificate& root);
  /// A fresh P-256 key, ECDH with a recipient, AES-256-GCM over 32 bytes.
  void SealKey() const;
  /// ECDSA P-256 with SHA-256 over the size of a token.
  void SignToken() const;

 private:
  ByteBuffer signed_bytes_, signature_, token_;
  crypto::KeyPtr leaf_key_, recipient_, signing_;
};

/// The one signature of a TDX quote whose platform is known: ECDSA P-256 with SHA-256.
class BareP256 {
 public:
  /// `key` is x || y, `signature` r || s, each big-endian.
  BareP256(Bytes key, Bytes message, Bytes signature);
  void Verify() const;

 private:
  ByteBuffer message_, signature_;  // the signature in DER
  crypto::KeyPtr key_;
};

/// One row of `payload` bytes in one transaction: WAL, synchronous=FULL, as the broker's store.
class BareCommit {
 public:
  BareCommit(const std::filesystem::path& database, std::size_t payload);
  ~BareCommit();
  BareCommit(const BareCommit&) = delete;
  void Commit();

 private:
  void Run(const char* sql);
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  const ByteBuffer payload_;
};

}  // namespace portcullis::bench
