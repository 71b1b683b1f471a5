// A broker's process: its disk, its exit codes, who may talk to it.

#include <sys/resource.h>

#include "tests/http/tls_peer.h"
#include "tests/kbs/process/broker_process.h"

namespace portcullis::test {
namespace {

using codec::Json;
using ::testing::HasSubstr;

class Disk : public BrokerProcess {
 protected:
  void LimitFiles(rlim_t bytes) {
    const rlimit limit{bytes, bytes};
    ASSERT_EQ(prlimit(process_->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  }
};

TEST_F(Disk, ThatIsFullDeniesAllAndEndsTheProcessForARestart) {
  Start();
  ExpectServed(guest_);
  EXPECT_EQ(OpsStatus("/readyz"), 200);
  LimitFiles(4096);
  const WireAnswer challenge = Challenge(guest_);
  ASSERT_EQ(challenge.status, 200) << "a challenge needs no disk";
  const WireAnswer refused = Attest(guest_, challenge);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.code(), "AuditUnavailable");
  EXPECT_FALSE(refused.retry_after.empty());
  EXPECT_EQ(ExitCode(), 3);
  EXPECT_THAT(LogText(), HasSubstr("store is latched"));
  EXPECT_EQ(CountEntries("verdict", "allow"), 1);

  Start();  // with space again
  ExpectServed(guest_);
  process_->Stop();
}

TEST_F(Disk, ThatIsFullAtTheStartIsNamedAndLeft) {
  Start();
  process_->Stop();
  const auto program = e2e::RunCommand(
      {"sh", "-c", "ulimit -f 1; exec " + Program().string() + " --config " + Path("kbs.yaml").string()},
      Path("kbs.log"), {{"PORTCULLIS_LAB_PKI", Path("pki").string()}});
  ASSERT_TRUE(program);
  EXPECT_EQ(program->exit_code, 3) << LogText();
  Start();
  ExpectServed(guest_);
  process_->Stop();
}

TEST_F(Disk, ThatIsReadOnlyIsNamedAndLeft) {
  const std::string folder = folder_.path();
  const auto may = e2e::RunCommand({"unshare", "-r", "-m", "true"}, Path("unshare.log"));
  if (!may || may->exit_code != 0)
    GTEST_SKIP() << "no mount namespace here: THE READ-ONLY DISK WAS NOT TRIED";
  const TemporaryDirectory outside;
  const std::string log_outside = outside.File("kbs.log");
  const auto program =
      e2e::RunCommand({"unshare", "-r", "-m", "sh", "-c",
                       "mount --bind " + folder + " " + folder + " && mount -o remount,ro,bind " + folder +
                           " && exec " + Program().string() + " --config " + Path("kbs.yaml").string()},
                      log_outside, {{"PORTCULLIS_LAB_PKI", Path("pki").string()}});
  ASSERT_TRUE(program);
  EXPECT_EQ(program->exit_code, 2) << e2e::ReadText(log_outside);
  EXPECT_THAT(e2e::ReadText(log_outside), HasSubstr("store can't be opened"));
  Start();
  ExpectServed(guest_);
  process_->Stop();
}

class Life : public BrokerProcess {};

TEST_F(Life, EndsInOrderOnASignal) {
  Start();
  ExpectServed(guest_);
  process_->Signal(SIGTERM);
  EXPECT_EQ(ExitCode(), 0);
  InDatabase([](release::Broker&, const keystore::Identity&, audit::Log& log) {
    EXPECT_FALSE(log.LatestCheckpoint()->empty()) << "the last checkpoint covers what was decided";
  });
}

TEST_F(Life, OneDatabaseHasOneProcess) {
  Start();
  const auto second = e2e::RunCommand({Program().string(), "--config", Path("kbs.yaml").string()},
                                      Path("second.log"), {{"PORTCULLIS_LAB_PKI", Path("pki").string()}});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->exit_code, 2);
  EXPECT_THAT(e2e::ReadText(Path("second.log")), HasSubstr("another process uses the database"));
  ExpectServed(guest_);
  process_->Stop();
}

TEST_F(Life, RefusesAConfigurationWithOneLine) {
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), Program().string());
    const auto finished =
        e2e::RunCommand(arguments, Path("other.log"), {{"PORTCULLIS_LAB_PKI", Path("pki").string()}});
    return finished ? finished->exit_code : -1;
  };
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(run({"--config", Path("none.yaml")}), 2);
  EXPECT_EQ(run({"--unknown"}), 2);
  EXPECT_EQ(run({"--help"}), 0);
  e2e::WriteText(Path("bad.yaml"), Configuration() + "insecure: true\n", 0600);
  EXPECT_EQ(run({"--config", Path("bad.yaml")}), 2);
  EXPECT_THAT(e2e::ReadText(Path("other.log")), HasSubstr("insecure"));
}

