#include "tests/lab/certificate_table.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/evidence_builder.h"

namespace portcullis::snp {
namespace {

using lab::LabPki;
using lab::TableEntry;

constexpr std::string_view kCrlGuid = "92f81bc3-5811-4d3d-97ff-d19f88dc67ea";
constexpr std::size_t kHeaderOfThree = 4 * 24;

ByteBuffer GoodTable() { return LabPki::Shared().Mint({}, {}).aux_blob; }

void WriteLittle(ByteBuffer& table, std::size_t offset, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) table.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
}

void ExpectMalformed(Bytes table) {
  const auto certificates = ParseCertificateTable(table);
  ASSERT_FALSE(certificates.has_value());
  EXPECT_EQ(certificates.error().code, ReasonCode::kEvidenceMalformed);
}

TEST(ParseCertificateTable, ReadsWhatAHostLaysOut) {
  const auto certificates = ParseCertificateTable(GoodTable());
  ASSERT_TRUE(certificates.has_value()) << certificates.error().ToString();
  ASSERT_EQ(certificates->size(), 1u);  // roots and intermediates are not looked at
  EXPECT_EQ(certificates->front().subject_common_name(), "SEV-VCEK");
}

TEST(ParseCertificateTable, GivesWhatAuthenticationNeeds) {
  const test::EvidenceBuilder evidence;
  const lab::MintedEvidence minted = LabPki::Shared().Mint(evidence.state, evidence.report_data);
  const auto certificates = ParseCertificateTable(minted.aux_blob);
  EXPECT_TRUE(VerifySnp(minted.report, *certificates, evidence.endorsements, LabPki::Shared().anchors(),
                        evidence.now, &evidence.reference, &evidence.binding)
                  .tree.allowed());
}

TEST(ParseCertificateTable, ReadsAnEmptyTable) {
  EXPECT_TRUE(ParseCertificateTable(ByteBuffer(4096))->empty());
  EXPECT_TRUE(ParseCertificateTable(ByteBuffer(24))->empty());
}

TEST(ParseCertificateTable, SkipsWhatIsNoCertificate) {
  const ByteBuffer no_certificate(10, std::byte{0xEE});
  EXPECT_TRUE(ParseCertificateTable(lab::BuildCertificateTable({{kCrlGuid, no_certificate}}))->empty());
}

TEST(ParseLeaf, GivesTheSameCertificateBeforeAndAfterItProvedSound) {
  lab::LaunchState state;
  state.chip_id = lab::LaunchState::Filled<ChipId>(0x77);  // of a chip that no other test uses
  const test::EvidenceBuilder evidence(state);
  const auto certificate = evidence.Leaf().certificate;
  const auto fingerprint = [&] { return ParseLeaf(certificate.der())->fingerprint(); };
  EXPECT_EQ(fingerprint(), certificate.fingerprint());
  EXPECT_TRUE(evidence.Verify().tree.allowed());
  EXPECT_EQ(fingerprint(), certificate.fingerprint());

  ByteBuffer altered = ToBuffer(certificate.der());
  altered.push_back(std::byte{0});
  EXPECT_FALSE(ParseLeaf(altered).has_value());
}

TEST(ParseCertificateTable, RefusesABlobThatIsNoCertificate) {
  ExpectMalformed(lab::BuildCertificateTable({{lab::kVcekGuid, ByteBuffer(10, std::byte{0xEE})}}));
  ExpectMalformed(lab::BuildCertificateTable({{lab::kVcekGuid, {}}}));
}

TEST(ParseCertificateTable, RefusesEveryTruncationOfTheHeader) {
  const ByteBuffer table = GoodTable();
  for (std::size_t size = 0; size < kHeaderOfThree; ++size) ExpectMalformed(Bytes(table).first(size));
}

TEST(ParseCertificateTable, RefusesATableWithoutItsLastEntry) {
  ByteBuffer table = GoodTable();
  std::fill_n(table.begin() + 72, 24, std::byte{0xFF});
  ExpectMalformed(table);
}

TEST(ParseCertificateTable, RefusesOffsetsOutsideTheData) {
  const ByteBuffer good = GoodTable();
  const auto size = static_cast<std::uint32_t>(good.size());
  struct Case {
    std::uint32_t offset, length;
  };
  for (const auto& [offset, length] :
       {Case{0, 10}, Case{kHeaderOfThree - 1, 10}, Case{size, 1}, Case{size - 1, 2}, Case{0xFFFFFFF0, 0x20},
        Case{kHeaderOfThree, 0xFFFFFFFF}, Case{0x80000000, 0x80000000}}) {
    ByteBuffer table = good;
    WriteLittle(table, 16, offset);
    WriteLittle(table, 20, length);
    ExpectMalformed(table);
  }
}

TEST(ParseCertificateTable, RefusesOffsetsOutsideTheDataInSkippedEntriesToo) {
  ByteBuffer table = lab::BuildCertificateTable({{kCrlGuid, ByteBuffer(10)}});
  WriteLittle(table, 20, 0xFFFFFFFF);
  ExpectMalformed(table);
}

TEST(ParseCertificateTable, RefusesAnEntryTwice) {
  const auto leaf = LabPki::Shared().LeafOf({}).certificate;
  ExpectMalformed(lab::BuildCertificateTable({{lab::kVcekGuid, leaf.der()}, {lab::kVcekGuid, leaf.der()}}));
}

TEST(ParseCertificateTable, KeepsItsLimits) {
  std::vector<std::string> guids;
  for (int i = 10; i < 27; ++i) guids.push_back("000000000000000000000000000000" + std::to_string(i));
  std::vector<TableEntry> entries;
  for (const std::string& guid : guids) entries.push_back({guid, {}});
  ExpectMalformed(lab::BuildCertificateTable(entries));  // 17
  entries.pop_back();
  EXPECT_TRUE(ParseCertificateTable(lab::BuildCertificateTable(entries)).has_value());  // 16

  EXPECT_TRUE(ParseCertificateTable(ByteBuffer(64 * 1024)).has_value());
  ExpectMalformed(ByteBuffer(64 * 1024 + 1));
}

TEST(ParseCertificateTable, NeverCrashesOnRandomBytes) {
  std::mt19937 random(20261125);
  const ByteBuffer good = GoodTable();
  for (int round = 0; round < 5000; ++round) {
    ByteBuffer table = round % 2 == 0 ? good : ByteBuffer(random() % 4097);
    if (round % 2 == 0)
      table[random() % 120] = static_cast<std::byte>(random());
    else
      for (std::byte& b : table) b = static_cast<std::byte>(random());
    (void)ParseCertificateTable(table);
  }
}

}  // namespace
}  // namespace portcullis::snp
