#pragma once

#include <openssl/evp.h>

namespace portcullis::crypto {

// The algorithms in use, fetched once a process: an implicit fetch costs more than hashing 32 bytes and makes
// threads contend. They live until the process ends.
const EVP_MD* Sha256Method();
const EVP_MD* Sha384Method();
const EVP_MD* Sha512Method();
const EVP_CIPHER* Aes256GcmMethod();
const EVP_CIPHER* Aes256WrapMethod();
EVP_KDF* HkdfMethod();

}  // namespace portcullis::crypto
