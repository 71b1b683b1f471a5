#include <gtest/gtest.h>

#include "codec/text.h"
#include "keystore/signature.h"
#include "tests/keystore/store_fixture.h"

namespace portcullis::keystore {
namespace {

using test::KekOf;
using test::Revealed;

constexpr std::string_view kCanary = "canary-7d1e55aa-0123456789abcdef";
constexpr std::string_view kNext = "another-key-of-thirty-two-bytes!";

SecretBytes Secret(std::string_view text) { return SecretBytes::CopyOf(AsBytes(text)); }

class ModelKeysTest : public test::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    OpenKeys();
  }
  void OpenKeys(const Kek& kek = KekOf()) {
    auto keys = ModelKeys::Open(*store_, kek, broker_);
    ASSERT_TRUE(keys) << keys.error().ToString();
    keys_ = std::move(*keys);
  }

  ModelKey::Version Wrapped(std::string_view plain, std::int64_t version, const std::string& name = "llama") {
    return WrapModelKey(Secret(plain), broker_.public_key(), {"models", name, "models/key/" + name, version},
                        authority_, random_);
  }
  /// Any text, signed as a version of the key.
  ModelKey::Version Signed(std::int64_t version, std::string wrapped) const {
    std::string signature =
        SignWrappedKey({"models", "llama", "models/key/llama", version}, wrapped, authority_);
    return {version, std::move(wrapped), std::move(signature)};
  }
  ModelKey Key(std::vector<ModelKey::Version> versions) const {
    return {.namespace_name = "models",
            .name = "llama",
            .authority = authority_.public_key(),
            .resource = "models/key/llama",
            .versions = std::move(versions)};
  }
  Result<> Put(const ModelKey& key) {
    return store_->Write([&](store::Transaction& transaction) { return keys_->Put(transaction, key); });
  }
  void ExpectPut(const ModelKey& key) {
    const auto put = Put(key);
    EXPECT_TRUE(put) << put.error().ToString();
  }
  void ExpectRefused(const ModelKey& key, ReasonCode code) {
    const auto put = Put(key);
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, code) << put.error().ToString();
  }
  std::optional<ModelKeys::Info> Find(const std::string& name = "llama") {
    std::optional<ModelKeys::Info> info;
    const auto find = [&](store::Transaction& transaction) -> Result<> {
      info = TRY(keys_->Find(transaction, "models", name));
      return Done{};
    };
    const auto found = store_->Read(find);
    EXPECT_TRUE(found) << found.error().ToString();
    return info;
  }
  /// Seals the key to a guest and opens it as the guest does.
  Result<SecretBytes> Released(const ModelKeys::Info& info, const codec::JsonObject& extra = {}) {
    std::optional<crypto::Jwe> jwe;
    const auto seal = [&](store::Transaction& transaction) -> Result<> {
      jwe = TRY(keys_->SealTo(transaction, info, guest_.public_key(), random_, extra));
      return Done{};
    };
    TRY(store_->Read(seal));
    return crypto::DecryptJwe(guest_, *jwe);
  }
  std::string ReleasedText() {
    const auto info = Find();
    if (!info) return "no key";
    const auto plain = Released(*info);
    return plain ? Revealed(*plain) : plain.error().ToString();
  }

  crypto::EcPrivateKey broker_ = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  crypto::EcPrivateKey authority_ = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  crypto::EcPrivateKey guest_ = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  std::unique_ptr<ModelKeys> keys_;
};

TEST_F(ModelKeysTest, SealsTheCurrentVersionToTheGuest) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  const auto info = Find();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->current_version, 1);
  EXPECT_EQ(info->resource, "models/key/llama");
  EXPECT_EQ(info->authority, authority_.public_key());
  EXPECT_EQ(ReleasedText(), kCanary);

  ExpectPut(Key({Wrapped(kCanary, 1), Wrapped(kNext, 2)}));
  EXPECT_EQ(Find()->current_version, 2);
  EXPECT_EQ(ReleasedText(), kNext);
}

TEST_F(ModelKeysTest, SealsToNobodyElse) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  const auto other = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  ASSERT_TRUE(store_->Read([&](store::Transaction& transaction) -> Result<> {
    const auto jwe =
        TRY(keys_->SealTo(transaction, *Find(), guest_.public_key(), random_, {{"release", "r1"}}));
    EXPECT_FALSE(crypto::DecryptJwe(other, jwe));
    EXPECT_TRUE(crypto::DecryptJwe(guest_, jwe));
    EXPECT_EQ(TRY(jwe.Header()).TextAt({"release"}), "r1");
    return Done{};
  }));
}

