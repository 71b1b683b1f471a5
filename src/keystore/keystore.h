#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "crypto/jose.h"
#include "crypto/jwk.h"
#include "store/store.h"

namespace portcullis::keystore {

/// Below 128 bits it is no key.
inline constexpr std::size_t kMinModelKeyBytes = 16;
/// What a compact JWE of at most kMaxJoseBytes carries, beside 4 KiB for its header and its other parts.
inline constexpr std::size_t kMaxModelKeyBytes = (crypto::kMaxJoseBytes - 4096) / 4 * 3;
inline constexpr std::size_t kMaxVersions = 16;  // an object of all of them fits into etcd's 1.5 MiB
inline constexpr std::int64_t kMaxVersion = INT32_MAX;
inline constexpr std::size_t kMaxResourceSegment = 253;
/// Of one version; that of an authority on P-521 has some 350.
inline constexpr std::size_t kMaxKeySignatureBytes = 4096;
inline constexpr std::string_view kModelKeyJwsType = "portcullis-model-key+jws";

/// The key that wraps all keys at rest. From a file here; PKCS#11 and KMS providers have the same shape.
class Kek {
 public:
  /// A file of 32 raw bytes, 64 hex digits or base64; owner-only permissions demanded (or root's, readable by
  /// the process' group, as kubelet mounts Secrets). Error: KeyUnavailable, naming the path.
  static Result<Kek> FromFile(const std::string& path);
  static Kek FromBytes(SecretBytes key);  // exactly 32

  ByteBuffer Wrap(const SecretBytes& plaintext, std::string_view context) const;  // context is the AAD
  Result<SecretBytes> Unwrap(Bytes wrapped, std::string_view context) const;      // KeyUnavailable
  /// A key derived for one purpose (HKDF), so that the KEK itself has one use.
  SecretBytes Derive(std::string_view purpose) const;

 private:
  explicit Kek(SecretBytes key) : key_(std::make_shared<SecretBytes>(std::move(key))) {}
  std::shared_ptr<SecretBytes> key_;
};

/// The broker's own keys, made at first start and kept wrapped: EC P-256 for wrapping model keys and for
/// signing tokens, Ed25519 for the audit log.
struct Identity {
  crypto::EcPrivateKey wrapping;
  crypto::EcPrivateKey signing;
  SecretBytes audit_seed;
};
Result<Identity> LoadOrCreateIdentity(store::Store& store, const Kek& kek);

/// A ModelKey object's spec, checked: the authority that may release it, its resource, its wrapped versions.
struct ModelKey {
  std::string namespace_name, name;
  crypto::EcPublicKey authority;
  std::string resource;  // "<namespace>/<type>/<tag>"
  struct Version {
    std::int64_t version;   // 1, 2, ...; the highest is current
    std::string wrapped;    // compact JWE to the broker's wrapping key
    std::string signature;  // detached JWS of the authority; nothing is unwrapped before it has verified
  };
  std::vector<Version> versions;
};
/// Error: RequestMalformed with the field's path.
Result<ModelKey> ParseModelKey(std::string namespace_name, std::string name, const codec::Json& spec);

/// Which version of which key. Policies list keys by name, guests ask for them by resource.
struct KeyVersionId {
  std::string namespace_name, name, resource;
  std::int64_t version;
};

/// Wraps a model key to a broker and signs it. The JWE's protected header carries authority (thumbprint),
/// namespace, name, resource and version; the authority's signature covers the last four and the JWE's bytes,
/// since anybody can encrypt to a broker. A broker takes keys of kMinModelKeyBytes to kMaxModelKeyBytes and
/// versions of 1 to kMaxVersion.
ModelKey::Version WrapModelKey(const SecretBytes& key, const crypto::EcPublicKey& broker,
                               const KeyVersionId& id, const crypto::EcPrivateKey& authority, Random& random);

/// Model keys at rest. Nothing in the store is plaintext. Thread-safe.
class ModelKeys {
 public:
  static Result<std::unique_ptr<ModelKeys>> Open(store::Store& store, const Kek& kek,
                                                 const crypto::EcPrivateKey& wrapping);
  /// Verifies and unwraps every version once (so that a key for another broker, of another name or with a
  /// swapped authority, is refused at once), re-wraps under the KEK with AAD (namespace, name, version,
  /// authority) and stores it. Idempotent.
  /// Errors: KeyUnavailable, KeySignatureInvalid, PolicyAuthorityMismatch (signed by another; the authority
  /// of an existing key can't change), Conflict.
  Result<> Put(store::Transaction& transaction, const ModelKey& key);
  Result<> Delete(store::Transaction& transaction, const std::string& namespace_name,
                  const std::string& name);

  struct Info {
    std::string namespace_name, name, resource;
    crypto::EcPublicKey authority;
    std::int64_t current_version;
  };
  Result<std::optional<Info>> Find(store::Transaction& transaction, const std::string& namespace_name,
                                   const std::string& name) const;
  Result<std::optional<Info>> FindByResource(store::Transaction& transaction,
                                             const std::string& resource) const;

  /// Unwraps the current version and seals it to the guest's key: the one place where a model key is in the
  /// clear, for the time of one seal. `extra` goes into the JWE's protected header.
  Result<crypto::Jwe> SealTo(store::Transaction& transaction, const Info& key,
                             const crypto::EcPublicKey& recipient, Random& random,
                             const codec::JsonObject& extra) const;

 private:
  ModelKeys(const Kek& kek, const crypto::EcPrivateKey& wrapping) : kek_(kek), wrapping_(&wrapping) {}
  Result<std::optional<Info>> InfoFrom(const std::vector<store::Row>& rows) const;
  Result<crypto::EcPublicKey> AuthorityOf(Bytes spki) const;

  Kek kek_;
  const crypto::EcPrivateKey* wrapping_;
  // By their exact bytes: few authorities own many keys, and each release looks at one.
  mutable std::mutex authorities_mutex_;
  mutable std::map<ByteBuffer, crypto::EcPublicKey> authorities_;
};

}  // namespace portcullis::keystore
