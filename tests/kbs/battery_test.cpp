// The numbered cases of testdata/http/battery.json against the guest's routes, in a process of their own.

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "kbs/routes/routes.h"
#include "tests/http/battery_player.h"
#include "tests/http/server_process.h"
#include "tests/release/broker_fixture.h"

namespace portcullis::test {
namespace {

using namespace std::chrono_literals;
using http::test::RawConnection;
using http::test::ServerProcess;

const http::test::BatteryTargets kTargets{.get = "/healthz", .post = "/kbs/v0/auth", .big_get = "/healthz"};

/// The server's side; started by the battery (tests/http/server_process.h).
class BatteryServer : public BrokerTest {};

TEST_F(BatteryServer, DISABLED_Serves) {
  const char* port_file = std::getenv(http::test::kPortFile);
  ASSERT_NE(port_file, nullptr) << "started by the battery only";
  auto server = http::Server::Start(
      {.name = "guest", .tls = {}, .certificate_source = {}, .limits = http::test::ShortLimits()},
      kbs::GuestRoutes(*broker_), metrics_);
  ASSERT_TRUE(server);
  const std::string unfinished = std::string(port_file) + ".new";
  std::ofstream(unfinished) << (*server)->port();
  std::filesystem::rename(unfinished, port_file);
  for (;;) pause();  // until the battery ends us
}

class GuestBattery : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(process_.port(), 0) << process_.log(); }

  /// Plays a case; the final statuses that came back.
  std::vector<int> Run(const codec::Json& one) {
    const bool never_reads = one.TextAt({"id"}) == "H181";
    const codec::Json& expect = *one.Find("expect");
    RawConnection connection(process_.port());
    bool open = true;
    if (const auto* send = one.Find("send")) connection.Send(http::test::RequestBytes(*send, kTargets));
    if (const auto* parts = one.Find("parts"))
      for (const auto& part : *parts->if_array())
        open = open && http::test::Play(connection, part, never_reads, kTargets);
    if (open && expect.Find("closed_within_ms") != nullptr)
      connection.ClosesWithin(5s + http::test::kSlack);
    else if (open)
      connection.CollectUntil([&] { return !connection.responses().empty(); }, 5s + http::test::kSlack);
    std::vector<int> finals;
    for (const auto& response : connection.responses())
      if (response.status >= 200) finals.push_back(response.status);
    return finals;
  }

  ServerProcess process_;
};

TEST_F(GuestBattery, LeavesTheBrokerAliveAnsweringAndSmall) {
  if (http::test::Cases().empty()) GTEST_SKIP() << ReportMissingTestData("http/battery.json");
  for (int i = 0; i < 50; ++i) process_.Ask("/healthz");  // what is allocated once
  const std::size_t files = process_.open_files();
  int run = 0;
  for (const codec::Json& one : http::test::Cases()) {
    const std::string id(one.TextAt({"id"}));
    if (id > "H185" || one.Find("tool") != nullptr) continue;
    SCOPED_TRACE(id + " " + std::string(one.TextAt({"name"})));
    const long resident = process_.resident_kib();
    const auto allowed = http::test::Statuses(*one.Find("expect"));
    for (const int status : Run(one)) {
      const auto is_allowed = [&](int wanted) { return std::ranges::find(allowed, wanted) != allowed.end(); };
      // Where the battery's server would take any JSON, this one asks for a challenge request.
      EXPECT_TRUE(allowed.empty() || is_allowed(status) ||
                  (status == 401 && (is_allowed(200) || is_allowed(400))))
          << status;
    }
    ASSERT_TRUE(process_.alive()) << "THE BROKER IS DEAD";
    ASSERT_EQ(process_.Ask("/healthz").status, 200);
    if (http::test::kMemoryIsItsOwn) {
      EXPECT_LE(process_.resident_kib() - resident, 8 * 1024) << "memory grew";
    }
    ++run;
  }
  EXPECT_EQ(run, 185);
  for (int i = 0; i < 150 && process_.open_files() > files; ++i) std::this_thread::sleep_for(100ms);
  EXPECT_LE(process_.open_files(), files) << "descriptors are left over";
}

TEST_F(GuestBattery, ErrorsOfTheServerItselfAreThoseThatClientsRead) {
  for (const std::string& request :
       {std::string("POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Type: "
                    "application/json\r\nContent-Length: 99999999\r\n\r\n"),
        std::string("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"),
        std::string("GET /kbs/v0/auth HTTP/1.1\r\nHost: x\r\n\r\n"),
        "GET /kbs/v0/resource/a/b/c HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
            std::string(50 * 1024, 'A') + "\r\n\r\n",
        std::string("POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: "
                    "2\r\n\r\n{}")}) {
    RawConnection connection(process_.port());
    connection.Send(request);
    const auto response = connection.Next();
    ASSERT_TRUE(response) << request.substr(0, 60);
    EXPECT_GE(response->status, 400);
    const auto body = codec::ParseJson(response->body);
    ASSERT_TRUE(body) << response->body;
    EXPECT_FALSE(body->TextAt({"type"}).empty());
    EXPECT_FALSE(body->TextAt({"detail"}).empty());
  }
}

// The crowds of the battery, H186 to H190.
TEST_F(GuestBattery, H186To188CrowdsOfSlowClientsDoNotShutOutOthers) {
  for (const std::string& opening : {std::string("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "),
                                     std::string("POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Type: "
                                                 "application/json\r\nContent-Length: 9000\r\n\r\n{"),
                                     http::test::Get("/healthz") + http::test::Get("/healthz")}) {
    std::vector<RawConnection> crowd;
    for (int i = 0; i < 700; ++i) {
      crowd.emplace_back(process_.port());
      crowd.back().Send(opening, false);
    }
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(http::test::StatusOf(
                    process_.port(),
                    http::test::Post("/kbs/v0/auth", R"({"version":"0.4.0","tee":"snp","extra-params":""})")),
                200);
  }
  EXPECT_TRUE(process_.alive());
  if (http::test::kMemoryIsItsOwn) {
    EXPECT_LE(process_.resident_kib(), 256 * 1024);
  }
}

TEST_F(GuestBattery, H189WithoutDescriptorsTheServerWaitsAndRecovers) {
  const ServerProcess small(64);
  ASSERT_NE(small.port(), 0);
  {
    std::vector<RawConnection> crowd;
    for (int i = 0; i < 200; ++i) crowd.emplace_back(small.port());
    EXPECT_TRUE(small.alive());
  }
  EXPECT_EQ(http::test::StatusOf(small.port(), http::test::Get("/healthz")), 200);
}

TEST_F(GuestBattery, H190And191ConnectionsThatAreResetAndUnknownPathsLeaveNothing) {
  const std::size_t files = process_.open_files();
  for (int i = 0; i < 1000; ++i) RawConnection(process_.port()).Reset();
  for (int i = 0; i < 200; ++i) process_.Ask("/nowhere-" + std::to_string(i));
  EXPECT_EQ(process_.Ask("/healthz").status, 200);
  for (int i = 0; i < 100 && process_.open_files() > files; ++i) std::this_thread::sleep_for(100ms);
  EXPECT_LE(process_.open_files(), files);
}

}  // namespace
}  // namespace portcullis::test
