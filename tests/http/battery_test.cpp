// Drives the numbered cases of testdata/http/battery.json against a server in its own process, as a stranger
// would.

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <set>

#include "codec/json.h"
#include "http/server.h"
#include "tests/http/battery_pins.h"
#include "tests/http/server_process.h"
#include "tests/support/testdata.h"

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kSlack = 3000ms;  // for a machine that does other things too

std::string Latin1(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80)
      bytes += utf8[i];
    else
      bytes += static_cast<char>(((lead & 0x03) << 6) | (static_cast<unsigned char>(utf8[++i]) & 0x3F));
  }
  return bytes;
}

void Replace(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

std::string Bytes(const codec::Json& text) {
  std::string bytes = Latin1(*text.if_string());
  std::string ranges;
  for (int i = 0; i < 1000; ++i) ranges += "0-,";
  Replace(bytes, "{{HOST}}", "localhost");
  Replace(bytes, "{{GET}}", "/healthz");
  Replace(bytes, "{{POST}}", "/json");
  Replace(bytes, "{{BIGGET}}", "/big");
  Replace(bytes, "{{BODYMAX+1}}", std::to_string(Limits().max_body_bytes + 1));
  Replace(bytes, "{{8000xa}}", std::string(8000, 'a'));
  Replace(bytes, "{{1000x0-,}}", ranges);
  const std::size_t blank = bytes.find("\r\n\r\n");
  if (bytes.find("{{LEN}}") != std::string::npos)
    Replace(bytes, "{{LEN}}", std::to_string(bytes.size() - blank - 4));
  return bytes;
}

milliseconds Cut(std::int64_t written_ms) { return milliseconds(written_ms / kFasterBy); }

void SendRepeated(RawConnection& connection, const std::string& piece, std::int64_t count) {
  std::string block;
  std::int64_t per_block = 0;
  while (block.size() < 256 * 1024 && per_block < count) block += piece, ++per_block;
  for (; count >= per_block && !connection.closed(); count -= per_block) connection.Send(block);
  for (; count > 0 && !connection.closed(); --count) connection.Send(piece);
}

/// Plays one part; false where nothing can follow.
bool Play(RawConnection& connection, const codec::Json& part, bool never_reads) {
  if (const auto* text = part.Find("send")) {
    connection.Send(Bytes(*text), !never_reads);
  } else if (const auto* repeated = part.Find("repeat")) {
    SendRepeated(connection, Bytes(*repeated), *part.Find("count")->if_int64());
  } else if (const auto* dribble = part.Find("dribble")) {
    const auto gap = *part.Find("gap_ms")->if_int64();
    for (const char byte : Bytes(*dribble)) {
      if (connection.closed() || !connection.responses().empty()) break;
      connection.Send({&byte, 1});
      connection.Collect(gap >= kFasterBy ? Cut(gap) : milliseconds(gap));
    }
  } else if (const auto* wait = part.Find("wait_ms")) {
    if (never_reads)
      std::this_thread::sleep_for(Cut(*wait->if_int64()));
    else
      connection.Collect(Cut(*wait->if_int64()));
  } else if (part.Find("await") != nullptr) {
    connection.CollectUntil([&] { return !connection.responses().empty(); }, 10s);
  } else if (const auto* count = part.Find("random")) {
    std::mt19937 random(static_cast<std::uint32_t>(*part.Find("seed")->if_int64()));
    std::string bytes(static_cast<std::size_t>(*count->if_int64()), 0);
    for (char& byte : bytes) byte = static_cast<char>(random());
    connection.Send(bytes);
  } else if (part.Find("shutdown") != nullptr) {
    connection.FinishWriting();
  } else if (part.Find("rst") != nullptr) {
    connection.Reset();
    return false;
  } else {
    ADD_FAILURE() << "a part that this runner does not know: " << codec::ToText(part);
  }
  return true;
}

std::vector<int> Statuses(const codec::Json& expect) {
  std::vector<int> all;
  if (const auto* list = expect.Find("status"))
    for (const auto& one : *list->if_array()) all.push_back(static_cast<int>(*one.if_int64()));
  return all;
}

bool Flag(const codec::Json& object, std::string_view name) {
  const auto* member = object.Find(name);
  return member != nullptr && member->if_bool() != nullptr && *member->if_bool();
}

const codec::JsonArray& Cases() {
  static const codec::Json document = [] {
    const auto path = portcullis::test::TestData("http/battery.json");
    std::ostringstream text;
    if (path) text << std::ifstream(*path).rdbuf();
    auto parsed = codec::ParseJson(text.str());
    return parsed ? *parsed : codec::Json::Object({{"cases", codec::Json(codec::JsonArray())}});
  }();
  return *document.Find("cases")->if_array();
}

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
  if (const auto* send = one.Find("send")) connection.Send(Bytes(*send));
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
