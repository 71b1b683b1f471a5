#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/snp/given_endorsements.h"
#include "tests/lab/crl_writer.h"
#include "tests/support/evidence_builder.h"

// AMD's revocation lists, one thing wrong at a time, and certificates from a store.
namespace portcullis::snp {
namespace {

using lab::LabPki;
using test::EvidenceBuilder;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;  // NOLINT: literals are made for this

constexpr auto kDay = 24h;

/// Exactly what a test puts in, whoever signed it.
struct FixedEndorsements : EndorsementSource {
  std::optional<crypto::Certificate> FindVcek(Product product, const ChipId& chip,
                                              const Tcb& tcb) const override {
    asked = {product, chip, tcb};
    return vcek;
  }
  std::shared_ptr<const crypto::Crl> FindCrl(Product) const override { return list; }

  std::optional<crypto::Certificate> vcek;
  std::shared_ptr<const crypto::Crl> list = test::CurrentLists().FindCrl(Product::kMilan);
  struct Asked {
    Product product;
    ChipId chip;
    Tcb tcb;
  };
  mutable std::optional<Asked> asked;
};

class Revocation : public testing::Test {
 protected:
  Revocation() { evidence.endorsements = &source; }

  std::vector<std::string> RefusalsWith(crypto::Crl list) {
    source.list = std::make_shared<const crypto::Crl>(std::move(list));
    return Refusals();
  }
  std::vector<std::string> Refusals() const { return test::Refusals(evidence.Verify().tree); }
  evidence::Outcome OutcomeOf(std::string_view id) const {
    for (const evidence::Finding& finding : evidence.Verify().tree.findings)
      if (finding.check_id == id) return finding.outcome;
    ADD_FAILURE() << "no row " << id;
    return {};
  }
  crypto::Crl ListOf(Product product, const std::vector<std::uint64_t>& serials) const {
    return LabPki::Shared().CrlOf(product, serials, evidence.now - kDay, evidence.now + kDay);
  }
  crypto::Crl ListIn(WallTime this_update, WallTime next_update) const {
    return LabPki::Shared().CrlOf(Product::kMilan, {}, this_update, next_update);
  }

