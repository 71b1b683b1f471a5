// Drives the numbered cases of testdata/http/battery.json against a server in its own process, as a stranger
// would.

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <set>

#include "codec/json.h"
#include "http/server.h"
#include "tests/http/battery_pins.h"
#include "tests/http/battery_player.h"
#include "tests/http/server_process.h"
#include "tests/support/testdata.h"

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class Battery : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    process_ = std::make_unique<ServerProcess>();
    if (process_->port() == 0) return;
    for (int i = 0; i < 50; ++i) process_->Ask("/healthz");  // what is allocated once
  }
  static void TearDownTestSuite() { process_.reset(); }

  void RunCase(const codec::Json& one);
  void CheckAnswers(const codec::Json& expect, int pinned, RawConnection& connection);
  void CheckEnd(const codec::Json& expect, RawConnection& connection);

  static std::unique_ptr<ServerProcess> process_;
};
std::unique_ptr<ServerProcess> Battery::process_;

void Battery::CheckAnswers(const codec::Json& expect, int pinned, RawConnection& connection) {
  const auto allowed = Statuses(expect);
  bool interim = false;
  std::vector<int> finals;
  for (const auto& response : connection.responses()) {
    interim = interim || response.status == 100;
    if (response.status >= 200) finals.push_back(response.status);
    EXPECT_NE(response.status, 101);
  }
  EXPECT_EQ(interim, expect.Find("interim") != nullptr);
  for (const int status : finals)
    EXPECT_TRUE(allowed.empty() || std::find(allowed.begin(), allowed.end(), status) != allowed.end())
        << status;
  if (pinned != kEither) {
    EXPECT_EQ(finals.empty() ? 0 : finals.front(), pinned) << "the answer differs from the one pinned";
  }
  if (finals.empty() && !allowed.empty()) {
    EXPECT_TRUE(Flag(expect, "or_close"));
  }
  if (const auto* counts = expect.Find("responses")) {
    std::set<std::int64_t> wanted;
    for (const auto& count : *counts->if_array()) wanted.insert(*count.if_int64());
    EXPECT_TRUE(wanted.contains(static_cast<std::int64_t>(finals.size()))) << finals.size();
  } else if (const auto* most = expect.Find("responses_max")) {
    EXPECT_EQ(static_cast<std::int64_t>(finals.size()), *most->if_int64());
  } else {
    EXPECT_LE(finals.size(), 1u);
  }
}

void Battery::CheckEnd(const codec::Json& expect, RawConnection& connection) {
  const auto* close = expect.Find("close");
  if (close != nullptr && close->if_bool() != nullptr) {
    if (*close->if_bool()) {
      EXPECT_TRUE(connection.ClosesWithin(5s + kSlack)) << "the connection stays open";
    } else {
      const std::size_t before = connection.responses().size();
      connection.Send(Get("/healthz"));
      connection.CollectUntil([&] { return connection.responses().size() > before; }, 10s);
      EXPECT_EQ(connection.responses().size(), before + 1) << "the connection was not kept";
    }
  }
  if (const auto* limit = expect.Find("closed_within_ms")) {
    EXPECT_TRUE(connection.ClosesWithin(Cut(*limit->if_int64()) + kSlack)) << "the connection stays open";
  }
}

void Battery::RunCase(const codec::Json& one) {
  const std::string id(one.TextAt({"id"}));
  const codec::Json& expect = *one.Find("expect");
  const bool never_reads = id == "H181";
  const double counted = process_->counted();
  const long resident = process_->resident_kib();

  RawConnection connection(process_->port());
  ASSERT_TRUE(connection.connected());
  bool open = true;
  if (const auto* send = one.Find("send")) connection.Send(RequestBytes(*send, {}));
  if (const auto* parts = one.Find("parts"))
    for (const auto& part : *parts->if_array()) open = open && Play(connection, part, never_reads);
  const auto wanted = [&expect]() -> std::size_t {
    if (const auto* most = expect.Find("responses_max")) return static_cast<std::size_t>(*most->if_int64());
    if (const auto* counts = expect.Find("responses"))
      return static_cast<std::size_t>(*counts->if_array()->back().if_int64());
    return expect.Find("interim") != nullptr ? 2 : 1;
  }();
  if (open && expect.Find("closed_within_ms") == nullptr)
    connection.CollectUntil([&] { return connection.responses().size() >= wanted; }, 5s + kSlack);
  if (open && expect.Find("closed_within_ms") != nullptr) CheckEnd(expect, connection);

  const auto pinned = PinnedStatus(id);
  ASSERT_TRUE(pinned) << "no answer is pinned for this case";
  CheckAnswers(expect, *pinned, connection);
  std::size_t finals = 0;
  for (const auto& response : connection.responses()) finals += response.status >= 200 ? 1 : 0;
  if (open && expect.Find("closed_within_ms") == nullptr) {
    CheckEnd(expect, connection);
    if (expect.Find("close") != nullptr && expect.Find("close")->if_bool() != nullptr &&
        !Flag(expect, "close"))
      ++finals;
  }

  ASSERT_TRUE(process_->alive()) << "THE SERVER IS DEAD";
  EXPECT_EQ(process_->Ask("/healthz").status, 200);
  EXPECT_EQ(process_->Ask("/smuggled-count").body, "0");
  if (kMemoryIsItsOwn) {
    EXPECT_LE(process_->resident_kib() - resident, 8 * 1024) << "memory grew";
  }
  // Each answer was counted once, as served or as refused; the four questions of our own come on top.
  const double moved = process_->counted() - counted - 4 + 1;
  if (finals > 0)
    EXPECT_EQ(moved, static_cast<double>(finals));
  else
    EXPECT_LE(moved, 1);
}

TEST_F(Battery, EachCaseIsAnsweredAsPinned) {
  if (Cases().empty()) GTEST_SKIP() << "testdata/http/battery.json is absent: NO CASE OF THE BATTERY WAS RUN";
  ASSERT_NE(process_->port(), 0) << process_->log();
  const std::size_t files = process_->open_files();
  int run = 0;
  for (const auto& one : Cases()) {
    const std::string id(one.TextAt({"id"}));
    const bool framing = id <= "H185" || (id >= "H246" && id <= "H248");
    if (!framing || one.Find("tool") != nullptr) continue;
    SCOPED_TRACE(id + " " + std::string(one.TextAt({"name"})));
    RunCase(one);
    if (HasFatalFailure()) return;
    ++run;
  }
  std::printf(
      "[ BATTERY  ] %d cases run; H186 to H191 are in crowd_test.cpp, H192 to H215 are in "
      "tls_test.cpp, H216 to H245 are the JSON reader's\n",
      run);
  EXPECT_EQ(run, 188);

  for (int i = 0; i < 150 && process_->open_files() > files; ++i) std::this_thread::sleep_for(100ms);
  EXPECT_LE(process_->open_files(), files) << "descriptors are left over";
  const std::string log = process_->log();
  EXPECT_EQ(log.find("smuggled"), std::string::npos);
  EXPECT_EQ(log.find("evil"), std::string::npos);
  for (const char byte : log)
    ASSERT_TRUE(byte == '\n' || (byte >= 0x20 && byte < 0x7F)) << "raw bytes in the log";
}

}  // namespace
}  // namespace portcullis::http::test
