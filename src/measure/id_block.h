#pragma once

#include <optional>

#include "crypto/digest.h"
#include "crypto/jwk.h"
#include "measure/snp.h"

namespace portcullis::measure {

inline constexpr std::size_t kIdBlockBytes = 96;
inline constexpr std::size_t kIdAuthBytes = 4096;

using FamilyId = FixedBytes<struct FamilyIdTag, 16>;
using ImageId = FixedBytes<struct ImageIdTag, 16>;
using KeyDigest = crypto::Sha384Digest;  // ID_KEY_DIGEST and AUTHOR_KEY_DIGEST of a report

/// An ID block (AMD 56860, table 74): what the guest's owner says of the launch, signed by the ID key.
struct IdBlock {
  LaunchDigest launch_digest;
  FamilyId family_id;
  ImageId image_id;
  std::uint32_t guest_svn;
  std::uint64_t guest_policy;
};
/// Exactly kIdBlockBytes, version 1. Error: RequestMalformed.
Result<IdBlock> ParseIdBlock(Bytes bytes);

/// The digests that a report shows for an ID authentication structure (AMD 56860, table 75).
struct IdAuth {
  KeyDigest id_key;
  std::optional<KeyDigest> author_key;  // nullopt: there is none
};
/// Exactly kIdAuthBytes, ECDSA P-384 with SHA-384. Its signatures are not verified: the firmware refuses a
/// launch where they are wrong. Error: RequestMalformed.
Result<IdAuth> ParseIdAuth(Bytes bytes);

/// The digest of a public key as the firmware computes it. Error: RequestMalformed for another curve than
/// P-384.
Result<KeyDigest> DigestOfKey(const crypto::EcPublicKey& key);

}  // namespace portcullis::measure
