#include "evidence/snp/report.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/lab/report_writer.h"
#include "tests/support/testdata.h"

namespace portcullis::snp {
namespace {

using lab::LaunchState;

ByteBuffer GoodReport(const LaunchState& state = LaunchState::Milan()) {
  return lab::EncodeReport(state, LaunchState::CountingUp<ReportData>());
}

ReasonCode RefusalOf(Bytes bytes) {
  const auto parsed = ParseReport(bytes);
  EXPECT_FALSE(parsed.has_value());
  return parsed ? ReasonCode::kInternalError : parsed.error().code;
}

TEST(ParseReport, ReadsEveryField) {
  LaunchState state = LaunchState::Genoa();
  state.version = 5;
  state.guest_svn = 0x1000B;
  state.policy = 0x3001F;
  state.vmpl = 2;
  state.platform_info = 0x67;
  state.reported_tcb = {.bootloader = 1, .tee = 2, .snp = 3, .microcode = 4};
  state.committed_tcb = {.bootloader = 5, .tee = 6, .snp = 7, .microcode = 8};
  state.current_tcb = {.bootloader = 9, .tee = 10, .snp = 11, .microcode = 12};
  state.launch_tcb = {.bootloader = 13, .tee = 14, .snp = 15, .microcode = 255};
  state.current_firmware = {1, 58, 3};
  state.committed_firmware = {1, 57, 9};
  state.launch_mitigations = 0x0102030405060708;
  state.current_mitigations = 0x1112131415161718;
  state.measurement = LaunchState::Filled<Measurement>(0x31);
  state.host_data = LaunchState::Filled<HostData>(0x32);
  state.family_id = LaunchState::Filled<FamilyId>(0x33);
  state.image_id = LaunchState::Filled<ImageId>(0x34);
  state.id_key_digest = LaunchState::Filled<KeyDigest>(0x35);
  state.author_key_digest = LaunchState::Filled<KeyDigest>(0x36);
  state.author_key_enabled = true;

  const auto report = ParseReport(GoodReport(state));
  ASSERT_TRUE(report.has_value()) << report.error().ToString();
  EXPECT_EQ(report->version, 5u);
  EXPECT_EQ(report->guest_svn, 0x1000Bu);
  EXPECT_EQ(report->policy.bits(), 0x3001Fu);
  EXPECT_EQ(report->policy.abi_minor(), 0x1F);
  EXPECT_EQ(report->vmpl, 2u);
  EXPECT_EQ(report->signature_algorithm, 1u);
  EXPECT_EQ(report->platform_info.bits(), 0x67u);
  EXPECT_EQ(report->product, Product::kGenoa);
  EXPECT_EQ(report->cpuid, (CpuId{0x19, 0x11, 0x01}));
  EXPECT_EQ(report->reported_tcb, state.reported_tcb);
  EXPECT_EQ(report->committed_tcb, state.committed_tcb);
  EXPECT_EQ(report->current_tcb, state.current_tcb);
  EXPECT_EQ(report->launch_tcb, state.launch_tcb);
  EXPECT_EQ(report->current_firmware, state.current_firmware);
  EXPECT_EQ(report->committed_firmware, state.committed_firmware);
  EXPECT_EQ(report->launch_mitigations, state.launch_mitigations);
  EXPECT_EQ(report->current_mitigations, state.current_mitigations);
  EXPECT_EQ(report->report_data, LaunchState::CountingUp<ReportData>());
  EXPECT_EQ(report->measurement, state.measurement);
  EXPECT_EQ(report->host_data, state.host_data);
  EXPECT_EQ(report->family_id, state.family_id);
  EXPECT_EQ(report->image_id, state.image_id);
  EXPECT_EQ(report->id_key_digest, state.id_key_digest);
  EXPECT_EQ(report->author_key_digest, state.author_key_digest);
  EXPECT_TRUE(report->key_info.author_key_enabled());
  EXPECT_EQ(report->report_id, state.report_id);
  EXPECT_EQ(report->report_id_ma, state.report_id_ma);
  EXPECT_EQ(report->chip_id, state.chip_id);
}

TEST(ParseReport, ReadsTheTcbOfATurinInItsOwnLayout) {
  LaunchState state = LaunchState::Turin();
  state.SetTcb({.fmc = 1, .bootloader = 2, .tee = 3, .snp = 4, .microcode = 0x47});
  const auto report = ParseReport(GoodReport(state));
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->reported_tcb, state.reported_tcb);
}

TEST(ParseReport, RefusesEveryOtherSize) {
  const ByteBuffer good = GoodReport();
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_EQ(RefusalOf(Bytes(good).first(size)), ReasonCode::kEvidenceMalformed) << size;
  ByteBuffer longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(RefusalOf(longer), ReasonCode::kEvidenceMalformed);
}

TEST(ParseReport, TakesVersions3To5AndNoOther) {
  for (const std::uint32_t version : {3u, 4u, 5u}) {
    LaunchState state;
    state.version = version;
    EXPECT_TRUE(ParseReport(GoodReport(state)).has_value()) << version;
  }
  for (const std::uint32_t version : {0u, 1u, 2u, 6u, 0x03000000u, 0xFFFFFFFFu}) {
    LaunchState state;
    state.version = version;
    EXPECT_EQ(RefusalOf(GoodReport(state)), ReasonCode::kEvidenceVersionUnsupported) << version;
  }
}

TEST(ParseReport, RefusesEachReservedByteThatIsNotZero) {
  struct Range {
    std::size_t begin, end;
  };
  // The last bytes of KEY_INFO, both TCB gaps of Milan, the fourth byte of both firmware versions.
  constexpr Range kReserved[] = {{0x049, 0x050}, {0x18B, 0x1A0}, {0x1EB, 0x1EC}, {0x1EF, 0x1F0},
                                 {0x1F8, 0x2A0}, {0x330, 0x4A0}, {0x03A, 0x03E}, {0x182, 0x186},
                                 {0x1E2, 0x1E6}, {0x1F2, 0x1F6}};
  for (const auto& [begin, end] : kReserved)
    for (std::size_t offset = begin; offset < end; ++offset) {
      ByteBuffer report = GoodReport();
      report[offset] = std::byte{0x80};
      ASSERT_EQ(RefusalOf(report), ReasonCode::kEvidenceMalformed) << std::hex << offset;
    }
}

TEST(ParseReport, RefusesTheReservedBytesOfATurinTcb) {
  for (const std::size_t tcb : {0x038u, 0x180u, 0x1E0u, 0x1F0u})
    for (const std::size_t index : {4u, 5u, 6u}) {
      ByteBuffer report = GoodReport(LaunchState::Turin());
      report[tcb + index] = std::byte{1};
      EXPECT_EQ(RefusalOf(report), ReasonCode::kEvidenceMalformed) << std::hex << tcb + index;
    }
}

TEST(ParseReport, ReadsMitigationsFromVersion5Only) {
  ByteBuffer report = GoodReport(LaunchState::Turin());
  report[0x1F8] = std::byte{1};
  EXPECT_TRUE(ParseReport(report).has_value());
  report[0x000] = std::byte{4};
  EXPECT_EQ(RefusalOf(report), ReasonCode::kEvidenceMalformed);
}

TEST(ParseReport, ToleratesUnknownPlatformBits) {
  LaunchState state;
  state.platform_info = 0xFFFFFFFFFFFFFFFF;
  EXPECT_TRUE(ParseReport(GoodReport(state)).has_value());
}

TEST(ParseReport, NeverCrashesOnRandomBytes) {
  std::mt19937 random(20261124);
  for (int round = 0; round < 20000; ++round) {
    ByteBuffer bytes(round % 2 == 0 ? kReportSize : random() % 4097);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    if (bytes.size() > 4 && round % 4 == 0) {
      std::fill(bytes.begin(), bytes.begin() + 4, std::byte{0});
      bytes[0] = std::byte{3};
    }
    ASSERT_FALSE(ParseReport(bytes).has_value());  // reserved bytes are not zero by chance
  }
}

TEST(ProductOf, KnowsEachProcessorRangeAndItsEdges) {
  struct Case {
    CpuId cpuid;
    std::optional<Product> product;
  };
  const Case kCases[] = {
      {{0x19, 0x00, 0}, Product::kMilan}, {{0x19, 0x0F, 9}, Product::kMilan},
      {{0x19, 0x10, 0}, Product::kGenoa}, {{0x19, 0x1F, 1}, Product::kGenoa},
      {{0x19, 0x20, 0}, std::nullopt},    {{0x19, 0x9F, 0}, std::nullopt},
      {{0x19, 0xA0, 2}, Product::kGenoa}, {{0x19, 0xAF, 0}, Product::kGenoa},
      {{0x19, 0xB0, 0}, std::nullopt},    {{0x1A, 0x00, 0}, Product::kTurin},
      {{0x1A, 0x11, 0}, Product::kTurin}, {{0x1A, 0x12, 0}, std::nullopt},
      {{0x1A, 0x50, 0}, std::nullopt},    {{0x17, 0x31, 0}, std::nullopt},
      {{0x00, 0x00, 0}, std::nullopt},
  };
  for (const Case& c : kCases) {
    const auto product = ProductOf(c.cpuid);
    ASSERT_EQ(product.has_value(), c.product.has_value()) << int{c.cpuid.family} << "/" << int{c.cpuid.model};
    if (product)
      EXPECT_EQ(*product, *c.product);
    else
      EXPECT_EQ(product.error().code, ReasonCode::kProductNotAllowed);
  }
}

TEST(ParseReport, RefusesAProcessorForWhichNoRootIsPinned) {
  ByteBuffer report = GoodReport();
  report[0x188] = std::byte{0x1A};
  report[0x189] = std::byte{0x50};  // Venice: its TCB layout is not known here
  EXPECT_EQ(RefusalOf(report), ReasonCode::kProductNotAllowed);
}

TEST(GuestPolicy, NamesItsBits) {
  EXPECT_TRUE(GuestPolicy(1u << 16).smt_allowed());
  EXPECT_TRUE(GuestPolicy(1u << 18).migration_agent());
  EXPECT_TRUE(GuestPolicy(1u << 19).debug());
  EXPECT_TRUE(GuestPolicy(1u << 20).single_socket());
  EXPECT_TRUE(GuestPolicy(1u << 21).cxl_allowed());
  EXPECT_TRUE(GuestPolicy(1u << 22).aes_256_xts());
  EXPECT_TRUE(GuestPolicy(1u << 23).rapl_disabled());
  EXPECT_TRUE(GuestPolicy(1u << 24).ciphertext_hiding());
  EXPECT_TRUE(GuestPolicy(1u << 25).page_swap_disabled());
  EXPECT_FALSE(GuestPolicy(0x30000).debug());
  EXPECT_TRUE(GuestPolicy(0x30000).reserved_bits_valid());
  EXPECT_FALSE(GuestPolicy(0x10000).reserved_bits_valid());
  EXPECT_FALSE(GuestPolicy(0x30000 | (1ull << 26)).reserved_bits_valid());
  EXPECT_FALSE(GuestPolicy(0x30000 | (1ull << 63)).reserved_bits_valid());
}

}  // namespace
}  // namespace portcullis::snp
