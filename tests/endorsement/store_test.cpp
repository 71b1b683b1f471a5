#include "endorsement/store.h"

#include <sys/stat.h>

#include <fstream>
#include <iostream>

#include "codec/text.h"
#include "endorsement/folder.h"
#include "evidence/tdx/collateral_gate.h"
#include "tests/endorsement/vendors.h"
#include "tests/support/testdata.h"

namespace portcullis::test {
namespace {

using std::chrono::hours;

class CollateralStore : public Vendors {
 protected:
  std::string Path(const Id& id) const { return (directory.path() / endorsement::PathOf(id)).string(); }
  static void WriteFile(const std::string& path, std::string_view content) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
};

TEST_F(CollateralStore, KeepsACertificateForItsChipAndWholeTcb) {
  ExpectInstalled(Vcek(milan));
  for (const auto& opened : {OpenStore().release(), store.get()}) {
    const auto found = opened->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb);
    ASSERT_TRUE(found);
    EXPECT_TRUE(SameBytes(found->der(), Vcek(milan).body));
    if (opened != store.get()) delete opened;
  }
  snp::Tcb other = milan.reported_tcb;
  ++other.microcode;
  EXPECT_FALSE(store->FindVcek(milan.product(), milan.chip_id, other));
  EXPECT_FALSE(store->FindVcek(snp::Product::kGenoa, milan.chip_id, milan.reported_tcb));
}

TEST_F(CollateralStore, TellsTurinsByTheirFmcToo) {
  lab::LaunchState turin = lab::LaunchState::Turin();
  turin.chip_id = snp::ChipId::From([] {
                    ByteBuffer chip(64);
                    std::fill_n(chip.begin(), 8, std::byte{0xA5});
                    return chip;
                  }())
                      .value();
  ExpectInstalled(Vcek(turin));
  EXPECT_TRUE(store->FindVcek(turin.product(), turin.chip_id, turin.reported_tcb));
  snp::Tcb other = turin.reported_tcb;
  ++other.fmc;
  EXPECT_FALSE(store->FindVcek(turin.product(), turin.chip_id, other));
  EXPECT_NE(endorsement::PathOf(IdOf(turin)).find("a5a5a5a5a5a5a5a5_bl01_tee00_snp02_ucode71_fmc00_vcek.der"),
            std::string::npos)
      << endorsement::PathOf(IdOf(turin));
}

TEST_F(CollateralStore, FindsBackEachVcekByItsPath) {
  for (const lab::LaunchState& state : {milan, lab::LaunchState::Genoa()}) {
    const std::string path = endorsement::PathOf(IdOf(state));
    const auto id = endorsement::VcekAt(path);
    ASSERT_TRUE(id) << path;
    EXPECT_EQ(endorsement::PathOf(*id), path);
    EXPECT_FALSE(endorsement::VcekAt(path + "x"));
    EXPECT_FALSE(endorsement::VcekAt("x" + path));
  }
  std::string padded = endorsement::PathOf(IdOf(milan));
  padded.replace(padded.find("_bl04"), 5, "_bl004");
  EXPECT_FALSE(endorsement::VcekAt(padded)) << "a second spelling of one id";
}

TEST_F(CollateralStore, RefusesACertificateOfAnotherChipOrTcb) {
  Document wrong = Vcek(milan);
  std::get<VcekId>(wrong.id).chip = lab::LaunchState::Filled<snp::ChipId>(1);
  ExpectRefused(wrong, ReasonCode::kCertificateMismatch);
  wrong = Vcek(milan);
  ++std::get<VcekId>(wrong.id).tcb.snp;
  ExpectRefused(wrong, ReasonCode::kCertificateMismatch);
  EXPECT_TRUE(store->Vceks().empty());
}

TEST_F(CollateralStore, RefusesWhatDoesNotVerifyToThePinnedRoots) {
  const auto intel = Intel(IssuedAt(Yesterday()));
  const tdx::TrustAnchors nobody{};
  TemporaryDirectory other;
  auto strangers = Store::Open(other.path().string(), {snp::AmdTrustAnchors(), nobody}, clock).value();
  for (const Document& document :
       {Vcek(milan), AmdCrl(Yesterday()), intel.tcb_info, intel.qe_identity, intel.pck_crl, intel.root_crl}) {
    EXPECT_FALSE(strangers->Install(document)) << endorsement::PathOf(document.id);
    ExpectInstalled(document);
  }
  EXPECT_TRUE(std::filesystem::is_empty(other.path()));
}

TEST_F(CollateralStore, RefusesEveryChangedByteOfASignedDocument) {
  Document changed = Intel(IssuedAt(Yesterday())).tcb_info;
  const std::size_t at = AsText(changed.body).find("UpToDate");
  ASSERT_NE(at, std::string::npos);
  changed.body[at] = std::byte{'V'};
  ExpectRefused(changed, ReasonCode::kSignatureInvalid);
  changed = AmdCrl(Yesterday());
  changed.body.back() ^= std::byte{1};
  ExpectRefused(changed, ReasonCode::kSignatureInvalid);
}

TEST_F(CollateralStore, RefusesDocumentsOutsideTheirWindow) {
  const auto old = Intel(IssuedAt(clock.Now() - hours(24 * 31)));
  for (const Document& document : {old.tcb_info, old.qe_identity, old.pck_crl})
    ExpectRefused(document, ReasonCode::kCollateralStale);
  for (const Document& young : Intel(IssuedAt(clock.Now() + hours(1))).all())
    ExpectRefused(young, ReasonCode::kCollateralStale);
  ExpectRefused(AmdCrl(clock.Now() - hours(24 * 91)), ReasonCode::kCollateralStale);
  ExpectRefused(AmdCrl(clock.Now() + hours(1)), ReasonCode::kCollateralStale);
}

TEST_F(CollateralStore, RefusesADocumentUnderAnotherName) {
  const auto intel = Intel(IssuedAt(Yesterday()));
  Document wrong = intel.tcb_info;
  std::get<endorsement::TcbInfoId>(wrong.id).fmspc = lab::TdState::Filled<tdx::Fmspc>(1);
  ExpectRefused(wrong, ReasonCode::kCertificateMismatch);
  wrong = intel.pck_crl;
  std::get<endorsement::PckCrlId>(wrong.id).ca = tdx::PckCa::kProcessor;
  ExpectRefused(wrong, ReasonCode::kCertificateMismatch);
  wrong = AmdCrl(Yesterday());
  std::get<endorsement::AmdCrlId>(wrong.id).product = snp::Product::kTurin;
  EXPECT_FALSE(store->Install(wrong));
}

TEST_F(CollateralStore, NeverGoesBackBehindWhatWasAccepted) {
  for (const Document& document : Intel(IssuedAt(Yesterday())).all()) ExpectInstalled(document);
  ExpectInstalled(AmdCrl(Yesterday()));
  store = OpenStore();  // also not after a restart
  for (const Document& older : Intel(IssuedAt(Yesterday() - hours(1))).all())
    ExpectRefused(older, ReasonCode::kConflict);
  ExpectRefused(AmdCrl(Yesterday() - hours(1)), ReasonCode::kConflict);
  for (const Document& newer : Intel(IssuedAt(Yesterday() + hours(1))).all()) ExpectInstalled(newer);
  ExpectInstalled(AmdCrl(Yesterday() + hours(1)));
}

TEST_F(CollateralStore, NeverFallsBackToALowerEvaluationNumber) {
  auto options = IssuedAt(Yesterday());
  options.evaluation_number = 19;
  ExpectInstalled(Intel(options).tcb_info);
  options.issued += hours(1);
  options.evaluation_number = 18;
  ExpectRefused(Intel(options).tcb_info, ReasonCode::kConflict);
}

TEST_F(CollateralStore, TakesTheSameDocumentTwiceForUnchanged) {
  const Document document = AmdCrl(Yesterday());
  EXPECT_EQ(store->Install(document).value(), Store::Installed::kNew);
  EXPECT_EQ(store->Install(document).value(), Store::Installed::kUnchanged);
}

TEST_F(CollateralStore, WarnsWhereARevocationListShrinks) {
  ExpectInstalled(AmdCrl(Yesterday(), {7, 8}));
  testing::internal::CaptureStderr();
  ExpectInstalled(AmdCrl(Yesterday() + hours(1), {7}));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("a revocation list has fewer entries"),
            std::string::npos);
  testing::internal::CaptureStderr();
  ExpectInstalled(AmdCrl(Yesterday() + hours(2), {7, 8, 9}));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(CollateralStore, PutsCollateralTogetherOnceAllOfItIsThere) {
  const auto intel = Intel(IssuedAt(Yesterday()));
  const auto find = [&] { return store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kStandard); };
  for (const Document& document : intel.all()) {
    EXPECT_EQ(find(), nullptr);
    ExpectInstalled(document);
  }
  const auto found = find();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->bytes().tcb_info, intel.tcb_info.body);
  EXPECT_EQ(found->bytes().root_crl, intel.root_crl.body);
  EXPECT_EQ(find(), found) << "parsed once";
  EXPECT_EQ(store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kEarly), nullptr);
  ExpectInstalled(Intel(IssuedAt(Yesterday() + hours(1))).qe_identity);
  EXPECT_NE(find(), found) << "a new document makes a new whole";
}

