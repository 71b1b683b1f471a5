#pragma once

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <array>
#include <string>

#include "crypto/openssl.h"

// Records that cost a server work and bring no request, made ahead, so that they can be sent in one piece.

namespace portcullis::http::test {

/// A size that no buffer of a power of two is a multiple of: some of the next record is always there.
inline constexpr std::size_t kKeyUpdateBytes = 65;

inline std::string KeyUpdates(SSL* client, int count) {
  SSL_set_record_padding_callback(client, [](SSL*, int, std::size_t, void*) -> std::size_t { return 38; });
  BIO* const wire = SSL_get_wbio(client);
  BIO* const memory = BIO_new(BIO_s_mem());
  BIO_up_ref(wire);
  BIO_up_ref(memory);
  SSL_set0_wbio(client, memory);
  for (int i = 0; i < count; ++i) {
    SSL_key_update(client, SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(client);
  }
  SSL_set0_wbio(client, wire);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  std::string records(bytes, static_cast<std::size_t>(size));
  BIO_free(memory);
  return records;
}

/// Records of TLS 1.2 with the first bytes of a ClientHello each, which OpenSSL's client would send but once.
/// `client` must have chosen AES-128-GCM with SHA-256 and sent nothing since its Finished.
inline std::string ClientHellos(SSL* client, int count) {
  std::array<unsigned char, 48> master{};
  std::array<unsigned char, 32> client_random{}, server_random{};
  SSL_SESSION_get_master_key(SSL_get_session(client), master.data(), master.size());
  SSL_get_client_random(client, client_random.data(), client_random.size());
  SSL_get_server_random(client, server_random.data(), server_random.size());
  std::string seed = "key expansion";  // RFC 5246 6.3
  seed.append(server_random.begin(), server_random.end()).append(client_random.begin(), client_random.end());

  constexpr std::size_t kKeySize = 16, kSaltSize = 4;
  std::array<unsigned char, 2 * kKeySize + 2 * kSaltSize> block{};  // keys of client and server, then salts
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master.data(), master.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()), OSSL_PARAM_END};
  EVP_KDF* const prf = EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr);
  const crypto::KdfContextPtr kdf(EVP_KDF_CTX_new(prf));
  EVP_KDF_free(prf);
  EVP_KDF_derive(kdf.get(), block.data(), block.size(), parameters);

  constexpr std::array<unsigned char, 4> kHello = {SSL3_MT_CLIENT_HELLO, 0, 0, 0};
  constexpr std::size_t kTagSize = 16, kExplicitSize = 8;
  const crypto::CipherContextPtr cipher(EVP_CIPHER_CTX_new());
  std::string records;
  for (int i = 0; i < count; ++i) {
    std::array<unsigned char, 8> sequence{};  // Finished was the first under these keys
    for (std::size_t byte = 0; byte < 8; ++byte)
      sequence[byte] = static_cast<unsigned char>((static_cast<std::uint64_t>(i) + 1) >> (56 - 8 * byte));
    std::array<unsigned char, kSaltSize + kExplicitSize> nonce{};
    std::copy_n(block.data() + 2 * kKeySize, kSaltSize, nonce.data());
    std::copy_n(sequence.data(), kExplicitSize, nonce.data() + kSaltSize);
    std::array<unsigned char, 13> authenticated{};
    std::copy_n(sequence.data(), sequence.size(), authenticated.data());
    constexpr std::array<unsigned char, 5> kRest = {SSL3_RT_HANDSHAKE, 3, 3, 0, kHello.size()};
    std::copy_n(kRest.data(), kRest.size(), authenticated.data() + sequence.size());

    std::array<unsigned char, kHello.size() + kTagSize> sealed{};
    int size = 0;
    EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, block.data(), nonce.data());
    EVP_EncryptUpdate(cipher.get(), nullptr, &size, authenticated.data(), authenticated.size());
    EVP_EncryptUpdate(cipher.get(), sealed.data(), &size, kHello.data(), kHello.size());
    EVP_EncryptFinal_ex(cipher.get(), sealed.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, sealed.data() + kHello.size());
    records.append({SSL3_RT_HANDSHAKE, 3, 3, 0, static_cast<char>(kExplicitSize + sealed.size())});
    records.append(sequence.begin(), sequence.end()).append(sealed.begin(), sealed.end());
  }
  return records;
}

}  // namespace portcullis::http::test