TEST_F(Life, RefusesAnotherKekAndAnOpenOne) {
  const auto with_kek = [&](std::string_view text, int mode) {
    std::filesystem::remove(Path("kek"));
    e2e::WriteText(Path("kek"), text, mode);
    Launch();
    return ExitCode();
  };
  EXPECT_EQ(with_kek("another key of exactly 32 bytes!", 0400), 2);
  std::filesystem::remove(Path("kek"));
  Launch();
  EXPECT_EQ(ExitCode(), 2);
  EXPECT_EQ(with_kek("0123456789abcdef0123456789abcdef", 0644), 2);
}

TEST_F(Life, TheBrokerPortAsksForACertificateAndTheGuestPortDoesNot) {
  Start();
  EXPECT_EQ(AskBroker("GET", "/v1/identity").status, 200);
  const auto auditor = ClientOf("broker", &auditor_);
  EXPECT_EQ(auditor->Send("GET", "/v1/identity", {}, "")->status, 200);
  const auto refused = auditor->Send("DELETE", "/v1/releases/" + guest_.release_id, {}, "");
  EXPECT_EQ(refused->status, 403);
  const http::test::Authority other;
  const http::test::Identity forged = other.Client("operator");
  for (const http::test::Identity* identity : {static_cast<const http::test::Identity*>(nullptr), &forged}) {
    http::test::TlsPeer::Options options;
    options.ca_pem = ca_.pem();
    options.identity = identity;
    http::test::TlsPeer peer(static_cast<std::uint16_t>(std::stoi(ports_["broker"])), options);
    EXPECT_EQ(peer.Ask("GET /v1/identity HTTP/1.1\r\nHost: localhost\r\n\r\n"), "");
  }
  EXPECT_EQ(guest_client_->Send("GET", "/healthz", {}, "")->status, 200);
  // The broker API is not on the guest's port, nor the metrics.
  for (const char* path : {"/v1/identity", "/v1/audit", "/metrics", "/readyz"})
    EXPECT_EQ(guest_client_->Send("GET", path, {}, "")->status, 404) << path;
  process_->Stop();
}

TEST_F(Life, ALongPollIsAnsweredByADecisionAndLetGoAtTheEnd) {
  Start();
  WireAnswer polled;
  std::thread reader([&] { polled = AskBroker("GET", "/v1/decisions?after=0&wait=30"); });
  ExpectServed(guest_);
  reader.join();
  ASSERT_EQ(polled.status, 200);
  ASSERT_EQ(polled.body.Find("decisions")->if_array()->size(), 1u);
  const auto next = std::to_string(*polled.body.Find("next")->if_int64());
  std::thread waiting([&] { polled = AskBroker("GET", "/v1/decisions?wait=30&after=" + next); });
  // It is let go whether it had begun to wait or not, well before its 30 s.
  process_->Signal(SIGTERM);
  EXPECT_EQ(ExitCode(), 0);
  waiting.join();
}

TEST_F(Life, LongPollsWaitAsLongAsGuestsAreAnswered) {
  Start();
  const auto port = static_cast<std::uint16_t>(std::stoi(ports_["guest"]));
  http::test::TlsPeer::Options options;
  options.ca_pem = ca_.pem();
  http::test::TlsPeer slow(port, options);
  ASSERT_TRUE(
      slow.Write("POST /kbs/v0/auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  const auto asked_on = slow.Next();
  ASSERT_TRUE(asked_on);
  ASSERT_EQ(asked_on->status, 100);

  process_->Signal(SIGTERM);
  while (http::test::RawConnection(port).connected())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(AskBroker("GET", "/v1/decisions?after=0&wait=2").status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1900));
  slow.CloseSocket();
  EXPECT_EQ(ExitCode(), 0);
}

}  // namespace
}  // namespace portcullis::test
