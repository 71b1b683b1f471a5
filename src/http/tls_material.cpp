#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/certificate.h"
#include "http/tls.h"

namespace portcullis::http {
namespace {

constexpr std::size_t kMaxCertificates = 512;  // a system trusts about 150 CAs

crypto::BioPtr ReadOnly(Bytes bytes) {
  return crypto::BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

/// Without it OpenSSL asks the terminal for the password of an encrypted key.
int NoPassword(char*, int, int, void*) { return -1; }

Error Invalid(StaticText text) {
  ERR_clear_error();
  return Error{ReasonCode::kConfigurationInvalid, text};
}

}  // namespace

Result<std::vector<X509Ptr>> ReadCertificates(std::string_view pem) {
  const crypto::BioPtr in = ReadOnly(AsBytes(pem));
  std::vector<X509Ptr> all;
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, NoPassword, nullptr)) {
    all.emplace_back(certificate);
    if (all.size() > kMaxCertificates) return Invalid("there are too many certificates");
  }
  const bool at_the_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_the_end) return Invalid("a certificate is damaged");
  if (all.empty()) return Invalid("there is no certificate in PEM");
  ERR_clear_error();
  return all;
}

Result<Credentials> ReadCredentials(std::string_view certificate_pem, const SecretBytes& key_pem) {
  Credentials read{.chain = TRY(ReadCertificates(certificate_pem)), .key = nullptr};
  read.key.reset(key_pem.Expose(
      [](Bytes pem) { return PEM_read_bio_PrivateKey(ReadOnly(pem).get(), nullptr, NoPassword, nullptr); }));
  if (read.key == nullptr) return Invalid("there is no private key in PEM");
  if (X509_check_private_key(read.chain.front().get(), read.key.get()) != 1)
    return Invalid("the private key is not that of the certificate");
  return read;
}

Result<X509StorePtr> StoreOf(const std::vector<X509Ptr>& roots) {
  X509StorePtr store(X509_STORE_new());
  if (store == nullptr) return Invalid("the trust store can't be made");
  for (const X509Ptr& root : roots)
    if (X509_STORE_add_cert(store.get(), root.get()) != 1)
      return Invalid("a root can't be added to the trust store");
  return store;
}

Result<> UseCredentials(SSL_CTX* context, const Credentials& credentials) {
  if (SSL_CTX_use_certificate(context, credentials.chain.front().get()) != 1)
    return Invalid("the certificate can't be used");
  if (SSL_CTX_clear_chain_certs(context) != 1) return Invalid("the certificate chain can't be set");
  for (std::size_t i = 1; i < credentials.chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, credentials.chain[i].get()) != 1)
      return Invalid("the certificate chain can't be used");
  if (SSL_CTX_use_PrivateKey(context, credentials.key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return Invalid("the private key can't be used");
  return Done{};
}

void RestrictProtocol(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

Result<std::optional<ClientIdentity>> PeerIdentity(const SSL* connection) {
  const X509* peer = SSL_get0_peer_certificate(connection);
  if (peer == nullptr) return std::optional<ClientIdentity>();

  unsigned char* encoded = nullptr;
  const int size = i2d_X509(peer, &encoded);
  if (size <= 0) return Error{ReasonCode::kUnauthorized, "the client's certificate can't be encoded"};
  const auto certificate =
      crypto::Certificate::Parse(std::as_bytes(std::span(encoded, static_cast<std::size_t>(size))));
  OPENSSL_free(encoded);
  if (!certificate) return Error{ReasonCode::kUnauthorized, "the client's certificate is not strict"};

  ClientIdentity identity{.common_name = certificate->subject_common_name(),
                          .uris = {},
                          .spki_fingerprint = certificate->spki_fingerprint()};
  const crypto::GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(peer, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    const Bytes bytes = std::as_bytes(
        std::span(ASN1_STRING_get0_data(uri), static_cast<std::size_t>(ASN1_STRING_length(uri))));
    identity.uris.push_back(ToText(bytes));
  }
  return std::optional<ClientIdentity>(std::move(identity));
}

}  // namespace portcullis::http
