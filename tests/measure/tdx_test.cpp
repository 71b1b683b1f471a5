#include "measure/tdx.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "codec/text.h"
#include "measure/pe_image.h"
#include "tests/measure/firmware_writer.h"
#include "tests/support/testdata.h"

namespace portcullis::measure {
namespace {

crypto::Sha384Digest DigestFromHex(std::string_view hex) {
  return codec::FixedFromHex<crypto::Sha384Digest>(hex).value();
}
std::string Hex(const crypto::Sha384Digest& digest) { return codec::EncodeHex(digest.bytes()); }

/// Bytes that a seed text decides: SHA384(seed || counter), one after the other.
ByteBuffer Stream(std::string_view seed, std::size_t size) {
  ByteBuffer out;
  for (std::uint32_t i = 0; out.size() < size; ++i) {
    ByteBuffer block = ToBuffer(AsBytes(seed));
    block.resize(block.size() + 4);
    PutLittle<std::uint32_t>(block, block.size() - 4, i);
    Append(out, crypto::Sha384(block).bytes());
  }
  out.resize(size);
  return out;
}

TEST(MrTd, IsWhatASecondImplementationComputes) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  // EDK II's own metadata behind made-up code of the size that it speaks of. The digests were computed by a
  // script of its own, written from Intel's description.
  ByteBuffer image = Stream("portcullis", (4u << 20) - 4096);
  Append(image, test::ReadBytes(folder / "ovmf_AmdSev_suffix.bin"));
  const Firmware firmware = ParseFirmware(image, Metadata::kTdx).value();
  EXPECT_EQ(
      Hex(MrTd(firmware, AddOrder::kPageByPage)),
      "63b8f7ca06d6994e7a7c05671c30c8c317fe87480e75f17ab607485537425fd9ccb03f6369d407ff88d590249863f814");
  EXPECT_EQ(
      Hex(MrTd(firmware, AddOrder::kSectionBySection)),
      "f13d8479dffe6784dd9a410d12e42a2652562177d64d782ac27c78a2faaf83689871192f78ed1d71494c467c0bfa4801");
}

Register MrTdOf(const FirmwareWriter& writer) {
  const ByteBuffer image = writer.WriteTdx();
  return MrTd(ParseFirmware(image, Metadata::kTdx).value(), AddOrder::kPageByPage);
}

TEST(MrTd, DependsOnWhatIsAddedAndOnNothingElse) {
  const Register base = MrTdOf({});
  FirmwareWriter augmented;
  augmented.tdx[2].memory_size += 0x1000000;
  EXPECT_EQ(MrTdOf(augmented), base);
  FirmwareWriter added;
  added.tdx[1].memory_size += 0x1000;
  EXPECT_NE(MrTdOf(added), base);
  FirmwareWriter moved;
  moved.tdx[1].address += 0x1000;
  EXPECT_NE(MrTdOf(moved), base);
  FirmwareWriter not_extended;
  not_extended.tdx[0].attributes = 0;
  EXPECT_NE(MrTdOf(not_extended), base);
}

TEST(MrTd, TakesNoNoticeOfBytesThatNoSectionHolds) {
  const ByteBuffer image = TdxFirmware();
  const auto of = [](const ByteBuffer& bytes) {
    return MrTd(ParseFirmware(bytes, Metadata::kTdx).value(), AddOrder::kSectionBySection);
  };
  ByteBuffer inside = image, outside = image;
  inside[0x17FF] ^= std::byte{1};
  outside[0x1810] ^= std::byte{1};
  EXPECT_EQ(of(outside), of(image));
  EXPECT_NE(of(inside), of(image));
}

// The log of a direct boot under OVMF (ccel/trustee-ovmf.bin of the test data): its three events of kernel,
// load options and initrd, and the registers that its whole log replays to.
constexpr std::string_view kKernel =
    "a2ccae1e7d6c668ca325bb09c882d8ce44d26d714ba6f58d2e8083fe291a704646afe24a2368bca3341728d78ec80a80";
constexpr std::string_view kLoadOptions =
    "4230f84885a6f3f305e91a1955045398bd9edd8ffd2aaf2aab8ad3ac53476c4ac82a3675ef559c4ae949a06e84119fc2";
constexpr std::string_view kInitrd =
    "b15af9286108d3d8c9f794a51409e55bad6334f5d96a1e4469f8df2d75fd69aac648d939e13daf6800e82e6c1f6628c4";

std::string RegisterOfLog(const std::filesystem::path& folder, std::string_view log, std::size_t index) {
  const codec::Json cases = codec::ParseJson(test::ReadFile(folder / "cases.json")).value();
  for (const codec::Json& one : *cases.Find("cases")->if_array())
    if (one.TextAt({"log"}) == log) return *(*one.Find("rtmr")->if_array())[index].if_string();
  return "";
}

TEST(Rtmr1, IsThatOfARealDirectBoot) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/ccel");
  EXPECT_EQ(Hex(Rtmr1(DigestFromHex(kKernel), Separator::kNotMeasured)),
            RegisterOfLog(folder, "trustee-ovmf.bin", 1));
  EXPECT_NE(Hex(Rtmr1(DigestFromHex(kKernel), Separator::kMeasured)),
            RegisterOfLog(folder, "trustee-ovmf.bin", 1));
}

