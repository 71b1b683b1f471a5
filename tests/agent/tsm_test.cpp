#include "agent/tsm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "evidence/snp/report.h"
#include "tests/lab/programs/lab_tsm.h"
#include "tests/support/seeded_random.h"

namespace portcullis::agent {
namespace {

const Error kBusy{ReasonCode::kOverloaded, "the kernel asks to try again"};
const Error kAbsent{ReasonCode::kNotFound, "no such file"};
const Error kBroken{ReasonCode::kInternalError, "the file can't be accessed"};

/// Attributes that say what a test tells them to, one answer a reading; the last answer stays.
class ScriptedFiles final : public Files {
 public:
  std::map<std::string, std::deque<Result<std::string>>> says = {
      {"provider", {std::string("sev_guest\n")}},
      {"generation", {std::string("1\n")}},
      {"outblob", {std::string("report")}},
      {"auxblob", {std::string("certificates")}},
  };
  std::deque<Result<>> write_answers, make_answers, remove_answers;
  std::vector<std::string> made, removed;
  std::vector<ByteBuffer> written;
  std::map<std::string, int> reads;

  Result<> MakeDirectory(const std::string& path) override {
    made.push_back(path);
    return Next(make_answers);
  }
  Result<> RemoveDirectory(const std::string& path) override {
    removed.push_back(path);
    return Next(remove_answers);
  }
  Result<> Write(const std::string& path, Bytes content) override {
    EXPECT_TRUE(path.ends_with("/inblob")) << path;
    written.push_back(ToBuffer(content));
    return Next(write_answers);
  }
  Result<ByteBuffer> Read(const std::string& path, std::size_t max_bytes) override {
    const std::string name = path.substr(path.rfind('/') + 1);
    ++reads[name];
    auto& answers = says.at(name);
    const auto answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    if (!answer) return answer.error();
    if (answer->size() > max_bytes)
      return Error{ReasonCode::kEvidenceMalformed, "the file is larger than its limit"};
    return ToBuffer(AsBytes(*answer));
  }

 private:
  static Result<> Next(std::deque<Result<>>& answers) {
    if (answers.empty()) return Done{};
    const auto answer = answers.front();
    answers.pop_front();
    return answer;
  }
};

class TsmTest : public ::testing::Test {
 protected:
  const ReportData report_data = lab::LaunchState::CountingUp<ReportData>();
  ScriptedFiles files;
  test::SeededRandom random;
  std::vector<std::chrono::milliseconds> pauses;
  Tsm tsm{files, random, [this](std::chrono::milliseconds time) { pauses.push_back(time); }, "/tsm"};
  Result<TsmReport> Report() { return tsm.Report(report_data); }
};

TEST_F(TsmTest, GivesProviderReportAndCertificatesOfOneRequest) {
  const auto report = Report();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->provider, "sev_guest");
  EXPECT_EQ(ToText(report->outblob), "report");
  EXPECT_EQ(ToText(report->auxblob), "certificates");
  ASSERT_EQ(files.written.size(), 1u);
  EXPECT_TRUE(SameBytes(files.written.front(), report_data.bytes()));
}

TEST_F(TsmTest, MakesADirectoryOfItsOwnForEachRequestAndRemovesIt) {
  ASSERT_TRUE(Report());
  ASSERT_TRUE(Report());
  ASSERT_EQ(files.made.size(), 2u);
  EXPECT_TRUE(files.made[0].starts_with("/tsm/portcullis-"));
  EXPECT_NE(files.made[0], files.made[1]);
  EXPECT_EQ(files.removed, files.made);
}

TEST_F(TsmTest, RemovesTheDirectoryThoughTheReportFailed) {
  files.says["outblob"] = {kBroken};
  ASSERT_FALSE(Report());
  EXPECT_EQ(files.removed, files.made);
}

TEST_F(TsmTest, SaysThatADirectoryCouldNotBeRemoved) {
  files.remove_answers = {kBroken};
  const auto report = Report();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ReasonCode::kInternalError);
}

TEST_F(TsmTest, AsksAgainWhenSomeoneWroteBetween) {
  files.says["generation"] = {std::string("1\n"), std::string("2\n"), std::string("3\n"), std::string("3\n")};
  files.says["outblob"] = {std::string("of another"), std::string("mine")};
  const auto report = Report();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(ToText(report->outblob), "mine");
  EXPECT_EQ(files.written.size(), 2u);
}

TEST_F(TsmTest, AsksAgainWhenTheKernelIsBusyAtAnyStep) {
  files.write_answers = {kBusy};
  files.says["outblob"] = {kBusy, std::string("report")};
  files.says["auxblob"] = {kBusy, std::string("certificates")};
  const auto report = Report();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(ToText(report->auxblob), "certificates");
  EXPECT_EQ(files.written.size(), 4u);
}

TEST_F(TsmTest, WaitsLongerEachTimeThatTheKernelIsBusy) {
  using std::chrono::milliseconds;
  files.write_answers = {kBusy, kBusy, kBusy};
  ASSERT_TRUE(Report());
  EXPECT_EQ(pauses, (std::vector{milliseconds(20), milliseconds(40), milliseconds(80)}));
  pauses.clear();
  files.says["generation"] = {std::string("1\n"), std::string("2\n"), std::string("3\n")};
  ASSERT_TRUE(Report());
  EXPECT_TRUE(pauses.empty()) << "a write by another is no reason to wait";
}

