#pragma once

#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"

/// Files named on the command line. A path that can't be used is ConfigurationInvalid (a usage error), a
/// content above its limit RequestMalformed; both name the path.
namespace portcullis::cli {

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);
/// The first bytes of a file, fewer where it is shorter: to tell kinds of files apart.
Result<std::string> ReadHead(const std::string& path, std::size_t bytes);
/// As ReadFile, into memory that is wiped. No group or other may have any right to the file.
Result<SecretBytes> ReadSecretFile(const std::string& path, std::size_t max_bytes);
/// All that a descriptor has left, at most `max_bytes`.
Result<SecretBytes> ReadDescriptor(int descriptor, std::size_t max_bytes);

/// Makes a file that must not exist, with exactly this mode, and has it on the disk before returning.
Result<> WriteNewFile(const std::string& path, Bytes content, unsigned mode);

}  // namespace portcullis::cli
