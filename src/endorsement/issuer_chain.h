#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"

namespace portcullis::endorsement {

/// The PEM text of an issuer-chain header of Intel's service, which is percent-encoded. Strict: an escape is
/// two hex digits, the text printable ASCII with line ends, at most kMaxChainBytes, and PEM certificates
/// (two, at most four) are all there is in it. Error: EvidenceMalformed.
Result<std::string> DecodeIssuerChain(std::string_view header);

/// The certificates of a chain in PEM, in its order. Error: EvidenceMalformed.
Result<std::vector<crypto::Certificate>> CertificatesOf(std::string_view chain);

}  // namespace portcullis::endorsement
