#pragma once

#include <string>

#include "base/bytes.h"

namespace portcullis::agent {

/// The files that the kernel's attestation interface is made of, as a port: configfs in a guest, a stand-in
/// in the lab. Errors carry the path; `retryable` ones (EAGAIN, EBUSY) are Overloaded, a missing path is
/// NotFound, one that this user may not access or that is read-only ConfigurationInvalid, all others
/// InternalError.
class Files {
 public:
  virtual ~Files() = default;
  virtual Result<> MakeDirectory(const std::string& path) = 0;
  virtual Result<> RemoveDirectory(const std::string& path) = 0;
  virtual Result<> Write(const std::string& path, Bytes content) = 0;  // one write(2), as configfs wants it
  virtual Result<ByteBuffer> Read(const std::string& path, std::size_t max_bytes) = 0;
};

class SystemFiles final : public Files {
 public:
  Result<> MakeDirectory(const std::string& path) override;
  Result<> RemoveDirectory(const std::string& path) override;
  Result<> Write(const std::string& path, Bytes content) override;
  Result<ByteBuffer> Read(const std::string& path, std::size_t max_bytes) override;
};

}  // namespace portcullis::agent