TEST_F(ModelKeysTest, FindsAKeyByItsResource) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  ASSERT_TRUE(store_->Read([&](store::Transaction& transaction) -> Result<> {
    const auto found = TRY(keys_->FindByResource(transaction, "models/key/llama"));
    EXPECT_TRUE(found && found->name == "llama");
    EXPECT_FALSE(TRY(keys_->FindByResource(transaction, "models/key/other")));
    EXPECT_FALSE(TRY(keys_->FindByResource(transaction, "models/key/LLAMA")));
    return Done{};
  }));
}

TEST_F(ModelKeysTest, PuttingTheSameKeyAgainChangesNothing) {
  const ModelKey key = Key({Wrapped(kCanary, 1)});
  ExpectPut(key);
  ExpectPut(key);
  ExpectPut(Key({Wrapped(kCanary, 1)}));  // wrapped anew, the same key inside
  EXPECT_EQ(ReleasedText(), kCanary);
}

TEST_F(ModelKeysTest, AVersionsKeyCanNotChange) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  ExpectRefused(Key({Wrapped(kNext, 1)}), ReasonCode::kConflict);
  EXPECT_EQ(ReleasedText(), kCanary);
}

TEST_F(ModelKeysTest, TheHighestVersionNeverGoesBack) {
  ExpectPut(Key({Wrapped(kNext, 2)}));
  ExpectRefused(Key({Wrapped(kCanary, 1)}), ReasonCode::kConflict);
  EXPECT_EQ(ReleasedText(), kNext);
}

TEST_F(ModelKeysTest, AVersionThatIsTakenOutIsErased) {
  ExpectPut(Key({Wrapped(kCanary, 1), Wrapped(kNext, 2)}));
  ExpectPut(Key({Wrapped(kNext, 2)}));
  auto info = Find();
  ASSERT_TRUE(info);
  info->current_version = 1;
  const auto old = Released(*info);
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().code, ReasonCode::kKeyUnavailable);
}

TEST_F(ModelKeysTest, ARefusedVersionLeavesNothingOfItsObject) {
  ExpectRefused(Key({Wrapped(kCanary, 1), Signed(2, "not.a.j.w.e")}), ReasonCode::kKeyUnavailable);
  EXPECT_FALSE(Find());
}

TEST_F(ModelKeysTest, RefusesAnAuthoritySwappedIntoAKeyWrappedForAnother) {
  ModelKey key = Key({Wrapped(kCanary, 1)});
  key.authority = crypto::EcPrivateKey::Generate(crypto::Curve::kP256).public_key();
  ExpectRefused(key, ReasonCode::kPolicyAuthorityMismatch);
  EXPECT_FALSE(Find());
}

TEST_F(ModelKeysTest, RefusesAnotherAuthorityForAnExistingKeyThoughItWrappedOneItself) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  const auto other = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  ModelKey key = Key({WrapModelKey(Secret(kNext), broker_.public_key(),
                                   {"models", "llama", "models/key/llama", 2}, other, random_)});
  key.authority = other.public_key();
  ExpectRefused(key, ReasonCode::kPolicyAuthorityMismatch);
}

TEST_F(ModelKeysTest, RefusesAVersionThatAStrangerAddedInTheOwnersName) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  const auto stranger = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const KeyVersionId id{"models", "llama", "models/key/llama", 2};
  // All that a stranger can know of the owner is in the JWE: to encrypt takes the broker's public key alone.
  const codec::JsonObject header{{"authority", authority_.public_key().Thumbprint()},
                                 {"namespace", id.namespace_name},
                                 {"name", id.name},
                                 {"resource", id.resource},
                                 {"version", id.version}};
  const std::string wrapped =
      crypto::EncryptJwe(broker_.public_key(), Secret(kNext), random_, header).ToCompact();
  const ModelKey::Version first = Wrapped(kCanary, 1);
  ExpectRefused(Key({first, {2, wrapped, SignWrappedKey(id, wrapped, stranger)}}),
                ReasonCode::kPolicyAuthorityMismatch);
  ExpectRefused(Key({first, {2, wrapped, first.signature}}), ReasonCode::kKeySignatureInvalid);
  ExpectRefused(Key({first, {2, wrapped, ""}}), ReasonCode::kKeySignatureInvalid);
  EXPECT_EQ(ReleasedText(), kCanary);
}