TEST_F(TsmTest, SaysWhoseReportsTheseAreWithoutMakingOne) {
  const auto provider = tsm.Provider();
  ASSERT_TRUE(provider) << provider.error().ToString();
  EXPECT_EQ(*provider, "sev_guest");
  EXPECT_TRUE(files.written.empty());
  EXPECT_EQ(files.removed, files.made);
}

TEST_F(TsmTest, GivesUpAfterEightTries) {
  files.says["outblob"] = {kBusy};
  const auto report = Report();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ReasonCode::kOverloaded);
  EXPECT_EQ(files.written.size(), 8u);
  EXPECT_EQ(pauses.size(), 7u) << "nothing follows the last try, so there is nothing to wait for";
  EXPECT_EQ(files.removed, files.made);
}

TEST_F(TsmTest, GivesUpWhenTheGenerationNeverStandsStill) {
  files.says["generation"].clear();
  for (int i = 0; i < 100; ++i) files.says["generation"].push_back(std::to_string(i));
  const auto report = Report();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ReasonCode::kOverloaded);
  EXPECT_EQ(files.written.size(), 8u);
}

TEST_F(TsmTest, DoesNotAskAgainAfterAnyOtherError) {
  files.says["outblob"] = {kBroken};
  ASSERT_FALSE(Report());
  EXPECT_EQ(files.written.size(), 1u);
  files.write_answers = {kBroken};
  ASSERT_FALSE(Report());
  EXPECT_EQ(files.written.size(), 2u);
  EXPECT_EQ(files.reads["outblob"], 1);
}

TEST_F(TsmTest, WorksWithAProviderWithoutCertificates) {
  files.says["auxblob"] = {kAbsent};
  const auto report = Report();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(report->auxblob.empty());
}

TEST_F(TsmTest, RefusesWhenCertificatesAreThereAndCanNotBeRead) {
  files.says["auxblob"] = {kBroken};
  EXPECT_FALSE(Report());
}

TEST_F(TsmTest, SaysThatThereIsNoConfigfs) {
  files.make_answers = {kAbsent};
  const auto report = Report();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ReasonCode::kNotFound);
  EXPECT_EQ(report.error().where, "/tsm");
  EXPECT_TRUE(report.error().text.view().starts_with("there is no configfs-tsm"))
      << report.error().ToString();
  EXPECT_TRUE(files.removed.empty());
}

TEST_F(TsmTest, SaysWhatTheGuestMustOffer) {
  files.make_answers = {kAbsent};
  EXPECT_NE(Report().error().text.view().find("docs/install.md"), std::string_view::npos);
  files.make_answers = {Error{ReasonCode::kConfigurationInvalid, "this user may not access the file"}};
  const auto report = Report();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ReasonCode::kConfigurationInvalid);
  EXPECT_NE(report.error().text.view().find("takes root alone"), std::string_view::npos);
  EXPECT_NE(report.error().text.view().find("docs/install.md"), std::string_view::npos);
}

TEST_F(TsmTest, TakesBlobsUpToTheKernelsLimitsAndNoMore) {
  files.says["outblob"] = {std::string(32 * 1024, 'o')};
  files.says["auxblob"] = {std::string(64 * 1024, 'a')};
  EXPECT_TRUE(Report());
  files.says["outblob"] = {std::string(32 * 1024 + 1, 'o')};
  EXPECT_EQ(Report().error().code, ReasonCode::kEvidenceMalformed);
  files.says["outblob"] = {std::string("report")};
  files.says["auxblob"] = {std::string(64 * 1024 + 1, 'a')};
  EXPECT_EQ(Report().error().code, ReasonCode::kEvidenceMalformed);
}

TEST(TsmInTheLab, GivesAReportOverTheDataAskedFor) {
  lab::LabTsm files(lab::LabPki::Shared(), lab::LaunchState::Milan());
  test::SeededRandom random;
  const auto asked = lab::LaunchState::Filled<ReportData>(0x5A);
  const auto report = Tsm(files, random, [](std::chrono::milliseconds) {}).Report(asked);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(SameBytes(snp::ParseReport(report->outblob).value().report_data.bytes(), asked.bytes()));
}

TEST(TsmInTheLab, GivesAQuoteOfATdWithoutCertificates) {
  lab::LabTsm files(lab::TdxLabPki::Shared(), lab::TdState());
  test::SeededRandom random;
  const auto asked = lab::LaunchState::Filled<ReportData>(0x5A);
  const auto report = Tsm(files, random, [](std::chrono::milliseconds) {}).Report(asked);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->provider, "tdx_guest");
  EXPECT_TRUE(report->auxblob.empty());
  EXPECT_TRUE(SameBytes(tdx::ParseQuote(report->outblob).value().report.report_data.bytes(), asked.bytes()));
}

}  // namespace
}  // namespace portcullis::agent
