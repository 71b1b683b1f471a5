#include "kube/connection.h"

#include <gtest/gtest.h>

#include "kube/lease_candidate.h"
#include "tests/kube/api_script.h"
#include "tests/kube/temporary_file.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

TEST(TokenSource, ReadsTheFileAgainEachMinute) {
  test::FakeClock clock;
  const test::TemporaryFile file("one");
  const auto token = TokenSource::FromFile(file.path(), clock).value();
  file.Write("two\r\n");
  clock.Advance(59s);
  EXPECT_EQ(token->Authorization(), "Bearer one");
  clock.Advance(1s);
  EXPECT_EQ(token->Authorization(), "Bearer two");
}

TEST(TokenSource, KeepsTheLastTokenWhileTheFileIsUnusable) {
  test::FakeClock clock;
  const test::TemporaryFile file("one");
  const auto token = TokenSource::FromFile(file.path(), clock).value();
  for (const std::string unusable : {"", "\n", "two words", "two\nlines"}) {
    file.Write(unusable);
    token->Expire();
    EXPECT_EQ(token->Authorization(), "Bearer one") << unusable;
  }
  file.Remove();
  token->Expire();
  EXPECT_EQ(token->Authorization(), "Bearer one");
}

TEST(TokenSource, RefusesToStartWithoutAToken) {
  test::FakeClock clock;
  const test::TemporaryFile file("\n");
  EXPECT_EQ(TokenSource::FromFile(file.path(), clock).error().code, ReasonCode::kConfigurationInvalid);
  EXPECT_FALSE(TokenSource::FromFile(file.path() + ".absent", clock));
  file.Write(std::string(16 * 1024 + 1, 'a'));
  EXPECT_FALSE(TokenSource::FromFile(file.path(), clock));
  file.Write(std::string(16 * 1024, 'a'));
  EXPECT_TRUE(TokenSource::FromFile(file.path(), clock));
}

TEST(TokenSource, NoTokenIsNoHeader) {
  test::FakeClock clock;
  EXPECT_EQ(TokenSource(clock).Authorization(), "");
}

class ConnectionTest : public testing::Test {
 protected:
  std::unique_ptr<Connection> Open(const std::string& ca_file) {
    return Connection::Open({.url = "https://127.0.0.1", .ca_file = ca_file}, script_.clock,
                            script_.Factory())
        .value();
  }
  std::string TrustedCa(Connection& connection) {
    script_.Answer(200);
    EXPECT_TRUE(connection.requests()->Send("GET", "/", {}, ""));
    return script_.asked.back().ca_pem;
  }
  test::ApiScript script_;
};

TEST_F(ConnectionTest, LooksAtTheCaFileEachMinute) {
  const test::TemporaryFile ca("first");
  const auto connection = Open(ca.path());
  ca.Write("second");
  script_.clock.Advance(59s);
  EXPECT_EQ(TrustedCa(*connection), "first");
  script_.clock.Advance(1s);
  EXPECT_EQ(TrustedCa(*connection), "second");
}

TEST_F(ConnectionTest, KeepsTheOldCaWhileTheNewOneIsUnusable) {
  const test::TemporaryFile ca("first");
  const auto connection = Open(ca.path());
  ca.Write("broken");
  EXPECT_FALSE(connection->RefreshAuthorities());
  EXPECT_EQ(TrustedCa(*connection), "first");
  ca.Remove();
  EXPECT_FALSE(connection->RefreshAuthorities());
  EXPECT_EQ(TrustedCa(*connection), "first");
}

// Two calls and the wait between tries: a renewal that hangs has failed before others may lead.
TEST_F(ConnectionTest, ALeaseIsAskedForWithLittlePatience) {
  const auto connection = Connection::Open({.url = "https://127.0.0.1", .conduct = kLeaseConduct},
                                           script_.clock, script_.Factory())
                              .value();
  script_.Answer(200);
  ASSERT_TRUE(connection->requests()->Send("GET", "/", {}, ""));
  const LeaseOptions lease;
  const auto limit = script_.asked.back().whole_answer;
  EXPECT_GT(limit, 0s);
  EXPECT_EQ(kLeaseConduct.max_tries, 1u);
  EXPECT_LT(lease.renew_deadline - lease.retry_period + 2 * limit, lease.duration);
}

TEST_F(ConnectionTest, DoesNotOpenWithoutAUsableCa) {
  const test::TemporaryFile ca("broken");
  EXPECT_EQ(
      Connection::Open({.url = "https://127.0.0.1", .ca_file = ca.path()}, script_.clock, script_.Factory())
          .error()
          .code,
      ReasonCode::kConfigurationInvalid);
}

}  // namespace
}  // namespace portcullis::kube
