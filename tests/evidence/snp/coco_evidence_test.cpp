#include "evidence/snp/coco_evidence.h"

#include <gtest/gtest.h>

#include <functional>

#include "evidence/snp/checks.h"
#include "tests/support/evidence_builder.h"
#include "tests/support/testdata.h"

namespace portcullis::snp {
namespace {

using codec::Json;
using codec::JsonArray;
using lab::LabPki;
using lab::LaunchState;

Json Numbers(Bytes bytes) {
  JsonArray out;
  for (const std::byte b : bytes) out.push_back(std::to_integer<unsigned>(b));
  return out;
}

/// As the sev crate's TcbVersion serialises.
Json TcbForm(const Tcb& tcb, Product product) {
  return Json::Object({{"fmc", product == Product::kTurin ? Json(tcb.fmc) : Json()},
                       {"bootloader", tcb.bootloader},
                       {"tee", tcb.tee},
                       {"snp", tcb.snp},
                       {"microcode", tcb.microcode}});
}
Json VersionForm(const FirmwareVersion& version) {
  return Json::Object({{"major", version.major}, {"minor", version.minor}, {"build", version.build}});
}

/// As the sev crate's AttestationReport serialises.
Json ReportForm(const Report& r) {
  Json out = Json::Object({
      {"version", r.version},
      {"guest_svn", r.guest_svn},
      {"policy", r.policy.bits()},
      {"family_id", Numbers(r.family_id.bytes())},
      {"image_id", Numbers(r.image_id.bytes())},
      {"vmpl", r.vmpl},
      {"sig_algo", r.signature_algorithm},
      {"current_tcb", TcbForm(r.current_tcb, r.product)},
      {"plat_info", r.platform_info.bits()},
      {"key_info", r.key_info.bits()},
      {"report_data", Numbers(r.report_data.bytes())},
      {"measurement", Numbers(r.measurement.bytes())},
      {"host_data", Numbers(r.host_data.bytes())},
      {"id_key_digest", Numbers(r.id_key_digest.bytes())},
      {"author_key_digest", Numbers(r.author_key_digest.bytes())},
      {"report_id", Numbers(r.report_id.bytes())},
      {"report_id_ma", Numbers(r.report_id_ma.bytes())},
      {"reported_tcb", TcbForm(r.reported_tcb, r.product)},
      {"cpuid_fam_id", r.cpuid.family},
      {"cpuid_mod_id", r.cpuid.model},
      {"cpuid_step", r.cpuid.stepping},
      {"chip_id", Numbers(r.chip_id.bytes())},
      {"committed_tcb", TcbForm(r.committed_tcb, r.product)},
      {"current", VersionForm(r.current_firmware)},
      {"committed", VersionForm(r.committed_firmware)},
      {"launch_tcb", TcbForm(r.launch_tcb, r.product)},
      {"signature", Json::Object({{"r", Numbers(r.r.bytes())}, {"s", Numbers(r.s.bytes())}})},
  });
  if (r.version >= 5) {
    out.Set("launch_mit_vector", r.launch_mitigations);
    out.Set("current_mit_vector", r.current_mitigations);
  }
  return out;
}

Json EvidenceForm(const lab::MintedEvidence& minted) {
  const Json leaf = Json::Object({{"cert_type", "VCEK"}, {"data", Numbers(minted.leaf.der())}});
  return Json::Object({{"attestation_report", ReportForm(ParseReport(minted.report).value())},
                       {"cert_chain", Json::Array({leaf})}});
}

lab::MintedEvidence Minted(const LaunchState& state) {
  return LabPki::Shared().Mint(state, LaunchState::CountingUp<ReportData>());
}

TEST(CocoEvidence, OfAGenuineAttesterIsTheReportThatWasSigned) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/coco-evidence-json");
  const auto json = codec::ParseJson(AsText(test::ReadBytes(folder / "evidence.json")));
  const auto evidence = ParseCocoEvidence(json.value());
  ASSERT_TRUE(evidence) << evidence.error().ToString();
  EXPECT_TRUE(SameBytes(evidence->report, test::ReadBytes(folder / "report.bin")));
  ASSERT_EQ(evidence->certificates.size(), 1u);
  EXPECT_TRUE(SameBytes(evidence->certificates.front().der(), test::ReadBytes(folder / "vcek.der")));
  EXPECT_TRUE(VerifySnp(evidence->report, evidence->certificates, nullptr, AmdTrustAnchors(),
                        test::kEvidenceTime, nullptr, nullptr)
                  .tree.allowed());
}

TEST(CocoEvidence, RebuildsEveryFieldOfEveryLayout) {
  LaunchState version5 = LaunchState::Milan(), full = LaunchState::Turin();
  version5.version = 5;
  version5.launch_mitigations = UINT64_MAX;
  version5.current_mitigations = 0x0102030405060708;
  full.host_data = LaunchState::CountingUp<HostData>();
  full.family_id = LaunchState::CountingUp<FamilyId>();
  full.image_id = LaunchState::CountingUp<ImageId>();
  full.id_key_digest = LaunchState::CountingUp<KeyDigest>();
  full.guest_svn = 0x1000B;
  full.SetTcb({.fmc = 1, .bootloader = 2, .tee = 3, .snp = 4, .microcode = 5});
  for (const LaunchState& state : {LaunchState::Milan(), LaunchState::Turin(), version5, full}) {
    const auto minted = Minted(state);
    const auto evidence = ParseCocoEvidence(EvidenceForm(minted));
    ASSERT_TRUE(evidence) << evidence.error().ToString();
    EXPECT_TRUE(SameBytes(evidence->report, minted.report));
    EXPECT_TRUE(VerifySnp(evidence->report, evidence->certificates, nullptr, LabPki::Shared().anchors(),
                          test::kEvidenceTime, nullptr, nullptr)
                    .tree.allowed());
  }
}

struct Defect {
  const char* name;
  std::function<void(Json&)> spoil;
};
Json& ReportOf(Json& evidence) { return evidence.Member("attestation_report"); }

TEST(CocoEvidence, RefusesWhatIsNotWhole) {
  const Json good = EvidenceForm(Minted(LaunchState::Milan()));
  ASSERT_TRUE(ParseCocoEvidence(good));
  for (const auto& [name, value] : *good.Find("attestation_report")->if_object()) {
    Json missing = good, null = good;
    ReportOf(missing).Erase(name);
    ReportOf(null).Set(name, nullptr);
    EXPECT_FALSE(ParseCocoEvidence(missing)) << name;
    EXPECT_FALSE(ParseCocoEvidence(null)) << name;
    if (value.is_array()) {
      Json longer = good, shorter = good, large = good;
      ReportOf(longer).Member(name).Push(0);
      ReportOf(shorter).Member(name).if_array()->pop_back();
      ReportOf(large).Member(name).if_array()->front() = 256;
      for (const Json& bad : {longer, shorter, large}) EXPECT_FALSE(ParseCocoEvidence(bad)) << name;
    }
    if (value.is_object())
      for (const auto& [inner, unused] : *value.if_object()) {
        if (inner == "fmc") continue;
        Json bad = good;
        ReportOf(bad).Member(name).Erase(inner);
        EXPECT_FALSE(ParseCocoEvidence(bad)) << name << "." << inner;
      }
  }
}

TEST(CocoEvidence, RefusesWhatDoesNotFitItsField) {
  const Defect defects[] = {
      {"SvnAbove32Bits", [](Json& e) { ReportOf(e).Set("guest_svn", std::int64_t{1} << 32); }},
      {"NegativeVmpl", [](Json& e) { ReportOf(e).Set("vmpl", -1); }},
      {"PolicyAsText", [](Json& e) { ReportOf(e).Set("policy", "196608"); }},
      {"PolicyNegative", [](Json& e) { ReportOf(e).Set("policy", -1); }},
      {"FractionInADigest", [](Json& e) { ReportOf(e).Member("measurement").if_array()->front() = 0.5; }},
      {"TcbAbove255", [](Json& e) { ReportOf(e).Member("current_tcb").Set("snp", 256); }},
      {"FmcWhereThereIsNone", [](Json& e) { ReportOf(e).Member("current_tcb").Set("fmc", 0); }},
      {"MitigationsBeforeVersion5", [](Json& e) { ReportOf(e).Set("launch_mit_vector", 0); }},
      {"UnknownField", [](Json& e) { ReportOf(e).Set("extra", 0); }},
      {"UnknownFieldOfATcb", [](Json& e) { ReportOf(e).Member("launch_tcb").Set("hsp", 0); }},
      {"UnknownMember", [](Json& e) { e.Set("extra", 0); }},
      {"ChainThatIsNoArray", [](Json& e) { e.Set("cert_chain", "none"); }},
      {"UnknownKind", [](Json& e) { e.Find("cert_chain")->if_array()->front().Set("cert_type", "vcek"); }},
      {"KindThatIsANumber", [](Json& e) { e.Find("cert_chain")->if_array()->front().Set("cert_type", 3); }},
      {"CertificateThatIsNone",
       [](Json& e) {
         e.Find("cert_chain")->if_array()->front().Set("data", JsonArray{1, 2});
       }},
      {"CertificateAsText", [](Json& e) { e.Find("cert_chain")->if_array()->front().Set("data", "AA=="); }},
      {"CertificateTooLong",
       [](Json& e) {
         e.Find("cert_chain")
             ->if_array()
             ->front()
             .Set("data", JsonArray(crypto::kMaxCertificateBytes + 1, 0));
       }},
      {"TooManyCertificates",
       [](Json& e) {
         JsonArray& chain = *e.Find("cert_chain")->if_array();
         chain.resize(17, chain.front());
       }},
  };
  const Json good = EvidenceForm(Minted(LaunchState::Milan()));
  for (const Defect& defect : defects) {
    Json bad = good;
    defect.spoil(bad);
    const auto evidence = ParseCocoEvidence(bad);
    ASSERT_FALSE(evidence) << defect.name;
    EXPECT_EQ(evidence.error().code, ReasonCode::kEvidenceMalformed) << defect.name;
  }
}

TEST(CocoEvidence, SaysWhichReportsAreNotKnown) {
  Json old = EvidenceForm(Minted(LaunchState::Milan())), other = old;
  ReportOf(old).Set("version", 2);
  EXPECT_EQ(ParseCocoEvidence(old).error().code, ReasonCode::kEvidenceVersionUnsupported);
  ReportOf(other).Set("cpuid_fam_id", 0x17);
  EXPECT_EQ(ParseCocoEvidence(other).error().code, ReasonCode::kProductNotAllowed);
}

TEST(CocoEvidence, KeepsLeavesAndSkipsWhatElseAHostSent) {
  const auto minted = Minted(LaunchState::Milan());
  Json evidence = EvidenceForm(minted);
  JsonArray& chain = *evidence.Find("cert_chain")->if_array();
  const Json data = Numbers(LabPki::Shared().anchors().products.front().ark.der());
  for (const char* type : {"ARK", "ASK", "CRL", "Empty"})
    chain.push_back(Json::Object({{"cert_type", type}, {"data", data}}));
  chain.push_back(Json::Object({{"cert_type", Json::Object({{"OTHER", "a-guid"}})}, {"data", JsonArray{1}}}));
  const auto parsed = ParseCocoEvidence(evidence);
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->certificates.size(), 1u);

  evidence.Set("cert_chain", nullptr);
  EXPECT_TRUE(ParseCocoEvidence(evidence)->certificates.empty());
  evidence.Erase("cert_chain");
  EXPECT_TRUE(ParseCocoEvidence(evidence)->certificates.empty());
}

}  // namespace
}  // namespace portcullis::snp