TEST_F(CollateralStore, ServesAppraisalsFromTheDisk) {
  for (const Document& document : Intel(IssuedAt(Yesterday())).all()) ExpectInstalled(document);
  const Document list = AmdCrl(Yesterday());
  ExpectInstalled(list);
  store = OpenStore();
  const auto evidence = tdx_pki.MintEvidence(td, lab::TdState::Filled<tdx::ReportData>(3));
  const auto verified = tdx::VerifyTdx(evidence, *store, tdx_anchors, clock.Now(), nullptr, nullptr);
  EXPECT_TRUE(verified.tree.allowed()) << codec::ToPrettyText(verified.tree.ToJson());
  ASSERT_NE(store->FindCrl(snp::Product::kMilan), nullptr);
  EXPECT_TRUE(SameBytes(store->FindCrl(snp::Product::kMilan)->der(), list.body));
}

TEST_F(CollateralStore, HandsOutWhatHasAgedSoThatTheAppraisalSaysSo) {
  for (const Document& document : Intel(IssuedAt(Yesterday())).all()) ExpectInstalled(document);
  clock.Advance(hours(24 * 40));
  store = OpenStore();
  EXPECT_NE(store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kStandard), nullptr);
}

TEST_F(CollateralStore, NotesEachMissOnce) {
  EXPECT_FALSE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
  EXPECT_FALSE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
  EXPECT_FALSE(store->FindVcek(milan.product(), snp::ChipId(), milan.reported_tcb)) << "masked";
  EXPECT_EQ(store->FindCrl(snp::Product::kTurin), nullptr);
  EXPECT_EQ(store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kStandard), nullptr);
  std::vector<std::string> missed;
  for (const Id& id : store->TakeMissed()) missed.push_back(endorsement::PathOf(id));
  EXPECT_EQ(missed, (std::vector<std::string>{endorsement::PathOf(IdOf(milan)), "amd/Turin/crl.der",
                                              "intel/pckcrl-platform.der", "intel/rootcrl.der",
                                              "intel/standard/qeidentity.json",
                                              "intel/standard/tcbinfo-90c06f000000.json"}));
  EXPECT_TRUE(store->TakeMissed().empty());
}

