#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "codec/json.h"
#include "operator/options.h"

namespace portcullis::control {

/// Whose a release must be at the broker for a call to touch it; an empty `pod_uid` is any pod's of the
/// namespace.
struct ReleaseOwner {
  std::string namespace_name, pod_uid = {};
};

/// The broker's control-plane API (docs/reference/api.md) as a port, for one cluster: it says what this
/// cluster mirrors, and lists and takes back no other's. What it hands out is ciphertext, documents and
/// verdicts. Errors carry the code of the broker's problem body; Unreachable where there is no answer.
/// Thread-safe.
class Broker {
 public:
  virtual ~Broker() = default;
  virtual Result<codec::Json> PutKey(const std::string& namespace_name, const std::string& name,
                                     const codec::Json& spec) = 0;
  /// Withdraws the key for this cluster; idempotent.
  virtual Result<> DeleteKey(const std::string& namespace_name, const std::string& name) = 0;
  /// A page of what this cluster mirrors: {"keys":[{"namespace","name"}],"next"}, "policies" likewise.
  virtual Result<codec::Json> ListKeys(const std::string& after) = 0;
  virtual Result<codec::Json> PutPolicy(const std::string& namespace_name, const std::string& name,
                                        const codec::Json& body) = 0;
  virtual Result<> DeletePolicy(const std::string& namespace_name, const std::string& name) = 0;
  virtual Result<codec::Json> ListPolicies(const std::string& after) = 0;
  virtual Result<codec::Json> PutRelease(const std::string& id, const codec::Json& registration) = 0;
  virtual Result<codec::Json> GetRelease(const std::string& id) = 0;
  /// The release, revoked. Error: Conflict where it is not `owner`'s in this cluster; then nothing happened.
  virtual Result<codec::Json> RevokeRelease(const std::string& id, std::string_view cause,
                                            const ReleaseOwner& owner) = 0;
  /// A page of summaries of this cluster's releases that are not revoked.
  virtual Result<codec::Json> ListReleases(const std::string& after) = 0;
  virtual Result<codec::Json> Decisions(std::int64_t after, std::chrono::seconds wait) = 0;
  virtual Result<codec::Json> Identity() = 0;
};

/// Above the long poll of 5 s; stopping waits for a call that is under way, and has 30 s.
inline constexpr std::chrono::seconds kBrokerTimeout{10};

/// Over mTLS; certificate files are read anew when a connection fails, so that they can be rotated.
/// `may_write` is asked before each call that changes something, which is refused (Unreachable) where it says
/// no; empty: always. A call ends after `timeout`, whatever comes. Thread-safe.
Result<std::unique_ptr<Broker>> ConnectBroker(const Options& options, std::function<bool()> may_write = {},
                                              std::chrono::seconds timeout = kBrokerTimeout);

}  // namespace portcullis::control
