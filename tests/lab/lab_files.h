#pragma once

#include <filesystem>

#include "crypto/certificate.h"
#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

// The files that a PKI of the lab is kept in. Errors: ConfigurationInvalid.

Result<ByteBuffer> ReadAll(const std::filesystem::path& path);
Result<> WriteAll(const std::filesystem::path& path, Bytes bytes);
Result<> MakeFolder(const std::filesystem::path& path);
/// Keys as PKCS#8 or SEC1 in DER, unprotected.
Result<SharedKey> LoadKey(const std::filesystem::path& path);
Result<> SaveKey(const std::filesystem::path& path, const SharedKey& key);
Result<crypto::Certificate> LoadCertificate(const std::filesystem::path& path);

}  // namespace portcullis::lab
