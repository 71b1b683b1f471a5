#include "evidence/tdx/checks.h"

#include <gmock/gmock.h>

#include "tests/evidence/tdx/manifest.h"

namespace portcullis::tdx {
namespace {

using test::Case;
using test::Refusals;
using testing::ElementsAre;

WallTime At(std::string_view text) { return ParseTimestamp(text).value(); }

struct Data {
  test::fs::path root;
  std::vector<Case> real, synthetic;

  explicit Data(test::fs::path from)
      : root(std::move(from)), real(test::RealCases(root)), synthetic(test::SyntheticCases(root)) {}
  Case Good() const { return Named(synthetic, "good-v4"); }
  Case GoodV5() const { return Named(real, "v5-uptodate-older-tcbinfo"); }
  /// A genuine quote with the genuine log that replays to it.
  Case WithLog() const {
    Case out = Named(real, "gcp-cos113-uptodate");
    out.evidence.event_log = test::ReadBytes(root / "ccel" / "cos113.bin");
    return out;
  }
  Event LoggedEvent() const {
    static const ByteBuffer bytes = test::ReadBytes(root / "ccel" / "cos113.bin");
    return ParseEventLog(bytes).value().events.back();
  }
};

/// The smallest change to good evidence that a row refuses, where the manifests have none.
struct Defect {
  std::string_view id;
  Case (*make)(const Data&);
};
const Defect kDefects[] = {
    {"tdx.quote-size",
     [](const Data& d) {
       Case c = d.Good();
       c.evidence.quote.resize(kMaxQuoteBytes + 1);
       return c;
     }},
    {"tdx.cert-data-len",
     [](const Data& d) {
       Case c = d.Good();
       c.evidence.quote[48 + 584 + 4 + 128 + 2] ^= std::byte{1};
       return c;
     }},
    {"tdx.collateral-missing",
     [](const Data& d) {
       Case c = d.Good();
       c.collateral.qe_identity_chain.clear();
       return c;
     }},
    {"tdx.json-format",
     [](const Data& d) {
       Case c = d.Good();
       c.collateral.qe_identity.pop_back();
       return c;
     }},
    {"tdx.qeid-future",
     [](const Data& d) {
       Case c = d.GoodV5();
       c.now = At("2026-02-18T10:41:30Z");  // issued 45 s later
       return c;
     }},
    {"tdx.platform-not-allowed",
     [](const Data& d) {
       Case c = d.Good();
       c.reference.any_genuine_platform = false;
       c.reference.allowed_platforms = {Ppid{}};
       return c;
     }},
    {"tdx.platform-denied",
     [](const Data& d) {
       Case c = d.Good();
       c.reference.denied_platforms = {PlatformOf(ParseQuote(c.evidence.quote).value())->ppid};
       return c;
     }},
    {"tdx.fmspc-not-allowed",
     [](const Data& d) {
       Case c = d.Good();
       c.reference.fmspcs = {Fmspc{}};
       return c;
     }},
    {"tdx.td-xfam",
     [](const Data& d) {
       Case c = d.Good();
       c.reference.xfam_allowed = 0x3;
       return c;
     }},
    {"tdx.eventlog-malformed",
     [](const Data& d) {
       Case c = d.WithLog();
       c.evidence.event_log.resize(100);
       return c;
     }},
    {"tdx.eventlog-mismatch",
     [](const Data& d) {
       Case c = d.WithLog();
       c.evidence.event_log = test::ReadBytes(d.root / "ccel" / "gke.bin");
       return c;
     }},
    {"tdx.eventlog-missing",
     [](const Data& d) {
       Case c = d.WithLog();
       c.reference.events = {{d.LoggedEvent().rtmr, d.LoggedEvent().type, {d.LoggedEvent().digest}}};
       c.evidence.event_log.clear();
       return c;
     }},
    {"tdx.events",
     [](const Data& d) {
       Case c = d.WithLog();
       c.reference.events = {{d.LoggedEvent().rtmr, d.LoggedEvent().type, {Measurement{}}}};
       return c;
     }},
};

TEST(TdxChecks, EachRefuseTheirOwnDefectAndOnlyThat) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  for (const Defect& defect : kDefects) {
    SCOPED_TRACE(defect.id);
    const auto verification = defect.make(data).Verify();
    EXPECT_THAT(Refusals(verification.tree), ElementsAre(std::string(defect.id)));
    EXPECT_FALSE(verification.tree.allowed());
  }
}

TEST(TdxChecks, HaveACaseEach) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  std::set<std::string> rows, covered;
  for (const evidence::Finding& row : CheckRows()) rows.emplace(row.check_id);
  for (const Defect& defect : kDefects) covered.insert(std::string(defect.id));
  for (const auto* cases : {&data.real, &data.synthetic})
    for (const Case& c : *cases) {
      const auto refusals = Refusals(c.Verify().tree);
      if (!refusals.empty()) covered.insert(refusals.front());
    }
  EXPECT_EQ(covered, rows);
}

