#include "http/transport.h"

#include <gtest/gtest.h>

#include "tests/http/tls_floods.h"
#include "tests/http/tls_pair.h"

namespace portcullis::http::test {
namespace {

// What a few records of a flood come to: a call of the server's must leave the others where they are.
constexpr std::size_t kFewRecords = 10 * kKeyUpdateBytes;

TEST(Transport, LeavesAFloodOfKeyUpdatesAndGivesUp) {
  TlsPair pair(TLS1_3_VERSION);
  const std::string flood = KeyUpdates(pair.client(), 500);
  ASSERT_EQ(flood.size(), 500 * kKeyUpdateBytes);
  ASSERT_TRUE(pair.SendRaw(flood));
  IoState state = pair.Read();
  EXPECT_GE(pair.unread(), flood.size() - kFewRecords) << "one call went through many";
  for (int call = 0; call < 500 && state == IoState::kWantsRead; ++call) state = pair.Read();
  EXPECT_EQ(state, IoState::kFailed);
  EXPECT_TRUE(pair.server().abused());
  EXPECT_GE(pair.unread(), flood.size() - kFewRecords);
}

TEST(Transport, LeavesAFloodOfRenegotiationsAndGivesUp) {
  TlsPair pair(TLS1_2_VERSION);
  const std::string flood = ClientHellos(pair.client(), 500);
  ASSERT_TRUE(pair.SendRaw(flood));
  IoState state = pair.Read();
  EXPECT_GE(pair.unread(), flood.size() - kFewRecords) << "one call went through many";
  for (int call = 0; call < 500 && state == IoState::kWantsRead; ++call) state = pair.Read();
  EXPECT_EQ(state, IoState::kFailed);
  EXPECT_TRUE(pair.server().abused());
}

TEST(Transport, TakesAFewKeyUpdatesWithEachRequest) {
  TlsPair pair(TLS1_3_VERSION);
  for (int request = 0; request < 5; ++request) {
    ASSERT_TRUE(pair.SendRaw(KeyUpdates(pair.client(), 4)));
    ASSERT_EQ(SSL_write(pair.client(), "GET", 3), 3);
    IoState state = IoState::kWantsRead;
    for (int call = 0; call < 10 && state == IoState::kWantsRead; ++call) state = pair.Read();
    ASSERT_EQ(state, IoState::kDone) << request;
    pair.server().BeginRequest();
  }
}

}  // namespace
}  // namespace portcullis::http::test
