#include <algorithm>

#include "crypto/digest.h"
#include "keystore/keystore.h"
#include "keystore/wrap.h"

namespace portcullis::keystore {
namespace {

using store::Transaction;
using store::Value;

constexpr std::size_t kMaxRememberedAuthorities = 256;

Error Conflict(StaticText text) { return {ReasonCode::kConflict, text}; }

/// What a wrapped version is bound to: in another row, or beside another authority or resource, it does not
/// open.
std::string ContextOf(const ModelKeys::Info& key, std::int64_t version) {
  return codec::ToCanonicalText(codec::Json::Array({"portcullis-model-key-v1", key.namespace_name, key.name,
                                                    key.resource, key.authority.Thumbprint(), version}));
}

Result<std::optional<ByteBuffer>> SelectWrapped(Transaction& transaction, const ModelKeys::Info& key,
                                                std::int64_t version) {
  const auto rows = TRY(transaction.Query(
      "SELECT wrapped FROM model_key_versions WHERE namespace = ? AND name = ? AND version = ?",
      {key.namespace_name, key.name, version}));
  if (rows.empty()) return std::optional<ByteBuffer>();
  return std::optional(ToBuffer(store::BlobOf(rows.front().front())));
}

/// A new key, or an existing one that stays what it is.
Result<> PutObject(Transaction& transaction, const ModelKeys::Info& key,
                   const std::optional<ModelKeys::Info>& existing) {
  if (!existing) {
    auto inserted = transaction.Execute(
        "INSERT INTO model_keys (namespace, name, resource, authority) VALUES (?, ?, ?, ?)",
        {key.namespace_name, key.name, key.resource, key.authority.ToSpki()});
    if (!inserted && inserted.error().code == ReasonCode::kConflict)
      return Conflict("another model key has this resource");
    TRY(std::move(inserted));
    return Done{};
  }
  if (!(existing->authority == key.authority))
    return Error{ReasonCode::kPolicyAuthorityMismatch, "the authority of a model key can't change"};
  if (existing->resource != key.resource) return Conflict("the resource of a model key can't change");
  // Going back would bring a key into use again that its owner has replaced.
  if (existing->current_version > key.current_version)
    return Conflict("the model key's highest version is below the one accepted before");
  return Done{};
}

Result<> PutVersion(Transaction& transaction, const Kek& kek, const ModelKeys::Info& key,
                    std::int64_t version, const SecretBytes& plaintext) {
  const std::string context = ContextOf(key, version);
  const auto stored = TRY(SelectWrapped(transaction, key, version));
  if (!stored) {
    TRY(transaction.Execute(
        "INSERT INTO model_key_versions (namespace, name, version, wrapped) VALUES (?, ?, ?, ?)",
        {key.namespace_name, key.name, version, kek.Wrap(plaintext, context)}));
    return Done{};
  }
  const SecretBytes known = TRY(kek.Unwrap(*stored, context));
  const bool same = known.Expose([&](Bytes a) {
    return plaintext.Expose([&](Bytes b) { return a.size() == b.size() && crypto::SameSecret(a, b); });
  });
  if (!same) return Conflict("a version of a model key can't change: add a higher one");
  return Done{};
}

/// A version that its owner took out of the object is erased here too.
Result<> DropOtherVersions(Transaction& transaction, const ModelKey& key) {
  const auto rows =
      TRY(transaction.Query("SELECT version FROM model_key_versions WHERE namespace = ? AND name = ?",
                            {key.namespace_name, key.name}));
  for (const store::Row& row : rows) {
    const std::int64_t version = store::IntegerOf(row.front());
    if (std::ranges::find(key.versions, version, &ModelKey::Version::version) != key.versions.end()) continue;
    TRY(transaction.Execute("DELETE FROM model_key_versions WHERE namespace = ? AND name = ? AND version = ?",
                            {key.namespace_name, key.name, version}));
  }
  return Done{};
}

}  // namespace

Result<std::unique_ptr<ModelKeys>> ModelKeys::Open(store::Store& store, const Kek& kek,
                                                   const crypto::EcPrivateKey& wrapping) {
  TRY(store.Migrate(
      "model-keys-1",
      {"CREATE TABLE model_keys (namespace TEXT NOT NULL, name TEXT NOT NULL, "
       "resource TEXT NOT NULL UNIQUE, authority BLOB NOT NULL, PRIMARY KEY (namespace, name)) STRICT",
       "CREATE TABLE model_key_versions (namespace TEXT NOT NULL, name TEXT NOT NULL, "
       "version INTEGER NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (namespace, name, version), "
       "FOREIGN KEY (namespace, name) REFERENCES model_keys (namespace, name) ON DELETE CASCADE) "
       "STRICT"}));
  return std::unique_ptr<ModelKeys>(new ModelKeys(kek, wrapping));
}

Result<crypto::EcPublicKey> ModelKeys::AuthorityOf(Bytes spki) const {
  ByteBuffer bytes = ToBuffer(spki);
  {
    const std::lock_guard lock(authorities_mutex_);
    if (const auto found = authorities_.find(bytes); found != authorities_.end()) return found->second;
  }
  auto authority = crypto::EcPublicKey::FromSpki(spki);
  if (!authority) return Error{ReasonCode::kKeyUnavailable, "the stored authority of a model key is damaged"};
  const std::lock_guard lock(authorities_mutex_);
  if (authorities_.size() >= kMaxRememberedAuthorities) authorities_.clear();
  return authorities_.try_emplace(std::move(bytes), std::move(*authority)).first->second;
}

Result<std::optional<ModelKeys::Info>> ModelKeys::InfoFrom(const std::vector<store::Row>& rows) const {
  if (rows.empty()) return std::optional<Info>();
  const store::Row& row = rows.front();
  auto authority = TRY(AuthorityOf(store::BlobOf(row[3])));
  return std::optional(Info{.namespace_name = store::TextOf(row[0]),
                            .name = store::TextOf(row[1]),
                            .resource = store::TextOf(row[2]),
                            .authority = std::move(authority),
                            .current_version = store::IntegerOf(row[4])});
}

Result<> ModelKeys::Put(Transaction& transaction, const ModelKey& key) {
  if (key.versions.empty()) return Error{ReasonCode::kRequestMalformed, "there is no version", "versions"};
  const auto newest = std::ranges::max(key.versions, {}, &ModelKey::Version::version).version;
  const Info info{key.namespace_name, key.name, key.resource, key.authority, newest};
  TRY(PutObject(transaction, info, TRY(Find(transaction, key.namespace_name, key.name))));
  for (const ModelKey::Version& version : key.versions) {
    const std::string place = "versions[" + std::to_string(version.version) + "]";
    const SecretBytes plaintext = TRY_AT(place, UnwrapModelKey(key, version, *wrapping_));
    TRY_AT(place, PutVersion(transaction, kek_, info, version.version, plaintext));
  }
  return DropOtherVersions(transaction, key);
}

Result<> ModelKeys::Delete(Transaction& transaction, const std::string& namespace_name,
                           const std::string& name) {
  TRY(transaction.Execute("DELETE FROM model_keys WHERE namespace = ? AND name = ?", {namespace_name, name}));
  return Done{};
}

Result<std::optional<ModelKeys::Info>> ModelKeys::Find(Transaction& transaction,
                                                       const std::string& namespace_name,
                                                       const std::string& name) const {
  return InfoFrom(TRY(transaction.Query(
      "SELECT namespace, name, resource, authority, (SELECT max(version) FROM model_key_versions v "
      "WHERE v.namespace = k.namespace AND v.name = k.name) FROM model_keys k WHERE namespace = ? AND name = "
      "?",
      {namespace_name, name})));
}

Result<std::optional<ModelKeys::Info>> ModelKeys::FindByResource(Transaction& transaction,
                                                                 const std::string& resource) const {
  return InfoFrom(TRY(transaction.Query(
      "SELECT namespace, name, resource, authority, (SELECT max(version) FROM model_key_versions v "
      "WHERE v.namespace = k.namespace AND v.name = k.name) FROM model_keys k WHERE resource = ?",
      {resource})));
}

Result<crypto::Jwe> ModelKeys::SealTo(Transaction& transaction, const Info& key,
                                      const crypto::EcPublicKey& recipient, Random& random,
                                      const codec::JsonObject& extra) const {
  const auto wrapped = TRY(SelectWrapped(transaction, key, key.current_version));
  if (!wrapped) return Error{ReasonCode::kKeyUnavailable, "the model key has no such version any more"};
  const SecretBytes plaintext = TRY(kek_.Unwrap(*wrapped, ContextOf(key, key.current_version)));
  return crypto::EncryptJwe(recipient, plaintext, random, extra);
}

}  // namespace portcullis::keystore
