#include <gtest/gtest.h>

#include "tests/keystore/store_fixture.h"

namespace portcullis::keystore {
namespace {

using test::KekOf;
using test::Revealed;

class IdentityTest : public test::StoreFixture {
 protected:
  void ExpectRefused(const Kek& kek) {
    const auto identity = LoadOrCreateIdentity(*store_, kek);
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().code, ReasonCode::kKeyUnavailable) << identity.error().ToString();
  }
};

TEST_F(IdentityTest, IsMadeOnceAndThenStaysTheSame) {
  const auto made = LoadOrCreateIdentity(*store_, KekOf());
  ASSERT_TRUE(made) << made.error().ToString();
  OpenStore();
  const auto loaded = LoadOrCreateIdentity(*store_, KekOf());
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(made->wrapping.public_key(), loaded->wrapping.public_key());
  EXPECT_EQ(made->signing.public_key(), loaded->signing.public_key());
  EXPECT_EQ(Revealed(made->audit_seed), Revealed(loaded->audit_seed));
  EXPECT_FALSE(made->wrapping.public_key() == made->signing.public_key());
  EXPECT_EQ(made->wrapping.public_key().curve(), crypto::Curve::kP256);
}

TEST_F(IdentityTest, IsAnotherOneInAnotherStore) {
  const auto one = LoadOrCreateIdentity(*store_, KekOf());
  const auto other_store = store::OpenSqlite(directory_.File("other.db"));
  ASSERT_TRUE(other_store);
  const auto other = LoadOrCreateIdentity(**other_store, KekOf());
  EXPECT_FALSE(one->wrapping.public_key() == other->wrapping.public_key());
  EXPECT_NE(Revealed(one->audit_seed), Revealed(other->audit_seed));
}

TEST_F(IdentityTest, RefusesAnotherKekInsteadOfMakingNewKeys) {
  const auto made = LoadOrCreateIdentity(*store_, KekOf(1));
  ExpectRefused(KekOf(2));
  EXPECT_EQ(LoadOrCreateIdentity(*store_, KekOf(1))->signing.public_key(), made->signing.public_key());
}

TEST_F(IdentityTest, RefusesRowsThatWereSwapped) {
  ASSERT_TRUE(LoadOrCreateIdentity(*store_, KekOf()));
  Tamper(
      "UPDATE identity SET name = 'x' WHERE name = 'signing';"
      "UPDATE identity SET name = 'signing' WHERE name = 'wrapping';"
      "UPDATE identity SET name = 'wrapping' WHERE name = 'x'");
  ExpectRefused(KekOf());
}

TEST_F(IdentityTest, RefusesAnIdentityOfWhichAPartIsGone) {
  ASSERT_TRUE(LoadOrCreateIdentity(*store_, KekOf()));
  Tamper("DELETE FROM identity WHERE name = 'audit'");
  ExpectRefused(KekOf());
}

}  // namespace
}  // namespace portcullis::keystore
