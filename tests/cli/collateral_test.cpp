#include <gtest/gtest.h>

#include "codec/text.h"
#include "endorsement/kds_client.h"
#include "tests/cli/desk.h"
#include "tests/endorsement/vendors.h"
#include "tests/support/testdata.h"

namespace portcullis::test {
namespace {

using codec::Json;
using std::chrono::hours;

/// A desk beside the lab's vendors: its time is theirs.
class CollateralDesk : public Vendors {
 protected:
  CollateralDesk() {
    desk.anchors = &snp_anchors;
    desk.tdx_anchors = &tdx_anchors;
    ca = desk.Write("ca.pem", "-----CA-----");
  }
  std::string Directory() const { return desk.Path("collateral"); }

  void Serve(const std::string& path, const Document& document, const std::string& header = "") {
    http::Response answer = Ok(document.body);
    if (!header.empty()) answer.headers.Set(header, PercentEncoded(document.chain));
    desk.broker->answers[path] = std::move(answer);
  }
  void ServeEverything(WallTime issued) {
    for (const auto product : {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin})
      Serve("/vcek/v1/" + std::string(snp::NameOf(product)) + "/crl", AmdCrl(issued, {}, product));
    Serve(endorsement::KdsPathOf(IdOf(milan)), Vcek(milan));
    const auto intel = Intel(IssuedAt(issued));
    Serve("/tdx/certification/v4/tcb?fmspc=90c06f000000&update=standard", intel.tcb_info,
          "TCB-Info-Issuer-Chain");
    Serve("/tdx/certification/v4/qe/identity?update=standard", intel.qe_identity,
          "SGX-Enclave-Identity-Issuer-Chain");
    Serve("/sgx/certification/v4/pckcrl?ca=platform&encoding=der", intel.pck_crl, "SGX-PCK-CRL-Issuer-Chain");
    Serve("/IntelSGXRootCA.der", intel.root_crl);
  }
  Ran Fetch(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"collateral", "fetch", "--directory", Directory(),
                                          "--ca",       ca,      "-o",          "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return desk.Run(arguments);
  }
  static std::string OutcomeOf(const Json& result, std::string_view member, std::string_view document) {
    for (const Json& row : *result.Find(member)->if_array())
      if (row.TextAt({"document"}) == document) return std::string(row.TextAt({"outcome"}));
    return "absent";
  }
  std::string Quote() {
    return desk.Write("quote.bin", AsText(tdx_pki.Mint(td, lab::TdState::Filled<tdx::ReportData>(3))));
  }
  std::string Report() {
    return desk.Write("report.bin",
                      AsText(snp_pki.Mint(milan, lab::LaunchState::Filled<snp::ReportData>(3)).report));
  }

  Desk desk;
  std::string ca;
};

TEST_F(CollateralDesk, FetchesWhatEvidenceNeedsAndVerifiesWithIt) {
  ServeEverything(Yesterday());
  const Ran ran = Fetch({"--report", Report(), "--quote", Quote(), "--set", "standard"});
  // The lab publishes no list of the Processor CA.
  EXPECT_EQ(ran.exit, 3) << ran.out << ran.err;
  const Json result = ran.json();
  EXPECT_EQ(OutcomeOf(result, "fetched", "intel/pckcrl-processor.der"), "not-found");
  for (const std::string& document :
       {endorsement::PathOf(IdOf(milan)), std::string("amd/Milan/crl.der"), std::string("intel/rootcrl.der"),
        std::string("intel/standard/tcbinfo-90c06f000000.json"),
        std::string("intel/standard/qeidentity.json")})
    EXPECT_EQ(OutcomeOf(result, "fetched", document), "installed") << document;
  EXPECT_EQ(desk.Run({"verify", "tdx", "--quote", Quote(), "--collateral", Directory()}).exit, 0);
  const Ran snp =
      desk.Run({"verify", "snp", "--report", Report(), "--collateral", Directory(), "-o", "json"});
  EXPECT_EQ(snp.exit, 0) << snp.out;
  EXPECT_NE(snp.out.find("snp.crl-current"), std::string::npos);
}

TEST_F(CollateralDesk, FetchesTheCommonListsWhereNothingIsNamed) {
  ServeEverything(Yesterday());
  EXPECT_EQ(OutcomeOf(Fetch({}).json(), "fetched", "amd/Turin/crl.der"), "installed");
}

TEST_F(CollateralDesk, WaitsForAChipsTurn) {
  ServeEverything(Yesterday());
  const std::string hwid = codec::EncodeHex(milan.chip_id.bytes());
  const SteadyTime started = desk.clock.Steady();
  const Ran ran = Fetch({"--report", Report(), "--chip", "Milan/" + hwid + "/bl04_tee00_snp24_ucode220"});
  EXPECT_EQ(ran.exit, 3) << "there is none for that TCB";
  EXPECT_EQ(OutcomeOf(ran.json(), "fetched", endorsement::PathOf(IdOf(milan))), "installed");
  EXPECT_EQ(desk.clock.Steady() - started, std::chrono::seconds(10));
}

TEST_F(CollateralDesk, SaysWhatWasRefusedAndUnreachable) {
  ServeEverything(clock.Now() - hours(24 * 100));
  EXPECT_EQ(Fetch({"--report", Report()}).exit, 3);
  EXPECT_EQ(OutcomeOf(Fetch({"--report", Report()}).json(), "fetched", "amd/Milan/crl.der"), "refused");
  desk.broker->failure = Error{ReasonCode::kUnreachable, "no route"};
  EXPECT_EQ(Fetch({"--fmspc", "90c06f000000"}).exit, 5);
}

TEST_F(CollateralDesk, RefusesWhatNamesNothing) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {"--fmspc", "90c0"}, {"--chip", "Milan/00/bl1"}, {"--chip", "Milan"}, {"--set", "late"}})
    EXPECT_EQ(Fetch(wrong).exit, 2) << wrong.back();
  EXPECT_EQ(Fetch({"--report", Quote()}).exit, 4);
  EXPECT_TRUE(desk.broker->asked.empty());
}