TEST(Rtmr2, IsThatOfARealDirectBoot) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/ccel");
  const crypto::Sha384Digest events[] = {DigestFromHex(kLoadOptions), DigestFromHex(kInitrd)};
  EXPECT_EQ(Hex(Extended(events)), RegisterOfLog(folder, "trustee-ovmf.bin", 2));
}

TEST(Rtmr2, IsThatOfARealDirectBootWithThisCommandLine) {
  // Published with its inputs by another project for a TDX guest: command line, digest of the load options'
  // event, digest of the initrd's, and RTMR2.
  const crypto::Sha384Digest options =
      LoadOptionsDigest("root=LABEL=cloudimg-rootfs ro console=ttyS0", true, InitrdWord::kBefore).value();
  EXPECT_EQ(
      Hex(options),
      "b8c85d40a1d555a451571e24d7d7c4c331bc15721d6e4b2a5cb5093214c44174822a0916aa4d622d4309644de99cd59c");
  const crypto::Sha384Digest events[] = {
      options,
      DigestFromHex(
          "88de90bedcc560064688c74ccd6609a25ed9d48b0a0e13d8b2a558212724d8755b2c8114dcf04b8d51ea4cf7782e"
          "3091")};
  EXPECT_EQ(
      Hex(Extended(events)),
      "972547466cb6bcb8a23cd479e9258c3affbbc4f0ba2805d732477200d0dff8432447c7a775e70453cdb51f018a306ece");
}

TEST(Rtmr2, ExtendsTheInitrdOnlyWhereThereIsOne) {
  const crypto::Sha384Digest options = LoadOptionsDigest("ro", false, InitrdWord::kBefore).value();
  const ByteBuffer initrd(3, std::byte{1});
  const crypto::Sha384Digest both[] = {options, crypto::Sha384(initrd)};
  EXPECT_EQ(Rtmr2(options, std::nullopt), Extended(std::span(both).first(1)));
  EXPECT_EQ(Rtmr2(options, Bytes(initrd)), Extended(both));
}

TEST(LoadOptionsDigest, IsOfTheTextInUtf16WithItsNul) {
  using std::string_view_literals::operator""sv;
  const auto of = [](std::string_view wide) { return crypto::Sha384(AsBytes(wide)); };
  EXPECT_EQ(LoadOptionsDigest("ro", false, InitrdWord::kBefore).value(), of("r\0o\0\0\0"sv));
  EXPECT_EQ(LoadOptionsDigest("", false, InitrdWord::kBehind).value(), of("\0\0"sv));
  EXPECT_EQ(LoadOptionsDigest("", true, InitrdWord::kBehind).value(),
            of(" \0i\0n\0i\0t\0r\0d\0=\0i\0n\0i\0t\0r\0d\0\0\0"sv));
  EXPECT_EQ(LoadOptionsDigest("", true, InitrdWord::kBefore).value(),
            of("i\0n\0i\0t\0r\0d\0=\0i\0n\0i\0t\0r\0d\0 \0\0\0"sv));
}

TEST(LoadOptionsDigest, RefusesWhatIsNotAscii) {
  EXPECT_FALSE(LoadOptionsDigest("caf\xC3\xA9", false, InitrdWord::kBefore));
  EXPECT_FALSE(LoadOptionsDigest(std::string_view("a\0b", 3), false, InitrdWord::kBefore));
}

}  // namespace
}  // namespace portcullis::measure
