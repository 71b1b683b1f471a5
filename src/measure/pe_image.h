#pragma once

#include "crypto/digest.h"

namespace portcullis::measure {

inline constexpr std::size_t kMaxKernelBytes = 256u << 20;
inline constexpr std::size_t kMaxPeSections = 96;  // the limit of the Windows loader; a kernel has about 5

/// The Authenticode digest of a PE/COFF image, with SHA-384, as EDK II measures what it starts
/// (MeasurePeImageAndExtend): all but checksum, the directory entry of the certificates and the certificates.
/// Errors: RequestMalformed (no PE image, offsets that leave it, too many sections).
Result<crypto::Sha384Digest> AuthenticodeDigest(Bytes image);

}  // namespace portcullis::measure
