#include <gtest/gtest.h>

#include "codec/init_data.h"
#include "codec/text.h"
#include "tests/cli/desk.h"
#include "tests/lab/snp_lab.h"
#include "tests/policy/complete_policy.h"
#include "tests/support/testdata.h"

namespace portcullis::test {
namespace {

using codec::Json;
using lab::LaunchState;

std::vector<std::string> ReasonsOf(const Json& verdict) {
  std::vector<std::string> out;
  for (const Json& reason : *verdict.Find("reasons")->if_array()) out.push_back(*reason.if_string());
  return out;
}

std::string OutcomeOf(const Json& verdict, std::string_view id) {
  for (const Json& check : *verdict.Find("checks")->if_array())
    if (check.TextAt({"id"}) == id) return std::string(check.TextAt({"outcome"}));
  return "absent";
}

/// Evidence of AMD's own roots and what the baseline says of it.
struct RealCase {
  const char* name;
  const char* folder;
  const char* certificate;
  const char* at;
  int exit;
  std::vector<std::string> reasons;

  friend void PrintTo(const RealCase& c, std::ostream* out) { *out << c.name; }
};

class RealSnpEvidence : public testing::TestWithParam<RealCase> {};

TEST_P(RealSnpEvidence, GetsItsVerdict) {
  const RealCase& c = GetParam();
  PORTCULLIS_TESTDATA_OR_SKIP(folder, std::string("snp/") + c.folder);
  Desk desk;
  const Ran ran = desk.Run({"verify", "snp", "--report", (folder / "report.bin").string(), "--cert",
                            (folder / c.certificate).string(), "--at", c.at, "-o", "json"});
  EXPECT_EQ(ran.exit, c.exit) << ran.out << ran.err;
  const Json verdict = ran.json();
  EXPECT_EQ(verdict.TextAt({"verdict"}), c.exit == 0 ? "allow" : "deny");
  EXPECT_EQ(ReasonsOf(verdict), c.reasons) << ran.out;
  EXPECT_TRUE(verdict.Find("claims")->is_object());
  EXPECT_TRUE(verdict.Find("notProven")->is_array());
  EXPECT_FALSE(verdict.Find("checks")->if_array()->empty());
}

constexpr const char* kThen = "2025-10-01T00:00:00Z";

INSTANTIATE_TEST_SUITE_P(
    Verify, RealSnpEvidence,
    testing::Values(
        RealCase{"Milan", "milan-v3-gcp-oak-rel", "vcek.der", kThen, 0, {}},
        RealCase{"Genoa", "genoa-v5-gcp", "vcek.der", kThen, 0, {}},
        RealCase{"Turin", "turin-v5-gcp", "vcek.der", kThen, 0, {}},
        RealCase{"VlekWhileItWasValid", "milan-v3-vlek-aws", "vlek.der", kThen, 0, {}},
        RealCase{"VlekExpired",
                 "milan-v3-vlek-aws",
                 "vlek.der",
                 "2026-01-01T00:00:00Z",
                 3,
                 {"CertificateExpired"}},
        RealCase{"BeforeTheCertificate",
                 "milan-v3-gcp-oak-rel",
                 "vcek.der",
                 "2019-01-01T00:00:00Z",
                 3,
                 {"CertificateExpired"}},
        RealCase{"Version2", "milan-v2-fw1.52", "vcek.der", kThen, 3, {"EvidenceVersionUnsupported"}},
        RealCase{
            "MeasurementChanged", "mut-milan-measurement-bit", "vcek.der", kThen, 3, {"SignatureInvalid"}},
        RealCase{"UnsignedTail", "mut-milan-unsigned-tail", "vcek.der", kThen, 4, {"EvidenceMalformed"}},
        RealCase{"Truncated", "mut-milan-truncated", "vcek.der", kThen, 4, {"EvidenceMalformed"}},
        RealCase{"Version6", "mut-milan-version-6", "vcek.der", kThen, 3, {"EvidenceVersionUnsupported"}}),
    [](const auto& param) { return param.param.name; });

TEST(VerifySnp, WithoutACertificateIsDenied) {
  PORTCULLIS_TESTDATA_OR_SKIP(report, "snp/milan-v3-gcp-oak-rel/report.bin");
  Desk desk;
  const Ran ran = desk.Run({"verify", "snp", "--report", report.string(), "-o", "json"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ReasonsOf(ran.json()), std::vector<std::string>{"EndorsementMissing"});
}

TEST(VerifySnp, TakesTheCertificateInPemToo) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/milan-v3-gcp-oak-rel");
  Desk desk;
  const std::string pem =
      desk.Write("vcek.pem", codec::EncodePem("CERTIFICATE", ReadBytes(folder / "vcek.der")));
  EXPECT_EQ(
      desk.Run({"verify", "snp", "--report", (folder / "report.bin").string(), "--cert", pem, "--at", kThen})
          .exit,
      0);
}

TEST(VerifySnp, ShowsAVerdictToPeople) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/milan-v3-vlek-aws");
  Desk desk;
  const Ran ran = desk.Run({"verify", "snp", "--report", (folder / "report.bin").string(), "--cert",
                            (folder / "vlek.der").string(), "--at", "2026-01-01T00:00:00Z"});
  EXPECT_TRUE(ran.out.starts_with("DENY CertificateExpired\n")) << ran.out;
  for (const char* part : {"FAIL  snp.certificate-valid", "Claims", "Not proven", "What to do"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
  desk.colour = true;
  EXPECT_NE(
      desk.Run({"verify", "snp", "--report", (folder / "report.bin").string()}).out.find("\x1b[1;31mDENY"),
      std::string::npos);
}

/// Evidence of the lab's guest that the complete policy allows, under the lab's roots.
class LabDesk : public testing::Test {
 protected:
  LabDesk() {
    desk.anchors = &anchors;
    state.id_key_digest = LaunchState::Filled<snp::KeyDigest>(0x11);
    init_data = codec::MakeInitData({{"portcullis.json", "{}"}}).text;
    state.host_data = snp::HostData(crypto::Sha256(AsBytes(init_data)).array());
  }

  /// With the root's revocation list, which a policy demands.
  Ran Verify(std::vector<std::string> more) {
    const auto day = std::chrono::hours(24);
    const crypto::Crl list = lab::LabPki::Shared().CrlOf(snp::Product::kMilan, revoked,
                                                         desk.clock.Now() - day, desk.clock.Now() + day);
    more.insert(more.end(), {"--crl", desk.Write("crl.der", AsText(list.der()))});
    return VerifyWithoutList(more);
  }
  Ran VerifyWithoutList(const std::vector<std::string>& more) {
    const lab::MintedEvidence minted = lab::LabPki::Shared().Mint(state, report_data);
    std::vector<std::string> arguments = {"verify",   "snp",
                                          "--report", desk.Write("report.bin", AsText(minted.report)),
                                          "--cert",   desk.Write("auxblob.bin", AsText(minted.aux_blob)),
                                          "-o",       "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return desk.Run(arguments);
  }
  std::string Policy() { return desk.Write("policy.yaml", codec::ToYaml(CompletePolicy())); }
  std::string InitData() { return desk.Write("init.toml", init_data); }

  const snp::TrustAnchors anchors = lab::LabPki::Shared().anchors();
  Desk desk;
  LaunchState state = LaunchState::Milan();
  snp::ReportData report_data = LaunchState::Filled<snp::ReportData>(0x5A);
  std::string init_data;
  std::vector<std::uint64_t> revoked;
};

TEST_F(LabDesk, IsAllowedUnderThePolicyWithEverythingCompared) {
  const Ran ran = Verify({"--policy", Policy(), "--init-data", InitData(), "--report-data",
                          codec::EncodeHex(report_data.bytes())});
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_EQ(OutcomeOf(ran.json(), "snp.report-data"), "passed");
  EXPECT_EQ(OutcomeOf(ran.json(), "snp.host-data"), "passed");
}

TEST_F(LabDesk, IsDeniedByAPolicyRule) {
  state.measurement = LaunchState::Filled<snp::Measurement>(9);
  const Ran ran = Verify({"--policy", Policy(), "--init-data", InitData()});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ReasonsOf(ran.json()), std::vector<std::string>{"MeasurementNotAllowed"});
}

TEST_F(LabDesk, IsDeniedWithoutARevocationListUnderAPolicy) {
  const Ran ran = VerifyWithoutList({"--policy", Policy(), "--init-data", InitData()});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ReasonsOf(ran.json()), std::vector<std::string>{"CollateralStale"});
}

TEST_F(LabDesk, SaysThatRevocationWasNotLookedAtWithoutPolicyAndList) {
  const Ran ran = VerifyWithoutList({});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(OutcomeOf(ran.json(), "snp.crl-current"), "absent");
  EXPECT_NE(codec::ToText(*ran.json().Find("notProven")).find("revocation list"), std::string::npos);
  EXPECT_EQ(codec::ToText(*Verify({}).json().Find("notProven")).find("revocation list"), std::string::npos);
}

TEST_F(LabDesk, IsDeniedWhereTheIntermediateIsRevoked) {
  revoked = {lab::LabPki::Shared().anchors().For(snp::Product::kMilan)->ask.serial()};
  EXPECT_EQ(ReasonsOf(Verify({}).json()), std::vector<std::string>{"CertificateRevoked"});
}

TEST_F(LabDesk, RefusesAListThatIsNone) {
  EXPECT_EQ(VerifyWithoutList({"--crl", desk.Write("crl.der", "no list")}).exit, 4);
}

TEST_F(LabDesk, WithAPolicyAndNoInitDataMustHaveZeroHostData) {
  EXPECT_EQ(ReasonsOf(Verify({"--policy", Policy()}).json()), std::vector<std::string>{"InitDataMismatch"});
  state.host_data = {};
  EXPECT_EQ(Verify({"--policy", Policy()}).exit, 0);
}

TEST_F(LabDesk, SaysThatFreshnessIsNotProvenWithoutReportData) {
  const Json verdict = Verify({"--policy", Policy(), "--init-data", InitData()}).json();
  EXPECT_EQ(OutcomeOf(verdict, "snp.report-data"), "absent");
  EXPECT_NE(codec::ToText(*verdict.Find("notProven")).find("--report-data"), std::string::npos);
}

TEST_F(LabDesk, ComparesReportDataAndInitDataWithoutAPolicyToo) {
  EXPECT_EQ(Verify({"--init-data", InitData(), "--report-data", codec::EncodeHex(report_data.bytes())}).exit,
            0);
  const Json old = Verify({"--report-data", std::string(128, '0')}).json();
  EXPECT_EQ(ReasonsOf(old), std::vector<std::string>{"ReportDataMismatch"});
  init_data = codec::MakeInitData({{"portcullis.json", "{\"other\":1}"}}).text;
  EXPECT_EQ(ReasonsOf(Verify({"--init-data", InitData()}).json()),
            std::vector<std::string>{"InitDataMismatch"});
}

TEST_F(LabDesk, DoesNotCompareWhatItCanNotBelieve) {
  desk.anchors = &snp::AmdTrustAnchors();
  const Ran ran = Verify({"--report-data", codec::EncodeHex(report_data.bytes())});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ReasonsOf(ran.json()), std::vector<std::string>{"ChainUntrusted"});
  EXPECT_EQ(OutcomeOf(ran.json(), "snp.report-data"), "notEvaluated");
}

TEST_F(LabDesk, TakesThePolicyFromAReleasePolicyObject) {
  const Json object = Json::Object({{"apiVersion", "portcullis.dev/v1alpha1"},
                                    {"kind", "ReleasePolicy"},
                                    {"metadata", Json::Object({{"name", "llama"}})},
                                    {"spec", Json::Object({{"policy", CompletePolicy()}})}});
  EXPECT_EQ(
      Verify({"--policy", desk.Write("object.json", codec::ToText(object)), "--init-data", InitData()}).exit,
      0);
}

TEST_F(LabDesk, RefusesAPolicyThatIsIncomplete) {
  Json policy = CompletePolicy();
  policy.Find("tees")->Find("snp")->Erase("measurements");
  const Ran ran = Verify({"--policy", desk.Write("policy.json", codec::ToText(policy))});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_TRUE(ran.out.empty());
  EXPECT_NE(ran.err.find("tees.snp.measurements"), std::string::npos) << ran.err;
}

TEST_F(LabDesk, RefusesOptionsThatSayNothingCertain) {
  EXPECT_EQ(Verify({"--report-data", "00"}).exit, 2);
  EXPECT_EQ(Verify({"--at", "yesterday"}).exit, 2);
  EXPECT_EQ(Verify({"--policy", desk.Path("absent.yaml")}).exit, 2);
  EXPECT_EQ(Verify({"--cert", desk.Write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")}).exit, 4);
  EXPECT_EQ(Verify({"--init-data", desk.Write("broken.toml", "version = ")}).exit, 4);
  EXPECT_EQ(Verify({"--policy", desk.Write("broken.yaml", "a: [")}).exit, 4);
}

}  // namespace
}  // namespace portcullis::test
