#include "operator/admission/broker_identities.h"

#include <gtest/gtest.h>

namespace portcullis::control {
namespace {

using codec::Json;
using std::chrono::minutes;

BrokerIdentity Identity(int number) { return {"CA", Json::Object({{"x", number}})}; }

TEST(BrokerIdentities, RemembersTheOneBeforeForTenMinutes) {
  BrokerIdentities identities;
  const SteadyTime start{};
  EXPECT_TRUE(identities.current().signing_key.is_null());
  identities.Learn(Identity(1), start);
  EXPECT_TRUE(identities.EarlierAt(start).empty()) << "before the first there was none";
  identities.Learn(Identity(2), start + minutes(60));
  EXPECT_EQ(identities.current(), Identity(2));
  EXPECT_EQ(identities.EarlierAt(start + minutes(69)), std::vector{Identity(1)});
  EXPECT_TRUE(identities.EarlierAt(start + minutes(70)).empty());
}

TEST(BrokerIdentities, CountsTheTimeFromTheChangeAndNotFromEachLook) {
  BrokerIdentities identities;
  const SteadyTime start{};
  identities.Learn(Identity(1), start);
  for (int i = 1; i <= 12; ++i) identities.Learn(Identity(2), start + minutes(i));
  EXPECT_EQ(identities.EarlierAt(start + minutes(10)), std::vector{Identity(1)});
  EXPECT_TRUE(identities.EarlierAt(start + minutes(11)).empty());
}

TEST(BrokerIdentities, TellsIdentitiesApartByTheirCaToo) {
  BrokerIdentities identities;
  identities.Learn(Identity(1), {});
  identities.Learn({"renewed CA", Identity(1).signing_key}, {});
  EXPECT_EQ(identities.EarlierAt({}), std::vector{Identity(1)});
}

TEST(BrokerIdentities, RemembersEightAtMost) {
  BrokerIdentities identities;
  for (int i = 0; i < 100; ++i) identities.Learn(Identity(i), {});
  const auto earlier = identities.EarlierAt({});
  ASSERT_EQ(earlier.size(), BrokerIdentities::kMaxRemembered);
  EXPECT_EQ(earlier.back(), Identity(98));
}

}  // namespace
}  // namespace portcullis::control