TEST_F(CollateralDesk, ShowsProgressOnATerminalOnly) {
  ServeEverything(Yesterday());
  EXPECT_EQ(Fetch({}).err, "");
  desk.colour = true;
  EXPECT_NE(Fetch({}).err.find("[1/"), std::string::npos);
}

TEST_F(CollateralDesk, CarriesABundleAcrossAnAirGap) {
  ServeEverything(Yesterday());
  Fetch({"--report", Report(), "--quote", Quote(), "--set", "standard"});
  const std::string bundle = desk.Path("bundle"), inside = desk.Path("inside");
  EXPECT_EQ(desk.Run({"collateral", "export", "--directory", Directory(), "--to", bundle}).exit, 0);
  EXPECT_EQ(desk.Run({"collateral", "import", "--from", bundle, "--directory", inside}).exit, 0);
  EXPECT_EQ(desk.Run({"verify", "tdx", "--quote", Quote(), "--collateral", inside}).exit, 0);
  EXPECT_EQ(desk.Run({"verify", "snp", "--report", Report(), "--collateral", inside}).exit, 0);
  const Json again =
      desk.Run({"collateral", "import", "--from", bundle, "--directory", inside, "-o", "json"}).json();
  EXPECT_EQ(OutcomeOf(again, "imported", "amd/Milan/crl.der"), "unchanged");
}