TEST_F(CollateralStore, BoundsWhatStrangersCanMakeItNote) {
  for (unsigned i = 0; i < Store::kMaxMissed + 10; ++i) {
    std::array<std::byte, 64> chip{};
    chip[0] = static_cast<std::byte>(i & 0xFF);
    chip[1] = static_cast<std::byte>(i >> 8);
    chip[2] = std::byte{1};
    EXPECT_FALSE(store->FindVcek(snp::Product::kMilan, snp::ChipId(chip), milan.reported_tcb));
  }
  EXPECT_EQ(store->TakeMissed().size(), Store::kMaxMissed);
}

TEST_F(CollateralStore, DoesNotUseAFileThatWasTamperedWith) {
  ExpectInstalled(Vcek(milan));
  ExpectInstalled(AmdCrl(Yesterday()));
  ByteBuffer vcek = Vcek(milan).body, list = AmdCrl(Yesterday()).body;
  vcek.back() ^= std::byte{1};
  list.back() ^= std::byte{1};
  WriteFile(Path(IdOf(milan)), AsText(vcek));
  WriteFile(Path(endorsement::AmdCrlId{snp::Product::kMilan}), AsText(list));
  store = OpenStore();
  EXPECT_FALSE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
  EXPECT_EQ(store->FindCrl(snp::Product::kMilan), nullptr);
}

TEST_F(CollateralStore, TakesInWhatOthersPutThereWhileItRuns) {
  auto other = OpenStore();
  for (const Document& document : Intel(IssuedAt(Yesterday())).all()) ASSERT_TRUE(other->Install(document));
  ASSERT_TRUE(other->Install(Vcek(milan)));
  EXPECT_EQ(store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kStandard), nullptr);
  ASSERT_TRUE(store->Reload());
  EXPECT_NE(store->Find(td.fmspc, td.ca, tdx::EvaluationSet::kStandard), nullptr);
  EXPECT_TRUE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
}

TEST_F(CollateralStore, UsesADocumentWhoseChainComesLater) {
  const auto intel = Intel(IssuedAt(Yesterday()));
  WriteFile(Path(intel.tcb_info.id), AsText(intel.tcb_info.body));
  ASSERT_TRUE(store->Reload());
  EXPECT_EQ(store->Get(intel.tcb_info.id), nullptr);
  WriteFile((directory.path() / "intel/chains/signing.pem").string(), intel.tcb_info.chain);
  ASSERT_TRUE(store->Reload());
  EXPECT_NE(store->Get(intel.tcb_info.id), nullptr);
}

