#pragma once

#include <string>
#include <vector>

#include "cli/cli.h"
#include "codec/json.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "crypto/jwk.h"

/// What files on a desk hold, read strictly. A defect is RequestMalformed and names the file.
namespace portcullis::cli {

inline constexpr std::string_view kApiVersion = "portcullis.dev/v1alpha1";

/// JSON or YAML, from a file or, for "-", from standard input.
Result<codec::Json> ReadDocument(const std::string& path, const CliPorts& ports);

/// A policy document, alone or within a ReleasePolicy object, whose signatures then come along.
struct PolicyFile {
  codec::Json document;
  std::vector<std::string> signatures;
  bool is_object;  // a ReleasePolicy
};
Result<PolicyFile> ReadPolicyFile(const std::string& path, const CliPorts& ports);

/// Certificates of a file: one DER, PEM blocks, or the certificate table of an extended SNP report (auxblob).
Result<std::vector<crypto::Certificate>> ReadCertificates(const std::string& path);

/// A certificate revocation list in DER, as AMD serves it.
Result<crypto::Crl> ReadCrl(const std::string& path);

/// An EC public key: PEM ("PUBLIC KEY") or JWK.
Result<crypto::EcPublicKey> ReadPublicKey(const std::string& path);
/// An EC private key in PEM, of a file that is its owner's alone. A public one is told apart and refused.
Result<crypto::EcPrivateKey> ReadPrivateKey(const std::string& path);

}  // namespace portcullis::cli
