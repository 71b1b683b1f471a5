#include "evidence/azure/hcl_report.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "tests/lab/azure_lab.h"
#include "tests/support/testdata.h"

namespace portcullis::azure {
namespace {

using lab::AzureVm;

constexpr std::uint32_t kSnp = 2, kTdx = 4;
constexpr std::size_t kRequest = 0x4C0, kVarData = 0x4D4;

std::string VarData() { return AzureVm::Shared().VarData({}, {}); }
ByteBuffer Good() { return lab::HclReportOf(kSnp, ByteBuffer(0x4A0, std::byte{0x5A}), VarData()); }
ByteBuffer With(std::size_t offset, std::uint8_t value) {
  ByteBuffer out = Good();
  out.at(offset) = std::byte{value};
  return out;
}
bool ParsesWithFlip(std::size_t offset, std::uint8_t flip) {
  ByteBuffer altered = Good();
  altered.at(offset) ^= std::byte{flip};
  return ParseHclReport(altered, ReportType::kSnp).has_value();
}
Result<HclReport> ParseWith(const std::string& var_data) {
  return ParseHclReport(lab::HclReportOf(kSnp, ByteBuffer(0x4A0), var_data), ReportType::kSnp);
}
/// The paravisor's data with one text in the place of another.
Result<HclReport> ParseWith(std::string_view old_text, std::string_view new_text) {
  std::string data = VarData();
  const std::size_t at = data.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  return ParseWith(data.replace(at, old_text.size(), new_text));
}

TEST(HclReport, HasWhatTheParavisorPutIn) {
  lab::AzureState state;
  std::array<std::byte, 64> user_data{};
  user_data[0] = std::byte{7};
  const std::string var_data = AzureVm::Shared().VarData(state, user_data);
  const auto hcl =
      ParseHclReport(lab::HclReportOf(kSnp, ByteBuffer(0x4A0, std::byte{0x5A}), var_data), ReportType::kSnp);
  ASSERT_TRUE(hcl) << hcl.error().ToString();
  EXPECT_EQ(hcl->hardware_report, ByteBuffer(0x4A0, std::byte{0x5A}));
  EXPECT_EQ(AsText(hcl->var_data), var_data);
  EXPECT_EQ(hcl->attestation_key.bits(), 2048u);
  EXPECT_TRUE(hcl->secure_boot);
  EXPECT_EQ(hcl->vm_id, state.vm_id);
  EXPECT_EQ(hcl->user_data->array(), user_data);
  state.secure_boot = false;
  EXPECT_FALSE(ParseWith(AzureVm::Shared().VarData(state, {}))->secure_boot);
}

TEST(HclReport, IsRefusedWithAnyFieldOfItsHeadersChanged) {
  ASSERT_TRUE(ParseHclReport(Good(), ReportType::kSnp));
  for (std::size_t offset = 0; offset < 0x20; ++offset)
    for (const std::uint8_t flip : {std::uint8_t{0x01}, std::uint8_t{0x80}})
      EXPECT_FALSE(ParsesWithFlip(offset, flip)) << offset;
  EXPECT_TRUE(ParseHclReport(With(4, 1), ReportType::kSnp));
  EXPECT_FALSE(ParseHclReport(With(4, 0), ReportType::kSnp));
  EXPECT_FALSE(ParseHclReport(With(4, 3), ReportType::kSnp));
  for (std::size_t offset = kRequest; offset < kVarData; ++offset)
    EXPECT_FALSE(ParsesWithFlip(offset, 1)) << offset;
}

TEST(HclReport, IsOfOneTee) {
  const ByteBuffer tdx = lab::HclReportOf(kTdx, ByteBuffer(1024, std::byte{1}), VarData());
  EXPECT_EQ(ParseHclReport(tdx, ReportType::kTdx)->hardware_report.size(), 1024u);
  EXPECT_FALSE(ParseHclReport(tdx, ReportType::kSnp));
  EXPECT_FALSE(ParseHclReport(Good(), ReportType::kTdx));
  ByteBuffer behind = tdx;
  behind.at(0x20 + 1024) = std::byte{1};
  EXPECT_FALSE(ParseHclReport(behind, ReportType::kTdx));
}

TEST(HclReport, EndsWithItsDataAndZeros) {
  const ByteBuffer good = Good();
  const std::size_t end = kVarData + VarData().size();
  for (std::size_t size = 0; size < end; ++size)
    ASSERT_FALSE(ParseHclReport(Bytes(good).first(size), ReportType::kSnp)) << size;
  EXPECT_TRUE(ParseHclReport(Bytes(good).first(end), ReportType::kSnp));
  for (std::size_t offset = end; offset < good.size(); ++offset)
    ASSERT_FALSE(ParseHclReport(With(offset, 1), ReportType::kSnp)) << offset;
  ByteBuffer largest = good;
  largest.resize(kMaxHclBytes);
  EXPECT_TRUE(ParseHclReport(largest, ReportType::kSnp));
  largest.resize(kMaxHclBytes + 1);
  EXPECT_FALSE(ParseHclReport(largest, ReportType::kSnp));
}

TEST(HclReport, NamesExactlyOneUsableKey) {
  ASSERT_TRUE(ParseWith(VarData()));
  EXPECT_FALSE(ParseWith("HCLAkPub", "HCLEkPub"));
  EXPECT_FALSE(ParseWith("\"kty\":\"RSA\"", "\"kty\":\"EC\""));
  EXPECT_FALSE(ParseWith("\"e\":\"AQAB\"", "\"e\":\"AQ\""));
  EXPECT_FALSE(ParseWith("\"e\":\"AQAB\"", "\"e\":\"AQAB\",\"d\":\"AQ\""));
  EXPECT_FALSE(ParseWith("\"n\":\"", "\"n\":\"AAAA"));
  EXPECT_FALSE(ParseWith("\"keys\":[", "\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\"},"));
  EXPECT_TRUE(ParseWith("\"keys\":[", "\"keys\":[{\"kid\":\"HCLEkPub\",\"kty\":\"RSA\"},"));
}

TEST(HclReport, SaysWhetherSecureBootIsOn) {
  EXPECT_FALSE(ParseWith("\"secure-boot\":true,", ""));
  EXPECT_FALSE(ParseWith("\"secure-boot\":true", "\"secure-boot\":\"true\""));
  EXPECT_FALSE(ParseWith("\"secure-boot\":true", "\"secure-boot\":false,\"secure-boot\":true"));
  EXPECT_FALSE(ParseWith("vm-configuration", "vm-config"));
  EXPECT_FALSE(ParseWith("no JSON"));
}

TEST(HclReport, HoldsUserDataToItsLength) {
  const std::string zeros(128, '0');
  EXPECT_FALSE(ParseWith(zeros, zeros.substr(2)));
  EXPECT_FALSE(ParseWith(zeros, zeros + "00"));
  EXPECT_FALSE(ParseWith(zeros, "g" + zeros.substr(1)));
  EXPECT_FALSE(ParseWith("\"user-data\":\"" + zeros + "\"", "\"user-data\":0"));
  EXPECT_EQ(ParseWith(",\"user-data\":\"" + zeros + "\"", "")->user_data, std::nullopt);
}

TEST(RealHclReports, AreParsed) {
  PORTCULLIS_TESTDATA_OR_SKIP(root, "tpm/az-snp-vtpm_hcl-report.bin");
  const auto data = root.parent_path().parent_path();
  for (const char* file :
       {"tpm/az-snp-vtpm_hcl-report.bin", "snp/genoa-v3-azure-vtpm/hcl_report.bin",
        "snp/milan-v3-azure-vtpm-v1/hcl_report.bin", "snp/milan-v2-azure-hcl-provisional/hcl_report.bin"}) {
    const auto hcl = ParseHclReport(test::ReadBytes(data / file), ReportType::kSnp);
    ASSERT_TRUE(hcl) << file << hcl.error().ToString();
    const auto signed_data = Bytes(hcl->hardware_report).subspan(0x50, 32);
    EXPECT_TRUE(SameBytes(signed_data, crypto::Sha256(hcl->var_data).bytes())) << file;
    EXPECT_TRUE(hcl->secure_boot);
  }
  for (const char* file : {"tpm/az-tdx-vtpm_hcl-report.bin", "tdx/azure/hcl-report.bin"}) {
    const auto hcl = ParseHclReport(test::ReadBytes(data / file), ReportType::kTdx);
    ASSERT_TRUE(hcl) << file << hcl.error().ToString();
    const auto fields = FieldsOfTdReport(hcl->hardware_report);
    EXPECT_TRUE(SameBytes(fields.report_data.first(32), crypto::Sha256(hcl->var_data).bytes())) << file;
    EXPECT_EQ(codec::EncodeHex(fields.mr_td.first(4)), "024a32b0");
  }
}

}  // namespace
}  // namespace portcullis::azure