TEST_F(CollateralDesk, ImportsNothingThatAnotherRootSigned) {
  ServeEverything(Yesterday());
  Fetch({"--report", Report(), "--quote", Quote(), "--set", "standard"});
  desk.anchors = &snp::AmdTrustAnchors();
  desk.tdx_anchors = &tdx::IntelTrustAnchors();
  const Ran ran = desk.Run(
      {"collateral", "import", "--from", Directory(), "--directory", desk.Path("inside"), "-o", "json"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out.find("\"installed\""), std::string::npos) << ran.out;
}

TEST_F(CollateralDesk, StatusShowsWindowsAndExitsWithThreeWhereOneIsStale) {
  ServeEverything(Yesterday());
  Fetch({"--report", Report(), "--quote", Quote(), "--set", "standard"});
  const auto status = [&] {
    return desk.Run({"collateral", "status", "--directory", Directory(), "-o", "json"});
  };
  const Ran fresh = status();
  EXPECT_EQ(fresh.exit, 0) << fresh.out << fresh.err;
  EXPECT_EQ(*fresh.json().Find("vceks")->if_int64(), 1);
  const auto row = [](const Json& json, std::string_view document) {
    for (const Json& one : *json.Find("documents")->if_array())
      if (one.TextAt({"document"}) == document) return one;
    return Json();
  };
  const Json tcb_info = row(fresh.json(), "intel/standard/tcbinfo-90c06f000000.json");
  EXPECT_EQ(tcb_info.TextAt({"state"}), "current");
  EXPECT_EQ(*tcb_info.Find("daysLeft")->if_int64(), 29);
  EXPECT_EQ(*tcb_info.Find("ageDays")->if_int64(), 1);
  EXPECT_EQ(*tcb_info.Find("evaluationNumber")->if_int64(), 18);
  desk.clock.Advance(hours(24 * 24));
  EXPECT_EQ(row(status().json(), "intel/standard/tcbinfo-90c06f000000.json").TextAt({"state"}), "ends-soon");
  EXPECT_EQ(status().exit, 0);
  desk.clock.Advance(hours(24 * 10));
  EXPECT_EQ(row(status().json(), "intel/standard/tcbinfo-90c06f000000.json").TextAt({"state"}), "stale");
  EXPECT_EQ(status().exit, 3);
  EXPECT_NE(desk.Run({"collateral", "status", "--directory", Directory()}).out.find("DAYS LEFT"),
            std::string::npos);
}

struct RealQuote {
  const char* name;
  const char* quote;
  const char* at;
  int exit;
  const char* reason;
  friend void PrintTo(const RealQuote& c, std::ostream* out) { *out << c.name; }
};

class RealTdxEvidence : public testing::TestWithParam<RealQuote> {};

TEST_P(RealTdxEvidence, GetsItsVerdictFromAFolderOfSeveralDays) {
  const RealQuote& c = GetParam();
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx");
  const Ran ran = Desk().Run({"verify", "tdx", "--quote", (folder / "quotes" / c.quote).string(),
                              "--collateral", (folder / "collateral").string(), "--at", c.at, "-o", "json"});
  EXPECT_EQ(ran.exit, c.exit) << ran.out << ran.err;
  EXPECT_NE(ran.out.find(c.reason), std::string::npos) << ran.out;
}

INSTANTIATE_TEST_SUITE_P(
    Verify, RealTdxEvidence,
    testing::Values(RealQuote{"Version4", "v4-b0c06f-phala.bin", "2025-06-25T00:00:00Z", 0, "\"UpToDate\""},
                    RealQuote{"Padded", "v4-gcp-cos113.bin", "2025-10-25T00:00:00Z", 0, "\"UpToDate\""},
                    RealQuote{"Version5", "v5-td15-90c06f.bin", "2026-02-20T00:00:00Z", 0, "\"UpToDate\""},
                    RealQuote{"Debug", "v4-50806f-debug.bin", "2023-06-25T00:00:00Z", 3, "DebugEnabled"},
                    RealQuote{"Later", "v5-td15-90c06f.bin", "2026-09-20T00:00:00Z", 3, "CollateralStale"}),
    [](const auto& param) { return param.param.name; });

TEST(VerifyTdx, ReplaysTheEventLogAndComparesReportData) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx");
  const auto verify = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"verify",       "tdx",
                                          "--quote",      (folder / "quotes/v4-gcp-cos113.bin").string(),
                                          "--collateral", (folder / "collateral").string(),
                                          "--at",         "2025-10-25T00:00:00Z"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Desk().Run(arguments);
  };
  const std::string log = (folder / "ccel/cos113.bin").string();
  EXPECT_EQ(verify({"--event-log", log, "--report-data", std::string(128, '0')}).exit, 0);
  EXPECT_EQ(verify({"--report-data", std::string(127, '0') + "1"}).exit, 3);
  EXPECT_EQ(verify({"--report-data", "00"}).exit, 2);
  EXPECT_EQ(verify({"--event-log", (folder / "ccel/trustee-ovmf.bin").string()}).exit, 3);
}

TEST(VerifyAttestation, ReadsEvidenceAloneAndWithinABody) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx");
  Desk desk;
  const Json evidence =
      Json::Object({{"quote", codec::EncodeBase64(ReadBytes(folder / "quotes/v5-td15-90c06f.bin"))},
                    {"cc_eventlog", nullptr}});
  const auto verify = [&](const Json& document) {
    return desk.Run({"verify", "attestation", "--evidence",
                     desk.Write("evidence.json", codec::ToText(document)), "--collateral",
                     (folder / "collateral").string(), "--at", "2026-02-20T00:00:00Z", "-o", "json"});
  };
  const Ran alone = verify(evidence);
  EXPECT_EQ(alone.exit, 0) << alone.out << alone.err;
  // The body says which nonce and key the quote must cover; this quote was made for others.
  const Ran within = verify(
      Json::Object({{"runtime-data", Json::Object({{"nonce", "AAAA"}, {"tee-pubkey", Json::Object({})}})},
                    {"tee-evidence", Json::Object({{"primary_evidence", evidence}})}}));
  EXPECT_EQ(within.exit, 3);
  EXPECT_NE(within.out.find("ReportDataMismatch"), std::string::npos) << within.out;
  EXPECT_EQ(verify(Json::Object({{"other", 1}})).exit, 4);
}

TEST(VerifyAttestation, ReadsSnpEvidenceOfTheLab) {
  const lab::LabPki& pki = lab::LabPki::Shared();
  const snp::TrustAnchors anchors = pki.anchors();
  Desk desk;
  desk.anchors = &anchors;
  const auto minted = pki.Mint(lab::LaunchState::Milan(), lab::LaunchState::Filled<snp::ReportData>(3));
  const Json evidence = Json::Object({{"attestation_report", codec::EncodeBase64(minted.report)},
                                      {"auxblob", codec::EncodeBase64(minted.aux_blob)}});
  const std::string file = desk.Write("evidence.json", codec::ToText(evidence));
  const Ran ran = desk.Run({"verify", "attestation", "--evidence", file});
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_EQ(desk.Run({"verify", "attestation", "--evidence", file, "--tee", "tdx"}).exit, 3) << "another TEE";
}

}  // namespace
}  // namespace portcullis::test
