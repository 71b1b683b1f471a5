#include "audit/audit.h"

#include <gtest/gtest.h>

#include "tests/audit/log_fixture.h"
#include "tests/cli/desk.h"

namespace portcullis::test {
namespace {

using codec::Json;

/// An audit log of seven rows as a broker leaves it, and the desk that looks at it.
class AuditVerify : public LogFixture {
 protected:
  void SetUp() override {
    LogFixture::SetUp();
    AppendMany(5);
    checkpoint_ = CheckpointNow();
    AppendMany(2);
    rows_ = Texts();
  }
  Ran Verify(const std::string& log, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"audit", "verify", log, "--key", codec::EncodeBase64(key_.bytes())};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return desk_.Run(arguments);
  }
  std::string Lines(const std::vector<std::string>& rows) {
    std::string out;
    for (const std::string& row : rows) out += row + "\n";
    return desk_.Write("audit.jsonl", out);
  }
  std::string Checkpoint() { return desk_.Write("checkpoint.txt", checkpoint_); }

  Desk desk_;
  std::string checkpoint_;
  std::vector<std::string> rows_;
};

TEST_F(AuditVerify, FindsADatabaseIntact) {
  CheckpointNow();
  const Ran ran = Verify(path_);
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.out, "intact: 7 rows\n");
}

TEST_F(AuditVerify, SaysHowManyRowsNoCheckpointSigns) {
  EXPECT_EQ(Verify(path_).out, "intact: 7 rows, the last 2 not yet under a checkpoint\n");
}

TEST_F(AuditVerify, NamesTheRowThatWasChangedInTheDatabase) {
  Close();
  Tamper("UPDATE audit_rows SET canonical = replace(canonical, 'allow', 'deny') WHERE sequence = 3;");
  const Ran text = Verify(path_);
  EXPECT_EQ(text.exit, 1) << text.err;
  EXPECT_TRUE(text.out.starts_with("BROKEN")) << text.out;
  const Json json = Verify(path_, {"-o", "json"}).json();
  EXPECT_EQ(*json.Find("firstBad")->if_int64(), 3);
  EXPECT_FALSE(*json.Find("intact")->if_bool());
}

TEST_F(AuditVerify, FindsExportedRowsIntactUnderACheckpoint) {
  EXPECT_EQ(Verify(Lines(rows_), {"--since", Checkpoint()}).exit, 0);
}

TEST_F(AuditVerify, CallsRowsThatNoCheckpointSignsIncomplete) {
  const Ran ran = Verify(Lines(rows_));
  EXPECT_EQ(ran.exit, 3);
  EXPECT_TRUE(ran.out.starts_with("INCOMPLETE")) << ran.out;
}

TEST_F(AuditVerify, FindsAMissingARepeatedAndACutOffRow) {
  const auto without = [&](std::size_t index) {
    std::vector<std::string> rows = rows_;
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(index));
    return rows;
  };
  EXPECT_EQ(
      *Verify(Lines(without(2)), {"--since", Checkpoint(), "-o", "json"}).json().Find("firstBad")->if_int64(),
      3);
  std::vector<std::string> repeated = rows_;
  repeated.insert(repeated.begin() + 1, rows_[0]);
  EXPECT_EQ(Verify(Lines(repeated), {"--since", Checkpoint()}).exit, 1);
  EXPECT_EQ(Verify(Lines({rows_.begin(), rows_.begin() + 4}), {"--since", Checkpoint()}).exit, 1);
}

TEST_F(AuditVerify, TakesTheKeyFromAFileOrAnIdentity) {
  const std::string base64 = codec::EncodeBase64(key_.bytes());
  EXPECT_EQ(desk_.Run({"audit", "verify", path_, "--key", desk_.Write("key.txt", base64 + "\n")}).exit, 0);
  const Json jwk = crypto::EcPrivateKey::Generate(crypto::Curve::kP256).public_key().ToJwk();
  const Json identity = Json::Object({{"wrappingKey", jwk},
                                      {"signingKey", jwk},
                                      {"auditKey", base64},
                                      {"auditOrigin", kOrigin},
                                      {"guestUrl", ""},
                                      {"version", ""}});
  EXPECT_EQ(
      desk_.Run({"audit", "verify", path_, "--key", desk_.Write("i.json", codec::ToText(identity))}).exit, 0);
}

TEST_F(AuditVerify, RefusesAKeyThatIsAnother) {
  const auto other = crypto::Ed25519PublicOf(crypto::GenerateEd25519Seed());
  EXPECT_EQ(desk_.Run({"audit", "verify", path_, "--key", codec::EncodeBase64(other.bytes())}).exit, 1);
  EXPECT_EQ(desk_.Run({"audit", "verify", path_, "--key", desk_.Write("key.txt", "no key")}).exit, 4);
}

/// `audit tail` on rows that a broker answers with.
class AuditTail : public AuditVerify {
 protected:
  void Answer(std::int64_t after, const std::vector<std::string>& rows) {
    std::string body;
    for (const std::string& row : rows) body += row + "\n";
    desk_.broker->answers["/v1/audit?after=" + std::to_string(after) + "&limit=100"] =
        http::Response::Text(200, body, "application/jsonl");
  }
  Ran Tail(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"audit", "tail"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    for (std::string& flag : desk_.BrokerFlags()) arguments.push_back(std::move(flag));
    return desk_.Run(arguments);
  }
};

TEST_F(AuditTail, PrintsALinePerRow) {
  Answer(5, {rows_[5], rows_[6]});
  const Ran ran = Tail({"--after", "5"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_TRUE(ran.out.starts_with("6  2026-11-24T21:53:00.")) << ran.out;
  EXPECT_NE(ran.out.find("decision  allow  models/pod-1  models/llama"), std::string::npos) << ran.out;
}

TEST_F(AuditTail, PrintsRowsThatVerifyAgain) {
  Answer(0, rows_);
  const Ran ran = Tail({"-o", "json"});
  EXPECT_EQ(Verify(desk_.Write("tail.jsonl", ran.out), {"--since", Checkpoint()}).exit, 0);
}

TEST_F(AuditTail, EndsWhereARowIsMissing) {
  Answer(0, {rows_[0], rows_[2]});
  EXPECT_EQ(Tail({}).exit, 3);
}

TEST_F(AuditTail, FollowsUntilTheBrokerIsAway) {
  Answer(0, {rows_[0]});
  Answer(1, {rows_[1]});
  desk_.broker->answers["/v1/decisions?after=1&wait=20&limit=1"] = http::Response::Text(200, "{}");
  const Ran ran = Tail({"--follow"});
  EXPECT_EQ(ran.exit, 3) << ran.err;  // the long poll after row 2 is not in the table: 404
  EXPECT_NE(ran.out.find("\n2  "), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace portcullis::test