TEST_F(ModelKeysTest, RefusesTheSpecOfOneKeyUnderTheNameOfAnother) {
  ModelKey renamed = Key({Wrapped(kCanary, 1)});
  renamed.name = "dev";
  ExpectRefused(renamed, ReasonCode::kKeySignatureInvalid);
  EXPECT_FALSE(Find("dev"));
  ModelKey moved = Key({Wrapped(kCanary, 1)});
  moved.namespace_name = "others";
  ExpectRefused(moved, ReasonCode::kKeySignatureInvalid);
}

TEST_F(ModelKeysTest, RefusesAKeyWrappedForAnotherResourceOrVersion) {
  ModelKey moved = Key({Wrapped(kCanary, 1)});
  moved.resource = "models/key/other";
  ExpectRefused(moved, ReasonCode::kKeySignatureInvalid);
  ModelKey::Version raised = Wrapped(kCanary, 1);
  raised.version = 2;
  ExpectRefused(Key({raised}), ReasonCode::kKeySignatureInvalid);
}

TEST_F(ModelKeysTest, RefusesAKeyWrappedToAnotherBrokerAndOneThatWasAltered) {
  const auto other = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  ExpectRefused(Key({WrapModelKey(Secret(kCanary), other.public_key(),
                                  {"models", "llama", "models/key/llama", 1}, authority_, random_)}),
                ReasonCode::kKeyUnavailable);
  ModelKey::Version altered = Wrapped(kCanary, 1);
  char& last = altered.wrapped[altered.wrapped.rfind('.') + 3];
  last = last == 'A' ? 'B' : 'A';
  ExpectRefused(Key({altered}), ReasonCode::kKeySignatureInvalid);
  ExpectRefused(Key({Signed(1, altered.wrapped)}), ReasonCode::kKeyUnavailable);
}

TEST_F(ModelKeysTest, TakesKeysOfTheSmallestAndTheLargestSizeAndNoOthers) {
  ExpectRefused(Key({Wrapped(std::string(kMinModelKeyBytes - 1, 'k'), 1)}), ReasonCode::kKeyUnavailable);
  ExpectRefused(Key({Wrapped(std::string(kMaxModelKeyBytes + 1, 'k'), 1)}), ReasonCode::kKeyUnavailable);
  ExpectPut(Key(
      {Wrapped(std::string(kMinModelKeyBytes, 'k'), 1), Wrapped(std::string(kMaxModelKeyBytes, 'k'), 2)}));
  EXPECT_TRUE(ReleasedText() == std::string(kMaxModelKeyBytes, 'k'));
}

TEST_F(ModelKeysTest, TheLongestWrappedKeyPassesTheParser) {
  const std::string longest(253, 'n');
  const std::string resource = longest + "/" + std::string(253, 't') + "/" + std::string(253, 'g');
  const auto version = WrapModelKey(Secret(std::string(kMaxModelKeyBytes, 'k')), broker_.public_key(),
                                    {longest, longest, resource, kMaxVersion}, authority_, random_);
  const codec::Json spec = codec::Json::Object(
      {{"authority", authority_.public_key().ToJwk()},
       {"resource", resource},
       {"versions", codec::Json::Array({codec::Json::Object({{"version", version.version},
                                                             {"wrapped", version.wrapped},
                                                             {"signature", version.signature}})})}});
  const auto key = ParseModelKey(longest, longest, spec);
  ASSERT_TRUE(key) << key.error().ToString();
  ExpectPut(*key);
}

TEST_F(ModelKeysTest, AResourceBelongsToOneKey) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  ModelKey second = Key({WrapModelKey(Secret(kNext), broker_.public_key(),
                                      {"models", "second", "models/key/llama", 1}, authority_, random_)});
  second.name = "second";
  ExpectRefused(second, ReasonCode::kConflict);
  EXPECT_FALSE(Find("second"));
}

TEST_F(ModelKeysTest, TheResourceOfAKeyCanNotChange) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  ModelKey moved = Key({WrapModelKey(Secret(kCanary), broker_.public_key(),
                                     {"models", "llama", "models/key/moved", 1}, authority_, random_)});
  moved.resource = "models/key/moved";
  ExpectRefused(moved, ReasonCode::kConflict);
}