TEST_F(CollateralStore, ReadsAFlatFolderOfServedFilesForBothSets) {
  const auto intel = Intel(IssuedAt(Yesterday())), older = Intel(IssuedAt(Yesterday() - hours(24)));
  WriteFile((directory.path() / "a-tcb.json").string(), AsText(intel.tcb_info.body));
  WriteFile((directory.path() / "b-tcb.json").string(), AsText(older.tcb_info.body));
  WriteFile((directory.path() / "qe.json").string(), AsText(intel.qe_identity.body));
  WriteFile((directory.path() / "list.der").string(), AsText(intel.pck_crl.body));
  WriteFile((directory.path() / "root.hex").string(), codec::EncodeHex(intel.root_crl.body) + "\n");
  WriteFile((directory.path() / "chain.txt").string(), PercentEncoded(intel.tcb_info.chain));
  WriteFile((directory.path() / "pck.pem").string(), intel.pck_crl.chain);
  WriteFile((directory.path() / ".hidden").string(), "{");
  ASSERT_TRUE(store->Reload());
  for (const auto set : {tdx::EvaluationSet::kStandard, tdx::EvaluationSet::kEarly}) {
    const auto found = store->Find(td.fmspc, td.ca, set);
    ASSERT_NE(found, nullptr) << NameOf(set);
    EXPECT_EQ(found->bytes().tcb_info, intel.tcb_info.body) << "the newest";
  }
}

TEST_F(CollateralStore, HoldsTenThousandChipsInLittleSpace) {
  ExpectInstalled(Vcek(milan));
  const ByteBuffer body = Vcek(milan).body;
  for (unsigned i = 0; i < 9'999; ++i) {
    std::array<std::byte, 64> chip{};
    chip[0] = static_cast<std::byte>(i & 0xFF);
    chip[1] = static_cast<std::byte>(i >> 8);
    WriteFile(Path(VcekId{snp::Product::kMilan, snp::ChipId(chip), milan.reported_tcb}), AsText(body));
  }
  store = OpenStore();
  EXPECT_EQ(store->Vceks().size(), 10'000u);
  std::uint64_t disk = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path())) {
    struct stat status {};
    ASSERT_EQ(lstat(entry.path().c_str(), &status), 0);
    disk += static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  EXPECT_LT(disk, 100u << 20);
  const auto started = std::chrono::steady_clock::now();
  constexpr int kLookups = 1000;
  for (int i = 0; i < kLookups; ++i)
    ASSERT_TRUE(store->FindVcek(milan.product(), milan.chip_id, milan.reported_tcb));
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - started;
  std::cout << "10,000 VCEKs: " << disk / 1024 << " KiB of disk, " << took.count() / kLookups
            << " us a lookup\n";
}

TEST(CollateralFolder, ChoosesByTimeAmongRealDocumentsOfSeveralDays) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  struct Case {
    const char* fmspc;
    const char* at;
    const char* tcb_info;
    const char* pck_crl;
  };
  for (const Case& c : {Case{"90c06f000000", "2026-02-20T00:00:00Z", "tcbinfo-tdx-90c06f000000-20260218.json",
                             "crl-platform-20260218.der"},
                        Case{"00806f050000", "2025-10-25T00:00:00Z", "tcbinfo-tdx-00806f050000-20251019.json",
                             "crl-platform-20251013.der"},
                        Case{"50806f000000", "2023-06-25T00:00:00Z", "tcbinfo-tdx-50806f000000-20230618.json",
                             "crl-platform-20230608.der"}}) {
    const auto read = endorsement::Folder::Read(
        folder.string(), {snp::AmdTrustAnchors(), tdx::IntelTrustAnchors()}, ParseTimestamp(c.at).value());
    ASSERT_TRUE(read);
    const auto found = (*read)->Find(codec::FixedFromHex<tdx::Fmspc>(c.fmspc).value(), tdx::PckCa::kPlatform,
                                     tdx::EvaluationSet::kStandard);
    ASSERT_NE(found, nullptr) << c.fmspc;
    EXPECT_EQ(found->bytes().tcb_info, ReadBytes(folder / c.tcb_info));
    EXPECT_EQ(found->bytes().pck_crl, ReadBytes(folder / c.pck_crl));
    const auto examined =
        tdx::ExamineCollateral(found->bytes(), tdx::IntelTrustAnchors(), ParseTimestamp(c.at).value());
    EXPECT_TRUE(examined) << c.fmspc << " " << examined.error().ToString();
  }
}

}  // namespace
}  // namespace portcullis::test
