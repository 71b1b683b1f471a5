#include "keystore/keystore.h"

namespace portcullis::keystore {
namespace {

constexpr std::string_view kWrapping = "wrapping";
constexpr std::string_view kSigning = "signing";
constexpr std::string_view kAudit = "audit";

/// Binds a wrapped key to its row, so that two rows can't be swapped.
std::string ContextOf(std::string_view name) { return "portcullis-identity-v1/" + std::string(name); }

/// The stored key; where there is none yet, one that `make` gives is stored first.
Result<SecretBytes> LoadOrMake(store::Transaction& transaction, const Kek& kek, std::string_view name,
                               SecretBytes (*make)()) {
  const auto rows =
      TRY(transaction.Query("SELECT wrapped FROM identity WHERE name = ?", {std::string(name)}));
  if (!rows.empty()) return TRY_AT(name, kek.Unwrap(store::BlobOf(rows.at(0).at(0)), ContextOf(name)));
  SecretBytes fresh = make();
  TRY(transaction.Execute("INSERT INTO identity (name, wrapped) VALUES (?, ?)",
                          {std::string(name), kek.Wrap(fresh, ContextOf(name))}));
  return fresh;
}

SecretBytes MakeEcKey() { return crypto::EcPrivateKey::Generate(crypto::Curve::kP256).ToPkcs8(); }

/// All three or none: a part of them would mean that rows were lost, and new keys would hide it.
Result<> CheckComplete(store::Transaction& transaction) {
  const auto rows = TRY(transaction.Query("SELECT count(*) FROM identity", {}));
  const std::int64_t count = store::IntegerOf(rows.at(0).at(0));
  if (count != 0 && count != 3)
    return Error{ReasonCode::kKeyUnavailable, "the broker's identity in the database is incomplete"};
  return Done{};
}

Result<crypto::EcPrivateKey> LoadEcKey(store::Transaction& transaction, const Kek& kek,
                                       std::string_view name) {
  auto key = crypto::EcPrivateKey::FromPkcs8(TRY(LoadOrMake(transaction, kek, name, MakeEcKey)));
  if (!key)
    return Error{ReasonCode::kKeyUnavailable, "a key of the broker's identity is damaged", std::string(name)};
  return key;
}

Result<Identity> Load(store::Transaction& transaction, const Kek& kek) {
  TRY(CheckComplete(transaction));
  auto wrapping = TRY(LoadEcKey(transaction, kek, kWrapping));
  auto signing = TRY(LoadEcKey(transaction, kek, kSigning));
  auto audit_seed = TRY(LoadOrMake(transaction, kek, kAudit, crypto::GenerateEd25519Seed));
  return Identity{
      .wrapping = std::move(wrapping),
      .signing = std::move(signing),
      .audit_seed = std::move(audit_seed),
  };
}

}  // namespace

Result<Identity> LoadOrCreateIdentity(store::Store& store, const Kek& kek) {
  TRY(store.Migrate(
      "identity-1",
      {"CREATE TABLE identity (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID"}));
  std::optional<Identity> identity;
  const auto load = [&](store::Transaction& transaction) -> Result<> {
    identity = TRY(Load(transaction, kek));
    return Done{};
  };
  TRY(store.Write(load));
  return std::move(*identity);
}

}  // namespace portcullis::keystore
