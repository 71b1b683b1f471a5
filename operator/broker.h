#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "codec/json.h"
#include "operator/options.h"

namespace portcullis::control {

/// The broker's control-plane API (docs/reference/api.md) as a port. What it hands out is ciphertext,
/// documents and verdicts. Errors carry the code of the broker's problem body; Unreachable where there is no
/// answer. Thread-safe.
class Broker {
 public:
  virtual ~Broker() = default;
  virtual Result<codec::Json> PutKey(const std::string& namespace_name, const std::string& name,
                                     const codec::Json& spec) = 0;
  virtual Result<> DeleteKey(const std::string& namespace_name, const std::string& name) = 0;
  virtual Result<codec::Json> PutPolicy(const std::string& namespace_name, const std::string& name,
                                        const codec::Json& body) = 0;
  virtual Result<> DeletePolicy(const std::string& namespace_name, const std::string& name) = 0;
  virtual Result<codec::Json> PutRelease(const std::string& id, const codec::Json& registration) = 0;
  virtual Result<codec::Json> GetRelease(const std::string& id) = 0;
  virtual Result<codec::Json> RevokeRelease(const std::string& id, std::string_view cause) = 0;
  virtual Result<codec::Json> ListReleases(const std::string& after) = 0;
  virtual Result<codec::Json> Decisions(std::int64_t after, std::chrono::seconds wait) = 0;
  virtual Result<codec::Json> Identity() = 0;
};

/// Over mTLS; certificate files are read anew when a connection fails, so that they can be rotated.
Result<std::unique_ptr<Broker>> ConnectBroker(const Options& options);

}  // namespace portcullis::control
