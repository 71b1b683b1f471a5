#pragma once

#include <vector>

#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

/// A revocation list of version 2 with a number.
struct CrlSpec {
  std::string issuer_name;  // "ARK-Milan"
  WallTime this_update, next_update;
  std::vector<std::uint64_t> revoked;
  std::uint64_t number = 1;
};
/// In AMD's profile: AMD's names, RSASSA-PSS with SHA-384.
ByteBuffer SignCrl(const CrlSpec& spec, const SharedKey& issuer_key, const PssParameters& pss = {});
/// In Intel's profile: ECDSA with SHA-256; `issuer_name` is the whole name.
ByteBuffer SignCrlEcdsa(const CrlSpec& spec, const X509_NAME& issuer_name, const SharedKey& issuer_key);

}  // namespace portcullis::lab