TEST(TdxChecks, HaveUniqueNames) {
  std::set<std::string> rows;
  for (const evidence::Finding& row : CheckRows())
    EXPECT_TRUE(rows.emplace(row.check_id).second) << row.check_id;
}

TEST(TdxChecks, NameBothSides) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const auto verification = Data(root).Good().Verify();
  for (const evidence::Finding& finding : verification.tree.findings) {
    EXPECT_FALSE(finding.expected.empty()) << finding.check_id;
    EXPECT_FALSE(finding.actual.empty()) << finding.check_id;
    EXPECT_FALSE(finding.source.empty()) << finding.check_id;
  }
}

TEST(TdxChecks, HaveTheSameRowsInTheSameOrderWhateverTheEvidence) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  const auto ids = [](const std::vector<evidence::Finding>& findings) {
    std::vector<std::string> out;
    for (const evidence::Finding& finding : findings) out.emplace_back(finding.check_id);
    return out;
  };
  const auto rows = ids(CheckRows());
  for (const char* name : {"good-v4", "version3", "other-root", "pck-noext", "levels-empty", "body-bit-flip"})
    EXPECT_EQ(ids(Named(data.synthetic, name).Verify().tree.findings), rows) << name;
}

TEST(TdxChecks, RunTheBaselineAloneWithoutAPolicy) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  const auto baseline = [&](const Case& c) {
    return VerifyTdx(c.evidence, test::OneCollateral(c.collateral), c.anchors, c.now, nullptr, nullptr);
  };
  // Out of date is for the policy to judge; the claims say it.
  const auto out_of_date = baseline(Named(data.real, "azure-outofdate"));
  EXPECT_TRUE(out_of_date.tree.allowed());
  EXPECT_EQ(out_of_date.claims.TextAt({"tcb", "status"}), "OutOfDate");
  EXPECT_LT(out_of_date.tree.findings.size(), CheckRows().size());
  EXPECT_THAT(Refusals(baseline(Named(data.real, "debug-td")).tree), ElementsAre("tdx.td-debug"));
  EXPECT_THAT(Refusals(baseline(Named(data.synthetic, "status-revoked")).tree),
              ElementsAre("tdx.tcb-revoked"));
  EXPECT_THAT(Refusals(baseline(Named(data.synthetic, "status-brandnewstatus")).tree),
              ElementsAre("tdx.tcb-status-unknown"));
  EXPECT_THAT(Refusals(baseline(Named(data.real, "dstack-not-supported")).tree),
              ElementsAre("tdx.tcb-not-supported"));
}

TEST(TdxChecks, AllowNothingUnderAPolicyWithNothingToBindTo) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Case c = Data(root).Good();
  const test::OneCollateral collateral(c.collateral);
  EXPECT_FALSE(VerifyTdx(c.evidence, collateral, c.anchors, c.now, &c.reference, nullptr).tree.allowed());
  EXPECT_TRUE(VerifyTdx(c.evidence, collateral, c.anchors, c.now, &c.reference, &c.binding).tree.allowed());
}

TEST(TdxChecks, AreOpenForARegisterThatIsZeroWherePinsExist) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  Case azure = Named(Data(root).real, "azure-accepted");
  EXPECT_TRUE(azure.Verify().tree.allowed());
  azure.reference.rtmrs[1] = test::Only(Measurement::From(ByteBuffer(48, std::byte{1})).value());
  EXPECT_THAT(Refusals(azure.Verify().tree), ElementsAre("tdx.rtmr1"));
  azure.reference.rtmrs[1] = test::Absent();
  EXPECT_TRUE(azure.Verify().tree.allowed());
}

