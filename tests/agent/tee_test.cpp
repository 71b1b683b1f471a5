#include "agent/tee.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "evidence/tdx/event_log.h"
#include "tests/agent/guest.h"
#include "tests/lab/programs/lab_tsm.h"
#include "tests/support/seeded_random.h"

namespace portcullis::agent {
namespace {

/// A TD whose event log can't be read, though it is there.
class BrokenLog final : public Files {
 public:
  explicit BrokenLog(Files& inner) : inner_(inner) {}
  Result<> MakeDirectory(const std::string& path) override { return inner_.MakeDirectory(path); }
  Result<> RemoveDirectory(const std::string& path) override { return inner_.RemoveDirectory(path); }
  Result<> Write(const std::string& path, Bytes content) override { return inner_.Write(path, content); }
  Result<ByteBuffer> Read(const std::string& path, std::size_t max_bytes) override {
    if (path.ends_with("CCEL")) return Error{ReasonCode::kInternalError, "the file can't be accessed"};
    return inner_.Read(path, max_bytes);
  }

 private:
  Files& inner_;
};

class TdxTeeTest : public ::testing::Test {
 protected:
  lab::TdState state;
  test::SeededRandom random;

  /// Asks the TEE of a TD in this state.
  template <typename Fn>
  auto With(Fn&& fn) {
    lab::LabTsm files(lab::TdxLabPki::Shared(), state);
    Tsm tsm(files, random, [](std::chrono::milliseconds) {});
    const auto tee = OpenTee(tsm, files).value();
    return fn(*tee);
  }
  Result<codec::Json> Evidence() {
    return With([](Tee& tee) { return tee.Evidence(lab::TdState::Filled<ReportData>(0x42)); });
  }
  Result<> RequireMeasured(const codec::InitData& init_data) {
    return With([&](Tee& tee) { return tee.RequireMeasured(init_data); });
  }
};

TEST_F(TdxTeeTest, GivesQuoteAndEventLogAsTheProtocolSays) {
  const auto evidence = Evidence();
  ASSERT_TRUE(evidence) << evidence.error().ToString();
  ASSERT_EQ(evidence->if_object()->size(), 2u);
  const ByteBuffer quote = codec::DecodeBase64(evidence->TextAt({"quote"})).value();
  const auto parsed = tdx::ParseQuote(quote);
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->report.report_data, lab::TdState::Filled<tdx::ReportData>(0x42));
  const ByteBuffer log = codec::DecodeBase64(evidence->TextAt({"cc_eventlog"})).value();
  EXPECT_EQ(tdx::ParseEventLog(log).value().Replay(), parsed->report.rtmrs);
}

TEST_F(TdxTeeTest, SaysNullWhereTheFirmwareHasNoLog) {
  state.has_event_log = false;
  const auto evidence = Evidence();
  ASSERT_TRUE(evidence) << evidence.error().ToString();
  ASSERT_NE(evidence->Find("cc_eventlog"), nullptr);
  EXPECT_TRUE(evidence->Find("cc_eventlog")->is_null());
}

TEST_F(TdxTeeTest, RefusesWhereTheLogIsThereAndCanNotBeRead) {
  lab::LabTsm inner(lab::TdxLabPki::Shared(), state);
  BrokenLog files(inner);
  Tsm tsm(files, random, [](std::chrono::milliseconds) {});
  EXPECT_FALSE(OpenTee(tsm, files).value()->Evidence({}));
}

TEST_F(TdxTeeTest, HoldsInitDataToTheDigestOfItsOwnAlgorithm) {
  codec::InitData init_data = codec::MakeInitData({{"a", "b"}});
  const ByteBuffer text = ToBuffer(AsBytes(init_data.text));
  ByteBuffer padded = ToBuffer(crypto::Sha256(text).bytes());
  padded.resize(tdx::Measurement::kSize);
  state.mr_config_id = tdx::Measurement::From(padded).value();
  EXPECT_TRUE(RequireMeasured(init_data));

  init_data.algorithm = "sha384";
  EXPECT_EQ(RequireMeasured(init_data).error().code, ReasonCode::kInitDataMismatch);
  state.mr_config_id = tdx::Measurement(crypto::Sha384(text).array());
  EXPECT_TRUE(RequireMeasured(init_data));

  // Cut to 48 bytes it would fit, and name other texts too.
  init_data.algorithm = "sha512";
  state.mr_config_id = tdx::Measurement::From(crypto::Sha512(text).bytes().first(48)).value();
  EXPECT_EQ(RequireMeasured(init_data).error().code, ReasonCode::kInitDataMismatch);
}

TEST_F(TdxTeeTest, RefusesADigestThatIsNotPaddedWithZeros) {
  const codec::InitData init_data = codec::MakeInitData({{"a", "b"}});
  ByteBuffer padded = ToBuffer(crypto::Sha256(AsBytes(init_data.text)).bytes());
  padded.resize(tdx::Measurement::kSize, std::byte{1});
  state.mr_config_id = tdx::Measurement::From(padded).value();
  EXPECT_EQ(RequireMeasured(init_data).error().code, ReasonCode::kInitDataMismatch);
}

}  // namespace
}  // namespace portcullis::agent
