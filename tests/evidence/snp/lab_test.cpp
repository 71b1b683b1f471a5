#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/evidence_builder.h"

// The lab's own promises: what it writes is what it was told, and its files come back as they were.
namespace portcullis::lab {
namespace {

namespace fs = std::filesystem;

TEST(LaunchState, ComesBackFromItsJson) {
  LaunchState state = LaunchState::Turin();
  state.key_kind = snp::KeyKind::kVlek;
  state.policy = 0xFFFFFFFFFFFFFFFF;
  state.vmpl = 0xFFFFFFFF;
  state.launch_tcb.microcode = 1;
  state.measurement = LaunchState::Filled<snp::Measurement>(7);
  state.author_key_enabled = true;
  const auto again = LaunchStateFromJson(ToJson(state));
  ASSERT_TRUE(again.has_value()) << again.error().ToString();
  EXPECT_EQ(ToJson(*again), ToJson(state));
  EXPECT_EQ(EncodeReport(*again, {}), EncodeReport(state, {}));
}

TEST(LaunchState, TakesWhatIsLeftOutFromTheProduct) {
  const auto state = LaunchStateFromJson(
      codec::Json::Object({{"cpuid", codec::Json::Object({{"family", 0x1A}, {"model", 2}, {"stepping", 0}})},
                           {"hostData", std::string(64, 'a')},
                           {"tcb", codec::Json::Object({{"microcode", 9}})}}));
  ASSERT_TRUE(state.has_value()) << state.error().ToString();
  EXPECT_EQ(state->version, 5u);
  EXPECT_EQ(state->cpuid, (snp::CpuId{0x1A, 2, 0}));
  EXPECT_EQ(state->host_data, LaunchState::Filled<snp::HostData>(0xAA));
  EXPECT_EQ(state->committed_tcb, (snp::Tcb{.bootloader = 1, .snp = 2, .microcode = 9}));
}

TEST(LaunchState, RefusesWhatItDoesNotKnow) {
  using codec::Json;
  EXPECT_FALSE(LaunchStateFromJson(Json::Object({{"mesurement", ""}})).has_value());
  EXPECT_FALSE(LaunchStateFromJson(Json::Object({{"measurement", "00"}})).has_value());
  EXPECT_FALSE(LaunchStateFromJson(Json::Object({{"policy", "30000"}})).has_value());
  EXPECT_FALSE(LaunchStateFromJson(Json::Object({{"policy", "0x"}})).has_value());
  EXPECT_FALSE(LaunchStateFromJson(Json::Object({{"keyKind", "vcek"}})).has_value());
}

TEST(LabPki, ComesBackFromItsFiles) {
  const fs::path folder =
      fs::path(testing::TempDir()) / ("portcullis-lab-pki-test-" + std::to_string(getpid()));
  ASSERT_TRUE(LabPki::Shared().Save(folder).has_value());
  const auto loaded = LabPki::Load(folder);
  const auto anchors = LoadAnchors(folder);
  fs::remove_all(folder);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().ToString();
  ASSERT_TRUE(anchors.has_value());

  const test::EvidenceBuilder evidence;
  const MintedEvidence minted = loaded->Mint(evidence.state, evidence.report_data);
  EXPECT_TRUE(snp::VerifySnp(minted.report, {&minted.leaf, 1}, evidence.endorsements, *anchors, evidence.now,
                             &evidence.reference, &evidence.binding)
                  .tree.allowed());
}

TEST(LabPki, SaysWhichFileIsMissing) {
  const auto loaded = LabPki::Load("/nonexistent");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ReasonCode::kConfigurationInvalid);
  EXPECT_EQ(loaded.error().where, "/nonexistent/ark.key");
}

TEST(LabPki, GivesAChipTheSameCertificateEveryTime) {
  LaunchState state;
  const auto fingerprint = [&] { return LabPki::Shared().LeafOf(state).certificate.fingerprint(); };
  const auto first = fingerprint();
  state.measurement = LaunchState::Filled<snp::Measurement>(9);  // another guest
  EXPECT_EQ(fingerprint(), first);
  state.reported_tcb.snp = 0x19;  // another key
  EXPECT_NE(fingerprint(), first);
}

}  // namespace
}  // namespace portcullis::lab