TEST(TdxChecks, DemandZerosInMrConfigIdWhereNoInitDataIsExpected) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  Case c = Named(Data(root).real, "gnr-outofdate-accepted");
  EXPECT_TRUE(c.Verify().tree.allowed());
  c.binding.config_id = std::nullopt;
  EXPECT_THAT(Refusals(c.Verify().tree), ElementsAre("tdx.mrconfigid"));
}

TEST(TdxChecks, TakeAServiceTdOnlyByItsHash) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  Case c = Named(data.synthetic, "service-td");
  const ByteBuffer& bytes = c.evidence.quote;
  c.reference.mr_service_td = test::Only(ParseQuote(bytes)->report.tdx15->mr_service_td);
  EXPECT_TRUE(c.Verify().tree.allowed());
  Case older = data.Good();  // TDX 1.0 has none to show
  older.reference.mr_service_td = c.reference.mr_service_td;
  EXPECT_THAT(Refusals(older.Verify().tree), ElementsAre("tdx.td-service"));
}

TEST(TdxChecks, RefuseDebugWhateverThePolicySays) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  Case c = Named(Data(root).real, "debug-td");
  c.reference.td_attributes_must_set = 1;  // not even where it is demanded
  EXPECT_THAT(Refusals(c.Verify().tree), ElementsAre("tdx.td-debug"));
}

TEST(TcbException, CoversOneStatusWithItsAdvisoriesForATime) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  Case c = Named(Data(root).real, "azure-accepted");
  c.reference.tcb_statuses = {TcbStatus::kUpToDate};
  const std::string date(c.Verify().claims.TextAt({"tcb", "tcbDate"}));
  const TcbException good{.status = TcbStatus::kOutOfDate,
                          .advisories = {"INTEL-SA-00960", "INTEL-SA-00982", "INTEL-SA-00986"},
                          .tcb_date_floor = At(date),
                          .until = c.now + std::chrono::milliseconds(1)};
  const auto refusals = [&](const TcbException& exception) {
    c.reference.tcb_exceptions = {exception};
    return Refusals(c.Verify().tree);
  };
  EXPECT_THAT(refusals(good), testing::IsEmpty());

  TcbException bad = good;
  bad.status = TcbStatus::kOutOfDateConfigurationNeeded;
  EXPECT_THAT(refusals(bad), ElementsAre("tdx.tcb-status-not-allowed"));
  bad = good;
  bad.advisories.erase("INTEL-SA-00982");
  EXPECT_THAT(refusals(bad), ElementsAre("tdx.tcb-status-not-allowed"));
  bad = good;
  bad.tcb_date_floor += std::chrono::seconds(1);
  EXPECT_THAT(refusals(bad), ElementsAre("tdx.tcb-status-not-allowed"));
  bad = good;
  bad.until = c.now;
  EXPECT_THAT(refusals(bad), ElementsAre("tdx.tcb-status-not-allowed"));

  // A denied advisory is refused even so.
  c.reference.denied_advisories = {"INTEL-SA-00986"};
  EXPECT_THAT(refusals(good), ElementsAre("tdx.advisory-denied"));
}

// An advisory list alone would pass a platform that is out of date without any advisory.
TEST(TcbException, HoldsAPlatformWithoutAdvisoriesToItsDate) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  Case c = Named(Data(root).real, "gnr-outofdate");
  c.reference.tcb_exceptions = {{TcbStatus::kOutOfDate, {}, c.now, c.now + std::chrono::hours(1)}};
  EXPECT_THAT(Refusals(c.Verify().tree), ElementsAre("tdx.tcb-status-not-allowed"));
  c.reference.tcb_exceptions.front().tcb_date_floor = At("2018-01-01T00:00:00Z");
  EXPECT_TRUE(c.Verify().tree.allowed());
}

