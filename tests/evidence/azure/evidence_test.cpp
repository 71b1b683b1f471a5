#include "evidence/azure/evidence.h"

#include <gtest/gtest.h>

#include <functional>

#include "evidence/azure/hcl_report.h"
#include "tests/lab/azure_lab.h"
#include "tests/lab/snp_lab.h"
#include "tests/support/testdata.h"

namespace portcullis::azure {
namespace {

using codec::Json;

const lab::MintedEvidence& Minted() {
  static const lab::MintedEvidence minted = lab::LabPki::Shared().Mint(lab::LaunchState::Milan(), {});
  return minted;
}
Json SnpForm(std::int64_t version) {
  const auto& vm = lab::AzureVm::Shared();
  return lab::AzureSnpEvidence(version, {}, vm.Quote({}, AsBytes("challenge")),
                               lab::HclReportOf(2, Minted().report, vm.VarData({}, {})), Minted().leaf.der());
}
Json TdxForm(std::int64_t version) {
  const auto& vm = lab::AzureVm::Shared();
  return lab::AzureTdxEvidence(version, {}, vm.Quote({}, AsBytes("challenge")),
                               lab::HclReportOf(4, ByteBuffer(1024), vm.VarData({}, {})), ByteBuffer(5006));
}

TEST(AzureEvidence, IsTheSameInEachVersion) {
  const lab::AzureState state;
  for (const std::int64_t version : {0, 1, 2}) {
    const auto snp = ParseSnpEvidence(SnpForm(version));
    ASSERT_TRUE(snp) << version << snp.error().ToString();
    EXPECT_EQ(snp->version, version);
    EXPECT_EQ(snp->quote.pcrs, state.pcrs);
    EXPECT_EQ(snp->quote.signature.size(), 256u);
    EXPECT_EQ(snp->hcl_report.size(), 2600u);
    ASSERT_EQ(snp->certificates.size(), 1u);
    EXPECT_EQ(snp->certificates.front().fingerprint(), Minted().leaf.fingerprint());
    const auto tdx = ParseTdxEvidence(TdxForm(version));
    ASSERT_TRUE(tdx) << version << tdx.error().ToString();
    EXPECT_EQ(tdx->version, version);
    EXPECT_EQ(tdx->td_quote.size(), 5006u);
  }
}

TEST(AzureEvidence, OfAnUnknownVersionIsRefused) {
  for (const Json& version : {Json(3), Json(-1), Json("1"), Json(1.5)}) {
    Json evidence = SnpForm(1);
    evidence.Set("version", version);
    EXPECT_FALSE(ParseSnpEvidence(evidence));
  }
  Json evidence = TdxForm(1);
  evidence.Set("version", 3);
  EXPECT_EQ(ParseTdxEvidence(evidence).error().code, ReasonCode::kEvidenceVersionUnsupported);
  // One version's form is not another's.
  evidence.Set("version", 0);
  EXPECT_FALSE(ParseTdxEvidence(evidence));
  evidence = TdxForm(0);
  evidence.Set("version", 1);
  EXPECT_FALSE(ParseTdxEvidence(evidence));
}

TEST(AzureEvidence, IsRefusedWithoutAnyOfItsMembersOrWithAnother) {
  for (const std::int64_t version : {0, 1, 2}) {
    for (const Json& good : {SnpForm(version), TdxForm(version)}) {
      const bool tdx = good.Find("td_quote") != nullptr;
      const auto parses = [tdx](const Json& evidence) {
        return tdx ? ParseTdxEvidence(evidence).has_value() : ParseSnpEvidence(evidence).has_value();
      };
      ASSERT_TRUE(parses(good));
      const bool old_snp = version == 0 && !tdx;
      const std::string quote = old_snp ? "quote" : "tpm_quote";
      for (const auto& [name, value] : *good.if_object()) {
        if (name == "version" || (name == "vcek" && version > 0)) continue;
        Json bad = good;
        bad.Erase(name);
        EXPECT_FALSE(parses(bad)) << name;
        bad.Set(name, true);
        EXPECT_FALSE(parses(bad)) << name;
      }
      for (const auto& [name, value] : *good.Find(quote)->if_object()) {
        Json bad = good;
        bad.Find(quote)->Erase(name);
        EXPECT_FALSE(parses(bad)) << name;
        bad.Find(quote)->Set(name, true);
        EXPECT_FALSE(parses(bad)) << name;
      }
      Json more = good;
      more.Set("extra", 1);
      EXPECT_FALSE(parses(more));
      more = good;
      more.Find(quote)->Set("extra", 1);
      EXPECT_FALSE(parses(more));
    }
  }
}

TEST(AzureEvidence, HasAll24Pcrs) {
  const auto with = [](const std::function<void(codec::JsonArray&)>& change) {
    Json evidence = SnpForm(1);
    change(*evidence.Find("tpm_quote")->Find("pcrs")->if_array());
    return ParseSnpEvidence(evidence).has_value();
  };
  EXPECT_TRUE(with([](codec::JsonArray&) {}));
  EXPECT_FALSE(with([](codec::JsonArray& pcrs) { pcrs.pop_back(); }));
  EXPECT_FALSE(with([](codec::JsonArray& pcrs) { pcrs.push_back(pcrs.front()); }));
  EXPECT_FALSE(with([](codec::JsonArray& pcrs) { pcrs.front() = std::string(62, '0'); }));
  EXPECT_FALSE(with([](codec::JsonArray& pcrs) { pcrs.front() = std::string(66, '0'); }));
  EXPECT_FALSE(with([](codec::JsonArray& pcrs) { pcrs.front() = std::string(64, 'x'); }));
}

TEST(AzureEvidence, IsRefusedAboveItsLimits) {
  Json evidence = SnpForm(1);
  evidence.Set("hcl_report", std::string((kMaxHclBytes + 3) / 3 * 4 + 4, 'A'));
  EXPECT_FALSE(ParseSnpEvidence(evidence));
  evidence = SnpForm(1);
  evidence.Find("tpm_quote")->Set("message", std::string(2 * tpm::kMaxQuoteBytes + 2, '0'));
  EXPECT_FALSE(ParseSnpEvidence(evidence));
  evidence = SnpForm(0);
  evidence.Set("report", codec::JsonArray(kMaxHclBytes + 1, 0));
  EXPECT_FALSE(ParseSnpEvidence(evidence));
  evidence = SnpForm(0);
  evidence.Find("report")->if_array()->front() = 256;
  EXPECT_FALSE(ParseSnpEvidence(evidence));
}

TEST(AzureEvidence, TakesBase64UrlWithItsPaddingAndWithout) {
  Json evidence = SnpForm(2);
  std::string text = *evidence.Find("hcl_report")->if_string();
  ASSERT_TRUE(text.ends_with('='));
  text.pop_back();
  evidence.Set("hcl_report", text);
  EXPECT_TRUE(ParseSnpEvidence(evidence));
  evidence.Set("hcl_report", text + "==");
  EXPECT_FALSE(ParseSnpEvidence(evidence));
  evidence.Set("hcl_report", text.substr(0, text.size() - 1) + "+");
  EXPECT_FALSE(ParseSnpEvidence(evidence));
}

TEST(AzureEvidence, MayLeaveTheVcekToTheStore) {
  Json evidence = SnpForm(2);
  evidence.Erase("vcek");
  EXPECT_TRUE(ParseSnpEvidence(evidence)->certificates.empty());
  evidence.Set("vcek", nullptr);
  EXPECT_TRUE(ParseSnpEvidence(evidence)->certificates.empty());
  evidence.Set("vcek", "AA");
  EXPECT_FALSE(ParseSnpEvidence(evidence));
}

}  // namespace
}  // namespace portcullis::azure
