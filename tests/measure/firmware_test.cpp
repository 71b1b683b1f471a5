#include "measure/firmware.h"

#include <gtest/gtest.h>

#include "tests/measure/firmware_writer.h"
#include "tests/support/seeded_random.h"
#include "tests/support/testdata.h"

namespace portcullis::measure {
namespace {

bool Refused(Bytes image, Metadata wanted) {
  const auto firmware = ParseFirmware(image, wanted);
  return !firmware && firmware.error().code == ReasonCode::kRequestMalformed;
}

TEST(ParseFirmware, ReadsTheSevMetadata) {
  const ByteBuffer image = SevFirmware();
  const Firmware firmware = ParseFirmware(image, Metadata::kSev).value();
  EXPECT_EQ(firmware.reset_address, 0x80B004u);
  EXPECT_EQ(firmware.hashes_address, 0x805C00u);
  ASSERT_EQ(firmware.sev_sections.size(), 5u);
  EXPECT_EQ(firmware.sev_sections[3].address, 0x805000u);
  EXPECT_EQ(firmware.sev_sections[3].type, SevSection::Type::kKernelHashes);
  EXPECT_TRUE(firmware.tdx_sections.empty());
}

TEST(ParseFirmware, ReadsTheTdxMetadata) {
  const ByteBuffer image = TdxFirmware();
  const Firmware firmware = ParseFirmware(image, Metadata::kTdx).value();
  ASSERT_EQ(firmware.tdx_sections.size(), 3u);
  EXPECT_EQ(firmware.tdx_sections[0].data.size(), 0x1800u);
  EXPECT_EQ(firmware.tdx_sections[0].address, 0xFFFFE000u);
  EXPECT_EQ(firmware.tdx_sections[0].attributes, TdxSection::kExtend);
  EXPECT_TRUE(firmware.sev_sections.empty());
}

TEST(ParseFirmware, ReadsTheTablesOfEdk2) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const ByteBuffer amd_sev = test::ReadBytes(folder / "ovmf_AmdSev_suffix.bin");
  const Firmware firmware = ParseFirmware(amd_sev, Metadata::kSev).value();
  EXPECT_EQ(firmware.reset_address, 0x80B004u);
  EXPECT_EQ(firmware.sev_sections.size(), 7u);
  // The suffix of an image only: its TDX sections lie before it.
  EXPECT_TRUE(Refused(amd_sev, Metadata::kTdx));
}

struct Defect {
  const char* name;
  void (*spoil)(FirmwareWriter&);
};

const Defect kOfBoth[] = {
    {"NotWholePages", [](FirmwareWriter& w) { w.image_bytes += 1; }},
    {"NoTable", [](FirmwareWriter& w) { w.table = false; }},
    {"TableLongerThanItIs", [](FirmwareWriter& w) { w.table_off_by = 1; }},
    {"TableLongerThanTheImage", [](FirmwareWriter& w) { w.table_off_by = 0x7000; }},
    {"TableShorterThanItsFooter", [](FirmwareWriter& w) { w.table_off_by = 0xFF80; }},
    {"EntryLongerThanTheTable", [](FirmwareWriter& w) { w.entry_off_by = 0x1000; }},
    {"EntryShorterThanItsTail", [](FirmwareWriter& w) { w.entry_off_by = 0xFFF0; }},
    {"MetadataBeforeTheImage", [](FirmwareWriter& w) { w.from_end = 3 * 4096 + 1; }},
    {"MetadataBehindTheImage", [](FirmwareWriter& w) { w.from_end = 8; }},
    {"OtherSignature", [](FirmwareWriter& w) { w.signature = "ASDF"; }},
    {"OtherVersion", [](FirmwareWriter& w) { w.version = 2; }},
    {"OtherSize", [](FirmwareWriter& w) { w.size_off_by = 12; }},
    {"OtherCount", [](FirmwareWriter& w) { w.count_off_by = 1; }},
    {"EndlessCount", [](FirmwareWriter& w) { w.count_off_by = 0x20000000; }},
    {"NoSections", [](FirmwareWriter& w) { w.sev.clear(), w.tdx.clear(); }},
    {"TooManySections",
     [](FirmwareWriter& w) {
       w.sev.assign(kMaxFirmwareSections + 1, {0x800000, 0x1000, 1});
       w.tdx.assign(kMaxFirmwareSections + 1, {0, 0, 0x800000, 0x1000, 3, 0});
     }},
};
const Defect kOfSev[] = {
    {"AddressInsideAPage", [](FirmwareWriter& w) { w.sev[0].address += 1; }},
    {"SizeInsideAPage", [](FirmwareWriter& w) { w.sev[0].size += 1; }},
    {"SizeZero", [](FirmwareWriter& w) { w.sev[0].size = 0; }},
    {"UnknownKind", [](FirmwareWriter& w) { w.sev[0].type = 5; }},
    {"SecretsOfTwoPages", [](FirmwareWriter& w) { w.sev[1].size = 0x2000; }},
    {"CpuidOfTwoPages", [](FirmwareWriter& w) { w.sev[2].size = 0x2000; }},
    {"HashesOfTwoPages", [](FirmwareWriter& w) { w.sev[3].size = 0x2000; }},
    {"MoreMemoryThanFits", [](FirmwareWriter& w) { w.sev[0].size = kMaxSectionMemory; }},
};
const Defect kOfTdx[] = {
    {"AddressInsideAPage", [](FirmwareWriter& w) { w.tdx[0].address += 1; }},
    {"SizeInsideAPage", [](FirmwareWriter& w) { w.tdx[0].memory_size += 1; }},
    {"DataOutsideTheImage", [](FirmwareWriter& w) { w.tdx[0].data_offset = 0x1801; }},
    {"DataLongerThanItsMemory", [](FirmwareWriter& w) { w.tdx[0].memory_size = 0x1000; }},
    {"AddressThatWraps", [](FirmwareWriter& w) { w.tdx[2].address = 0xFFFFFFFFFFFFF000; }},
    {"UnknownAttribute", [](FirmwareWriter& w) { w.tdx[0].attributes = 4; }},
    {"MoreMemoryThanFits", [](FirmwareWriter& w) { w.tdx[1].memory_size = kMaxSectionMemory; }},
    {"EndlessMemory", [](FirmwareWriter& w) { w.tdx[1].memory_size = 0xFFFFFFFFFF000000; }},
};

void ExpectEachRefused(std::span<const Defect> defects, Metadata wanted) {
  for (const Defect& defect : defects) {
    SCOPED_TRACE(defect.name);
    FirmwareWriter writer;
    defect.spoil(writer);
    EXPECT_TRUE(Refused(wanted == Metadata::kSev ? writer.WriteSev() : writer.WriteTdx(), wanted));
  }
}

TEST(ParseFirmware, RefusesEachDefect) {
  ExpectEachRefused(kOfBoth, Metadata::kSev);
  ExpectEachRefused(kOfBoth, Metadata::kTdx);
  ExpectEachRefused(kOfSev, Metadata::kSev);
  ExpectEachRefused(kOfTdx, Metadata::kTdx);
}

TEST(ParseFirmware, RefusesWhatHasNoSuchMetadata) {
  EXPECT_TRUE(Refused(SevFirmware(), Metadata::kTdx));
  EXPECT_TRUE(Refused(TdxFirmware(), Metadata::kSev));
}

TEST(ParseFirmware, RefusesACutEntryWhereverItStands) {
  FirmwareWriter writer;
  writer.before_entries = "cut";
  EXPECT_TRUE(Refused(writer.WriteSev(), Metadata::kSev));
  EXPECT_TRUE(Refused(writer.WriteTdx(), Metadata::kTdx));
}

TEST(ParseFirmware, HoldsItsSize) {
  EXPECT_TRUE(Refused({}, Metadata::kSev));
  FirmwareWriter writer;
  writer.image_bytes = kMaxFirmwareBytes;
  EXPECT_FALSE(Refused(writer.WriteSev(), Metadata::kSev));
  writer.image_bytes += 4096;
  EXPECT_TRUE(Refused(writer.WriteSev(), Metadata::kSev));
}

TEST(ParseFirmware, SurvivesMutations) {
  test::SeededRandom random(test::PrintedSeed());
  for (const Metadata wanted : {Metadata::kSev, Metadata::kTdx}) {
    const ByteBuffer whole = wanted == Metadata::kSev ? SevFirmware() : TdxFirmware();
    for (int i = 0; i < 5000; ++i) {
      ByteBuffer changed = whole;
      // Table and metadata lie in the last 4096 bytes.
      for (int k = 0; k < 3; ++k)
        changed[changed.size() - 1 - random.Below(4096)] = static_cast<std::byte>(random.Below(256));
      const auto firmware = ParseFirmware(changed, wanted);
      if (!firmware) {
        EXPECT_EQ(firmware.error().code, ReasonCode::kRequestMalformed);
        continue;
      }
      EXPECT_LE(firmware->sev_sections.size() + firmware->tdx_sections.size(), kMaxFirmwareSections);
    }
  }
}

}  // namespace
}  // namespace portcullis::measure