TEST(TcbException, NeverCoversARevokedTcb) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  Case c = Named(Data(root).synthetic, "status-revoked");
  c.reference.tcb_statuses = {TcbStatus::kRevoked};
  c.reference.tcb_exceptions = {
      {TcbStatus::kRevoked, {"INTEL-SA-00615"}, WallTime{}, c.now + std::chrono::hours(1)}};
  EXPECT_THAT(Refusals(c.Verify().tree), ElementsAre("tdx.tcb-revoked", "tdx.tcb-status-not-allowed"));
}

TEST(TdxEventChecks, PassAGenuineLogWithTheEventsThatItHas) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  Case c = data.WithLog();
  EXPECT_TRUE(c.Verify().tree.allowed());
  const EventLog log = ParseEventLog(c.evidence.event_log).value();
  for (const Event& event : log.events)
    c.reference.events.push_back({event.rtmr, event.type, {Measurement{}, event.digest}});
  EXPECT_GT(c.reference.events.size(), 20u);
  EXPECT_TRUE(c.Verify().tree.allowed());
}

TEST(TdxEventChecks, HoldAnEventToItsRegisterAndType) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  Case c = data.WithLog();
  const Event event = data.LoggedEvent();
  c.reference.events = {{event.rtmr, event.type, {event.digest}}};
  EXPECT_TRUE(c.Verify().tree.allowed());
  c.reference.events.front().type ^= 1;
  EXPECT_THAT(Refusals(c.Verify().tree), ElementsAre("tdx.events"));
  c.reference.events = {{3, event.type, {event.digest}}};
  EXPECT_THAT(Refusals(c.Verify().tree), ElementsAre("tdx.events"));
  c.reference.events = {{4, event.type, {event.digest}}};
  EXPECT_THAT(Refusals(c.Verify().tree), ElementsAre("tdx.events"));
}

TEST(TdxEventChecks, RefuseALogOfAnotherBootEvenWithoutAPolicy) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Data data(root);
  Case c = data.WithLog();
  c.evidence.event_log = test::ReadBytes(data.root / "ccel" / "trustee-ovmf.bin");
  const auto baseline =
      VerifyTdx(c.evidence, test::OneCollateral(c.collateral), c.anchors, c.now, nullptr, nullptr);
  EXPECT_THAT(Refusals(baseline.tree), ElementsAre("tdx.eventlog-mismatch"));
}

TEST(VerifyTdx, ClaimsWhatTheQuoteAndItsCollateralSay) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tdx");
  const Case c = Named(Data(root).real, "v5-uptodate");
  const auto verification = c.Verify();
  const codec::Json& claims = verification.claims;
  EXPECT_EQ(*claims.Find("authentic"), codec::Json(true));
  EXPECT_EQ(*claims.Find("version"), codec::Json(5));
  EXPECT_EQ(claims.TextAt({"fmspc"}), "90c06f000000");
  EXPECT_EQ(claims.TextAt({"ppid"}), "2734b654f553596897eaadfb5667a954");
  EXPECT_EQ(claims.TextAt({"pckCa"}), "platform");
  EXPECT_EQ(claims.TextAt({"teeTcbSvn2"}), "0d010400000000000000000000000000");
  EXPECT_EQ(claims.TextAt({"tcb", "status"}), "UpToDate");
  EXPECT_EQ(claims.TextAt({"tcb", "module"}), "TDX_01");
  EXPECT_EQ(*claims.At({"tdAttributes", "names"}), codec::Json::Array({"SEPT_VE_DISABLE"}));
  EXPECT_EQ(claims.TextAt({"collateral", "tcbInfo", "nextUpdate"}), "2026-03-20T10:58:51Z");
  EXPECT_EQ(*claims.At({"collateral", "tcbInfo", "tcbEvaluationDataNumber"}), codec::Json(18));
  EXPECT_EQ(claims.TextAt({"collateral", "pckCrl", "issued"}), "2026-02-18T10:41:15Z");
  EXPECT_FALSE(verification.not_proven.empty());

  Case altered = c;
  altered.evidence.quote[60] ^= std::byte{1};
  EXPECT_EQ(*altered.Verify().claims.Find("authentic"), codec::Json(false));
  EXPECT_EQ(altered.Verify().claims.Find("tcb"), nullptr);
  EXPECT_TRUE(altered.Verify().not_proven.empty());
}

}  // namespace
}  // namespace portcullis::tdx
