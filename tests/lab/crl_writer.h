#pragma once

#include <vector>

#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

/// A revocation list in AMD's profile: version 2, AMD's names, a number, RSASSA-PSS with SHA-384.
struct CrlSpec {
  std::string issuer_name;  // "ARK-Milan"
  WallTime this_update, next_update;
  std::vector<std::uint64_t> revoked;
  std::uint64_t number = 1;
};
ByteBuffer SignCrl(const CrlSpec& spec, const SharedKey& issuer_key, const PssParameters& pss = {});

}  // namespace portcullis::lab
