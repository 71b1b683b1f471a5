#include "tests/bench/bare_operations.h"

#include <sqlite3.h>

#include <algorithm>

namespace portcullis::bench {
namespace {

using crypto::IntSize;
using crypto::Octets;
using crypto::Require;

constexpr std::size_t kSignedSize = 0x2A0, kSignatureComponent = 72;
constexpr std::size_t kTokenBytes = 2048;

/// A component of a report's signature: little-endian there, a number of OpenSSL's here.
BIGNUM* Component(Bytes report, std::size_t offset) {
  return BN_lebin2bn(Octets(report.subspan(offset, kSignatureComponent)), kSignatureComponent, nullptr);
}

ByteBuffer DerSignature(Bytes report) {
  const crypto::EcdsaSignaturePtr signature(ECDSA_SIG_new());
  Require(ECDSA_SIG_set0(signature.get(), Component(report, kSignedSize),
                         Component(report, kSignedSize + kSignatureComponent)) == 1);
  ByteBuffer der(static_cast<std::size_t>(i2d_ECDSA_SIG(signature.get(), nullptr)));
  unsigned char* out = Octets(std::span(der));
  Require(i2d_ECDSA_SIG(signature.get(), &out) > 0);
  return der;
}

crypto::X509Ptr ParsedFrom(Bytes der) {
  const unsigned char* cursor = Octets(der);
  crypto::X509Ptr parsed(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  Require(parsed != nullptr);
  return parsed;
}

crypto::KeyPtr KeyOf(const crypto::Certificate& certificate) {
  return crypto::KeyPtr(X509_get_pubkey(ParsedFrom(certificate.der()).get()));
}

}  // namespace

BareCrypto::BareCrypto(Bytes report, const crypto::Certificate& leaf)
    : signed_bytes_(ToBuffer(report.first(kSignedSize))),
      signature_(DerSignature(report)),
      token_(kTokenBytes, std::byte{'t'}),
      leaf_key_(KeyOf(leaf)),
      recipient_(EVP_EC_gen("P-256")),
      signing_(EVP_EC_gen("P-256")) {}

void BareCrypto::VerifyReport() const {
  const crypto::DigestContextPtr context(EVP_MD_CTX_new());
  Require(EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA384", nullptr, nullptr, leaf_key_.get(),
                                  nullptr) == 1);
  Require(EVP_DigestVerify(context.get(), Octets(Bytes(signature_)), signature_.size(),
                           Octets(Bytes(signed_bytes_)), signed_bytes_.size()) == 1);
}

void BareCrypto::VerifyChain(Bytes leaf, const crypto::Certificate& issuer, const crypto::Certificate& root) {
  const crypto::X509Ptr certificate = ParsedFrom(leaf), above = ParsedFrom(issuer.der()),
                        top = ParsedFrom(root.der());
  Require(X509_verify(certificate.get(), X509_get0_pubkey(above.get())) == 1);
  Require(X509_verify(above.get(), X509_get0_pubkey(top.get())) == 1);
  Require(X509_verify(top.get(), X509_get0_pubkey(top.get())) == 1);
}

void BareCrypto::SealKey() const {
  const crypto::KeyPtr ephemeral(EVP_EC_gen("P-256"));
  const crypto::KeyContextPtr agreement(EVP_PKEY_CTX_new_from_pkey(nullptr, ephemeral.get(), nullptr));
  unsigned char shared[32];
  std::size_t size = sizeof shared;
  Require(EVP_PKEY_derive_init(agreement.get()) == 1);
  Require(EVP_PKEY_derive_set_peer(agreement.get(), recipient_.get()) == 1);
  Require(EVP_PKEY_derive(agreement.get(), shared, &size) == 1);

  const crypto::CipherContextPtr cipher(EVP_CIPHER_CTX_new());
  const unsigned char iv[12] = {}, plaintext[32] = {};
  unsigned char ciphertext[32], tag[16];
  int written = 0;
  Require(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, shared, iv) == 1);
  Require(EVP_EncryptUpdate(cipher.get(), ciphertext, &written, plaintext, sizeof plaintext) == 1);
  Require(EVP_EncryptFinal_ex(cipher.get(), ciphertext + written, &written) == 1);
  Require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag) == 1);
}

void BareCrypto::SignToken() const {
  const crypto::DigestContextPtr context(EVP_MD_CTX_new());
  unsigned char signature[128];
  std::size_t size = sizeof signature;
  Require(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, signing_.get(),
                                nullptr) == 1);
  Require(EVP_DigestSign(context.get(), signature, &size, Octets(Bytes(token_)), token_.size()) == 1);
}

BareP256::BareP256(Bytes key, Bytes message, Bytes signature)
    : message_(ToBuffer(message)), key_(EVP_EC_gen("P-256")) {
  ByteBuffer point{std::byte{0x04}};
  Append(point, key);
  Require(EVP_PKEY_set1_encoded_public_key(key_.get(), Octets(Bytes(point)), point.size()) == 1);
  const Bytes r = signature.first(32), s = signature.last(32);
  const crypto::EcdsaSignaturePtr parts(ECDSA_SIG_new());
  Require(ECDSA_SIG_set0(parts.get(), BN_bin2bn(Octets(r), 32, nullptr), BN_bin2bn(Octets(s), 32, nullptr)) ==
          1);
  signature_.resize(static_cast<std::size_t>(i2d_ECDSA_SIG(parts.get(), nullptr)));
  unsigned char* out = Octets(std::span(signature_));
  Require(i2d_ECDSA_SIG(parts.get(), &out) > 0);
}

void BareP256::Verify() const {
  const crypto::DigestContextPtr context(EVP_MD_CTX_new());
  Require(EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(), nullptr) ==
          1);
  Require(EVP_DigestVerify(context.get(), Octets(Bytes(signature_)), signature_.size(),
                           Octets(Bytes(message_)), message_.size()) == 1);
}

BareCommit::BareCommit(const std::filesystem::path& database, std::size_t payload)
    : payload_(payload, std::byte{7}) {
  Require(sqlite3_open(database.c_str(), &database_) == SQLITE_OK);
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                          "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)"})
    Run(sql);
  Require(sqlite3_prepare_v2(database_, "INSERT INTO t(b) VALUES (?)", -1, &insert_, nullptr) == SQLITE_OK);
}

BareCommit::~BareCommit() {
  sqlite3_finalize(insert_);
  sqlite3_close(database_);
}

void BareCommit::Commit() {
  Run("BEGIN IMMEDIATE");
  Require(sqlite3_bind_blob(insert_, 1, payload_.data(), IntSize(payload_.size()), SQLITE_STATIC) ==
          SQLITE_OK);
  Require(sqlite3_step(insert_) == SQLITE_DONE && sqlite3_reset(insert_) == SQLITE_OK);
  Run("COMMIT");
}

void BareCommit::Run(const char* sql) {
  Require(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
}

}  // namespace portcullis::bench
