#include "measure/snp.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "codec/text.h"
#include "tests/measure/firmware_writer.h"
#include "tests/support/testdata.h"

// The launch digests that virtee/sev-snp-measure and virtee/sev publish, and others that two implementations
// agree on (README of the test data).
namespace portcullis::measure {
namespace {

/// A file of the test data; "/dev/null" stands for an empty one.
ByteBuffer Content(const std::filesystem::path& folder, const codec::Json* name) {
  if (name == nullptr || name->is_null() || *name->if_string() == "/dev/null") return {};
  return test::ReadBytes(folder / *name->if_string());
}

std::uint64_t HexNumber(const codec::Json& value) { return std::stoull(*value.if_string(), nullptr, 16); }

Vmm VmmOf(std::string_view name) {
  return name == "ec2" ? Vmm::kEc2 : name == "gce" ? Vmm::kGce : Vmm::kQemu;
}

std::string Digest(const Firmware& firmware, const SnpLaunch& launch, std::uint32_t vcpus) {
  const auto digests = SnpDigests(firmware, launch, {vcpus});
  return digests ? codec::EncodeHex(digests->at(vcpus).bytes()) : digests.error().ToString();
}

TEST(SnpDigests, AreThoseThatOthersPublish) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const codec::Json vectors = codec::ParseJson(test::ReadFile(folder / "vectors.json")).value();
  ASSERT_EQ(vectors.if_array()->size(), 21u);
  for (const codec::Json& one : *vectors.if_array()) {
    SCOPED_TRACE(codec::ToText(one));
    const ByteBuffer image = test::ReadBytes(folder / *one.Find("firmware")->if_string());
    const ByteBuffer kernel = Content(folder, one.Find("kernel"));
    const ByteBuffer initrd = Content(folder, one.Find("initrd"));
    SnpLaunch launch{VmmOf(one.TextAt({"vmm"})), static_cast<std::uint32_t>(HexNumber(*one.Find("vcpu_sig"))),
                     HexNumber(*one.Find("guest_features")), std::nullopt};
    if (const std::string* model = one.Find("vcpu_type")->if_string()) {
      EXPECT_EQ(SignatureOf(*model), launch.vcpu_signature);
    }
    if (!one.Find("kernel")->is_null())
      launch.boot = DirectBoot{kernel, initrd, std::string(one.TextAt({"append"}))};
    const auto vcpus = static_cast<std::uint32_t>(*one.Find("vcpus")->if_uint64());
    EXPECT_EQ(Digest(ParseFirmware(image, Metadata::kSev).value(), launch, vcpus),
              one.TextAt({"measurement"}));
  }
}

TEST(SnpDigests, AreThoseOfEc2BeforeItsChangeToo) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const ByteBuffer image = test::ReadBytes(folder / "ovmf_AmdSev_suffix.bin");
  const Firmware firmware = ParseFirmware(image, Metadata::kSev).value();
  const SnpLaunch launch{Vmm::kEc2Old, 0, 0x1, DirectBoot{{}, {}, ""}};
  // virtee/sev 9cf2adb, as the README of the test data has it.
  EXPECT_EQ(Digest(firmware, launch, 1).substr(0, 12), "7d3756157c80");
}

TEST(SnpDigests, OfManyCountsAreThoseOfEach) {
  const ByteBuffer image = SevFirmware();
  const Firmware firmware = ParseFirmware(image, Metadata::kSev).value();
  const SnpLaunch launch{Vmm::kQemu, 0x800F12, 0x1, std::nullopt};
  const auto digests = SnpDigests(firmware, launch, {1, 2, 7}).value();
  ASSERT_EQ(digests.size(), 3u);
  for (const auto& [count, digest] : digests)
    EXPECT_EQ(codec::EncodeHex(digest.bytes()), Digest(firmware, launch, count));
  EXPECT_NE(digests.at(1), digests.at(2));
}

TEST(SnpDigests, DependOnEveryInput) {
  const ByteBuffer image = SevFirmware();
  const Firmware firmware = ParseFirmware(image, Metadata::kSev).value();
  const ByteBuffer kernel(10, std::byte{1}), initrd(10, std::byte{2}), other(10, std::byte{3});
  const SnpLaunch base{Vmm::kQemu, 0x800F12, 0x1, DirectBoot{kernel, initrd, "ro"}};
  std::set<std::string> seen{Digest(firmware, base, 1)};
  const auto add = [&](void (*change)(SnpLaunch&, Bytes), Bytes bytes) {
    SnpLaunch changed = base;
    change(changed, bytes);
    EXPECT_TRUE(seen.insert(Digest(firmware, changed, 1)).second);
  };
  add([](SnpLaunch& launch, Bytes bytes) { launch.boot->kernel = bytes; }, other);
  add([](SnpLaunch& launch, Bytes bytes) { launch.boot->initrd = bytes; }, other);
  add([](SnpLaunch& launch, Bytes) { launch.boot->command_line = "rw"; }, other);
  add([](SnpLaunch& launch, Bytes) { launch.boot.reset(); }, other);
  add([](SnpLaunch& launch, Bytes) { launch.vcpu_signature = 0xA00F11; }, other);
  add([](SnpLaunch& launch, Bytes) { launch.guest_features = 0x21; }, other);
  add([](SnpLaunch& launch, Bytes) { launch.vmm = Vmm::kEc2; }, other);
  add([](SnpLaunch& launch, Bytes) { launch.vmm = Vmm::kEc2Old; }, other);
  add([](SnpLaunch& launch, Bytes) { launch.vmm = Vmm::kGce; }, other);
  ByteBuffer flipped = image;
  flipped[0] ^= std::byte{1};
  EXPECT_TRUE(seen.insert(Digest(ParseFirmware(flipped, Metadata::kSev).value(), base, 1)).second);
}