TEST_F(ModelKeysTest, ADeletedKeyIsGoneWithItsVersions) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  const auto info = Find();
  ASSERT_TRUE(store_->Write(
      [&](store::Transaction& transaction) { return keys_->Delete(transaction, "models", "llama"); }));
  EXPECT_FALSE(Find());
  EXPECT_FALSE(Released(*info));
  EXPECT_TRUE(store_->Write(
      [&](store::Transaction& transaction) { return keys_->Delete(transaction, "models", "llama"); }));
}

TEST_F(ModelKeysTest, AnotherKekOpensNothing) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  OpenKeys(KekOf(2));
  const auto released = Released(*Find());
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().code, ReasonCode::kKeyUnavailable);
}

struct Swap {
  const char* name;
  const char* sql;
};

class SwappedRows : public ModelKeysTest, public testing::WithParamInterface<Swap> {};

TEST_P(SwappedRows, DoNotOpen) {
  ExpectPut(Key({Wrapped(kCanary, 1), Wrapped(kNext, 2)}));
  ModelKey other = Key({Wrapped(kCanary, 2, "other")});
  other.name = "other";
  other.resource = "models/key/other";
  other.authority = authority_.public_key();
  ExpectPut(other);
  Tamper(GetParam().sql);
  OpenKeys();
  const auto info = Find();
  ASSERT_TRUE(info);
  const auto released = Released(*info);
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().code, ReasonCode::kKeyUnavailable);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, SwappedRows,
    testing::Values(
        Swap{"BetweenKeys",
             "UPDATE model_key_versions SET wrapped = (SELECT wrapped FROM model_key_versions "
             "WHERE name = 'other') WHERE name = 'llama' AND version = 2"},
        Swap{"BetweenVersions",
             "UPDATE model_key_versions SET wrapped = (SELECT wrapped FROM model_key_versions "
             "WHERE name = 'llama' AND version = 1) WHERE name = 'llama' AND version = 2"},
        Swap{"AnotherResource", "UPDATE model_keys SET resource = 'models/key/third' WHERE name = 'llama'"},
        Swap{"AChangedByte",
             "UPDATE model_key_versions SET wrapped = CAST(wrapped || x'00' AS BLOB) WHERE name = 'llama'"}),
    [](const auto& swap) { return swap.param.name; });

TEST_F(ModelKeysTest, AnAuthorityChangedInTheDatabaseOpensNothing) {
  ExpectPut(Key({Wrapped(kCanary, 1)}));
  const auto other = crypto::EcPrivateKey::Generate(crypto::Curve::kP256).public_key();
  Tamper("UPDATE model_keys SET authority = x'" + codec::EncodeHex(other.ToSpki()) + "'");
  OpenKeys();
  const auto info = Find();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->authority, other);
  EXPECT_FALSE(Released(*info));
}

/// The key as it might have been written: raw, in hex of either case, in base64 at each of the three
/// alignments.
std::vector<std::string> SpellingsOf(std::string_view key) {
  std::vector<std::string> spellings{std::string(key), codec::EncodeHex(AsBytes(key))};
  std::string upper = spellings.back();
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  spellings.push_back(upper);
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const std::string shifted = std::string(shift, 'x') + std::string(key);
    // Without the ends, which depend on the neighbours.
    spellings.push_back(codec::EncodeBase64(AsBytes(shifted)).substr(4, 32));
    spellings.push_back(codec::EncodeBase64Url(AsBytes(shifted)).substr(4, 32));
  }
  return spellings;
}

TEST_F(ModelKeysTest, NoFileEverHoldsThePlaintext) {
  ExpectPut(Key({Wrapped(kCanary, 1), Wrapped(kCanary, 2)}));
  EXPECT_EQ(ReleasedText(), kCanary);
  const auto scan = [this] {
    std::size_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      const std::string content = test::ReadFile(entry.path());
      bytes += content.size();
      for (const std::string& spelling : SpellingsOf(kCanary))
        EXPECT_EQ(content.find(spelling), std::string::npos) << entry.path() << " holds " << spelling;
    }
    EXPECT_GT(bytes, 4096u);
  };
  scan();  // with the write-ahead log
  keys_.reset();
  store_.reset();
  scan();
  // The search itself works.
  test::WriteFile(directory_.File("plain"), "x" + codec::EncodeBase64(AsBytes("ab" + std::string(kCanary))));
  const std::string plain = test::ReadFile(directory_.File("plain"));
  EXPECT_TRUE(std::ranges::any_of(SpellingsOf(kCanary),
                                  [&](const std::string& s) { return plain.find(s) != std::string::npos; }));
}

}  // namespace
}  // namespace portcullis::keystore