  const TrustAnchors anchors = LabPki::Shared().anchors();
  const ProductAnchors& milan = *anchors.For(Product::kMilan);
  EvidenceBuilder evidence;
  FixedEndorsements source;
};

TEST_F(Revocation, PassesUnderACurrentListOfTheRoot) {
  EXPECT_THAT(RefusalsWith(ListOf(Product::kMilan, {})), IsEmpty());
  EXPECT_THAT(RefusalsWith(ListOf(Product::kMilan, {1, 2, 0x999})), IsEmpty());
  EXPECT_TRUE(evidence.Verify().tree.allowed());
}

TEST_F(Revocation, RefusesWithoutAList) {
  source.list = nullptr;
  EXPECT_THAT(Refusals(), ElementsAre("snp.crl-current"));
  EXPECT_EQ(OutcomeOf("snp.not-revoked"), evidence::Outcome::kNotEvaluated);
  evidence.endorsements = nullptr;
  EXPECT_THAT(Refusals(), ElementsAre("snp.crl-current"));
  EXPECT_EQ(evidence.Verify().tree.reasons(), std::vector{ReasonCode::kCollateralStale});
}

TEST_F(Revocation, RefusesTheIntermediateInUseAndTheRoot) {
  EXPECT_THAT(RefusalsWith(ListOf(Product::kMilan, {milan.ask.serial()})), ElementsAre("snp.not-revoked"));
  EXPECT_EQ(evidence.Verify().tree.reasons(), std::vector{ReasonCode::kCertificateRevoked});
  EXPECT_THAT(RefusalsWith(ListOf(Product::kMilan, {7, milan.ark.serial()})), ElementsAre("snp.not-revoked"));
  EXPECT_THAT(RefusalsWith(ListOf(Product::kMilan, {milan.asvk.serial()})), IsEmpty());

  evidence.state.key_kind = KeyKind::kVlek;
  EXPECT_THAT(Refusals(), ElementsAre("snp.not-revoked"));
  EXPECT_THAT(RefusalsWith(ListOf(Product::kMilan, {milan.ask.serial()})), IsEmpty());
}

TEST_F(Revocation, RefusesAListOfAnotherRoot) {
  // The lab's products share one key, so only the name tells these apart.
  EXPECT_THAT(RefusalsWith(ListOf(Product::kGenoa, {})), ElementsAre("snp.crl-current"));
  EXPECT_EQ(OutcomeOf("snp.not-revoked"), evidence::Outcome::kNotEvaluated);
  EXPECT_THAT(RefusalsWith(ListOf(Product::kGenoa, {milan.ask.serial()})), ElementsAre("snp.crl-current"));
}

TEST_F(Revocation, RefusesAListSignedByAnotherKey) {
  static const lab::SharedKey stranger = lab::GenerateRsa4096();
  const lab::CrlSpec spec{.issuer_name = "ARK-Milan",
                          .this_update = evidence.now - kDay,
                          .next_update = evidence.now + kDay,
                          .revoked = {}};
  const auto list = crypto::Crl::Parse(lab::SignCrl(spec, stranger));
  EXPECT_THAT(RefusalsWith(list.value()), ElementsAre("snp.crl-current"));
}

TEST_F(Revocation, RefusesAListWithAnyByteOfItsSignedPartFlipped) {
  const ByteBuffer good = ToBuffer(ListOf(Product::kMilan, {5}).der());
  for (std::size_t at = 0; at < good.size(); ++at) {
    ByteBuffer bad = good;
    bad[at] ^= std::byte{1};
    const auto list = crypto::Crl::Parse(bad);
    if (!list) continue;
    ASSERT_THAT(RefusalsWith(*list), ElementsAre("snp.crl-current")) << at;
  }
}

TEST_F(Revocation, HoldsAListToItsWindow) {
  const WallTime now = evidence.now;
  EXPECT_THAT(RefusalsWith(ListIn(now, now + kDay)), IsEmpty());
  EXPECT_THAT(RefusalsWith(ListIn(now + 1s, now + kDay)), ElementsAre("snp.crl-current"));
  EXPECT_THAT(RefusalsWith(ListIn(now - kDay, now)), IsEmpty());
  EXPECT_THAT(RefusalsWith(ListIn(now - kDay, now - 1s)), ElementsAre("snp.crl-current"));
  EXPECT_THAT(RefusalsWith(ListIn(now + kDay, now + 2 * kDay)), ElementsAre("snp.crl-current"));
}

TEST_F(Revocation, HoldsAListToTheAgeOfThePolicy) {
  const WallTime now = evidence.now;
  evidence.reference.max_crl_age = 10 * kDay;
  EXPECT_THAT(RefusalsWith(ListIn(now - 10 * kDay, now + kDay)), IsEmpty());
  EXPECT_THAT(RefusalsWith(ListIn(now - 10 * kDay - 1s, now + kDay)), ElementsAre("snp.crl-current"));
}

TEST_F(Revocation, StillHoldsUnderAStaleList) {
  const WallTime now = evidence.now;
  const auto stale =
      LabPki::Shared().CrlOf(Product::kMilan, {milan.ask.serial()}, now - 2 * kDay, now - kDay);
  EXPECT_THAT(RefusalsWith(stale), ElementsAre("snp.crl-current", "snp.not-revoked"));
}

TEST_F(Revocation, IsLookedAtWithoutAPolicyWhereThereIsASource) {
  const lab::LabLeaf leaf = evidence.Leaf();
  const auto verify = [&](const EndorsementSource* endorsements) {
    return VerifySnp(evidence.Report(leaf), {&leaf.certificate, 1}, endorsements, anchors, evidence.now,
                     nullptr, nullptr);
  };
  const std::string unseen = "AMD's revocation list was not looked at.";
  EXPECT_TRUE(verify(&source).tree.allowed());
  EXPECT_THAT(verify(&source).not_proven, testing::Not(testing::Contains(unseen)));
  source.list = nullptr;
  EXPECT_THAT(test::Refusals(verify(&source).tree), ElementsAre("snp.crl-current"));
  EXPECT_TRUE(verify(nullptr).tree.allowed());
  EXPECT_THAT(verify(nullptr).not_proven, testing::Contains(unseen));
}

TEST_F(Revocation, FindsTheListOfTheProductAmongThoseGiven) {
  const GivenEndorsements given({ListOf(Product::kGenoa, {}), ListOf(Product::kMilan, {})});
  EXPECT_EQ(given.FindCrl(Product::kMilan)->issuer_common_name(), "ARK-Milan");
  EXPECT_EQ(given.FindCrl(Product::kGenoa)->issuer_common_name(), "ARK-Genoa");
  EXPECT_EQ(given.FindCrl(Product::kTurin), nullptr);
}

TEST_F(Revocation, StoredVcekServesWhereNoneCameAlong) {
  evidence.WithoutCertificates();
  EXPECT_THAT(Refusals(), ElementsAre("snp.certificate-present"));
  source.vcek = evidence.Leaf().certificate;
  EXPECT_THAT(Refusals(), IsEmpty());
  ASSERT_TRUE(source.asked);
  EXPECT_EQ(source.asked->product, Product::kMilan);
  EXPECT_EQ(source.asked->chip, evidence.state.chip_id);
  EXPECT_EQ(source.asked->tcb, evidence.state.reported_tcb);
}

TEST_F(Revocation, StoredVcekIsHeldToTheReportAsAnyOther) {
  evidence.WithoutCertificates();
  lab::LaunchState other = evidence.state;
  other.chip_id = lab::LaunchState::Filled<ChipId>(0x11);
  source.vcek = LabPki::Shared().LeafOf(other).certificate;
  EXPECT_THAT(Refusals(), ElementsAre("snp.certificate-matches-chip", "snp.signature-valid"));
}

TEST_F(Revocation, StoredVcekServesWhereTheHostsIsOfAnotherTcb) {
  // The host's certificate table is that of before its firmware was updated.
  evidence.WithLeaf([](lab::LeafSpec& spec) { spec.tcb.microcode -= 1; });
  const auto stale = evidence.Leaf().certificate;
  EXPECT_THAT(Refusals(), testing::Contains("snp.certificate-matches-tcb"));
  EXPECT_TRUE(source.asked);

  EvidenceBuilder updated;
  const lab::LabLeaf own = updated.Leaf();
  source.vcek = own.certificate;
  EXPECT_TRUE(VerifySnp(updated.Report(own), {&stale, 1}, &source, anchors, updated.now, nullptr, nullptr)
                  .tree.allowed());
}

TEST_F(Revocation, StoreIsAskedForNoVlekNoMaskedChipAndNothingThatCameAlong) {
  source.vcek = evidence.Leaf().certificate;
  Refusals();
  EXPECT_FALSE(source.asked);
  evidence.WithoutCertificates();
  evidence.state.chip_id_masked = true;
  EXPECT_THAT(Refusals(), ElementsAre("snp.certificate-present"));
  EXPECT_FALSE(source.asked);
  evidence.state.chip_id_masked = false;
  evidence.state.key_kind = KeyKind::kVlek;
  EXPECT_THAT(Refusals(), ElementsAre("snp.certificate-present"));
  EXPECT_FALSE(source.asked);
}

}  // namespace
}  // namespace portcullis::snp