TEST(SnpDigests, RefuseAKernelThatWouldNotBeMeasured) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const ByteBuffer image = test::ReadBytes(folder / "ovmf_OvmfX64_suffix.bin");
  const Firmware firmware = ParseFirmware(image, Metadata::kSev).value();
  const SnpLaunch launch{Vmm::kQemu, 0x800F12, 0x1, DirectBoot{{}, {}, ""}};
  const auto digests = SnpDigests(firmware, launch, {1});
  ASSERT_FALSE(digests);
  EXPECT_EQ(digests.error().code, ReasonCode::kRequestMalformed);
}

TEST(SnpDigests, RefuseHashesThatDoNotFitTheirPage) {
  FirmwareWriter writer;
  const SnpLaunch launch{Vmm::kQemu, 0x800F12, 0x1, DirectBoot{{}, {}, ""}};
  for (const auto& [offset, fits] : {std::pair{4096u - 176u, true}, {4096u - 175u, false}}) {
    writer.hashes_address = 0x805000 + offset;
    const ByteBuffer image = writer.WriteSev();
    EXPECT_EQ(SnpDigests(ParseFirmware(image, Metadata::kSev).value(), launch, {1}).has_value(), fits);
  }
  writer.hashes_address.reset();
  const ByteBuffer image = writer.WriteSev();
  EXPECT_FALSE(SnpDigests(ParseFirmware(image, Metadata::kSev).value(), launch, {1}));
}

TEST(SnpDigests, HoldTheRangeOfVcpus) {
  FirmwareWriter writer;
  const ByteBuffer image = writer.WriteSev();
  const Firmware firmware = ParseFirmware(image, Metadata::kSev).value();
  const SnpLaunch launch{Vmm::kQemu, 0x800F12, 0x1, std::nullopt};
  EXPECT_FALSE(SnpDigests(firmware, launch, {}));
  EXPECT_FALSE(SnpDigests(firmware, launch, {0}));
  EXPECT_TRUE(SnpDigests(firmware, launch, {kMaxVcpus}));
  EXPECT_FALSE(SnpDigests(firmware, launch, {kMaxVcpus + 1}));
  writer.reset_address.reset();
  const ByteBuffer without = writer.WriteSev();
  EXPECT_TRUE(SnpDigests(ParseFirmware(without, Metadata::kSev).value(), launch, {1}));
  EXPECT_FALSE(SnpDigests(ParseFirmware(without, Metadata::kSev).value(), launch, {2}));
}

TEST(FirmwareDigest, IsThatOfItsPagesAlone) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const codec::Json known = codec::ParseJson(test::ReadFile(folder / "idblock_and_ovmf_hash.json")).value();
  for (const auto& [name, digest] : *known.Find("ovmf_hash_only")->if_object()) {
    const ByteBuffer image = test::ReadBytes(folder / name);
    EXPECT_EQ(codec::EncodeHex(FirmwareDigest(ParseFirmware(image, Metadata::kSev).value()).bytes()),
              *digest.if_string());
  }
}

TEST(SignatureOf, KnowsQemusModelsInEveryVersion) {
  EXPECT_EQ(SignatureOf("EPYC"), 0x800F12u);
  EXPECT_EQ(SignatureOf("EPYC-v4"), 0x800F12u);
  EXPECT_EQ(SignatureOf("EPYC-IBPB"), 0x800F12u);
  EXPECT_EQ(SignatureOf("EPYC-Rome"), 0x830F10u);
  EXPECT_EQ(SignatureOf("EPYC-Milan-v2"), 0xA00F11u);
  EXPECT_EQ(SignatureOf("Genoa"), 0xA10F10u);
  EXPECT_EQ(SignatureOf("Turin-v1"), 0xB00F00u);
  EXPECT_EQ(SignatureOf("0xa00f11"), 0xA00F11u);
  for (const char* unknown : {"", "epyc", "EPYC-", "EPYC-v", "EPYC-vx", "Naples", "0x", "0xg", "0x1ffffffff"})
    EXPECT_EQ(SignatureOf(unknown), std::nullopt) << unknown;
}

}  // namespace
}  // namespace portcullis::measure
