#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/digest.h"
#include "measure/tdx.h"
#include "tests/cli/desk.h"
#include "tests/measure/firmware_writer.h"
#include "tests/support/golden.h"
#include "tests/support/testdata.h"

namespace portcullis::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The texts of an array.
std::vector<std::string> Texts(const codec::Json* array) {
  std::vector<std::string> out;
  if (array == nullptr || !array->is_array()) return out;
  for (const codec::Json& one : *array->if_array())
    out.emplace_back(one.if_string() ? *one.if_string() : std::string(one.TextAt({"digest"})));
  return out;
}
codec::Json Yaml(const Ran& ran) {
  auto value = codec::ParseYaml(ran.out);
  EXPECT_TRUE(value) << ran.out << ran.err;
  return value ? *value : codec::Json();
}

/// A desk with the firmware of the tests in measure/.
struct Bench {
  Desk desk;
  std::string sev = desk.Write("sev.fd", AsText(measure::SevFirmware()));
  std::string tdx = desk.Write("tdx.fd", AsText(measure::TdxFirmware()));

  Ran Snp(std::vector<std::string> more) { return Run("snp", sev, std::move(more)); }
  Ran Tdx(std::vector<std::string> more) { return Run("tdx", tdx, std::move(more)); }

 private:
  Ran Run(const char* tee, const std::string& firmware, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"measure", tee, "--firmware", firmware};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return desk.Run(arguments);
  }
};

/// A PE image of one section.
std::string Kernel() {
  ByteBuffer out(0x1200);
  measure::PutBytes(out, 0, AsBytes("MZ"));
  measure::PutLittle<std::uint32_t>(out, 0x3C, 0x40);
  measure::PutBytes(out, 0x40, AsBytes(std::string_view("PE\0\0", 4)));
  measure::PutLittle<std::uint16_t>(out, 0x46, 1);
  measure::PutLittle<std::uint16_t>(out, 0x54, 160);
  measure::PutLittle<std::uint16_t>(out, 0x58, 0x20B);
  measure::PutLittle<std::uint32_t>(out, 0x58 + 60, 0x400);
  measure::PutLittle<std::uint32_t>(out, 0x58 + 108, 6);
  measure::PutLittle<std::uint32_t>(out, 0x58 + 160 + 16, 0xE00);
  measure::PutLittle<std::uint32_t>(out, 0x58 + 160 + 20, 0x400);
  measure::PutBytes(out, 0x202, AsBytes("HdrS"));
  measure::PutLittle<std::uint16_t>(out, 0x206, 0x20F);
  measure::PutLittle<std::uint32_t>(out, 0x22C, 0x7FFFFFFF);
  return ToText(out);
}

TEST(MeasureHelp, IsAsReviewed) {
  ExpectGolden("tests/golden/help-measure-snp.txt", Desk().Run({"measure", "snp", "--help"}).out);
  ExpectGolden("tests/golden/help-measure-tdx.txt", Desk().Run({"measure", "tdx", "--help"}).out);
}

TEST(MeasureSnp, PrintsThePublishedDigestsAsAPolicyHasThem) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const auto file = [&](const char* name) { return (folder / name).string(); };
  const Ran ran = Desk().Run({"measure", "snp", "--firmware", file("fw_synth1.bin"), "--vcpus", "2",
                              "--vcpu-model", "Milan", "--kernel", file("kernel.bin"), "--initrd",
                              file("initrd.bin"), "--append", "root=/dev/vda ro agent.log=debug"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(
      ran.out,
      "measurements:\n"
      "  - f544dff4d59ba46e903adf997f2a66933012a56c6f2b23ea4ecf1e30ee0174e94d8d4929fd9c71cd5fbb2791a0e63542"
      "  # 2 vCPUs\n");
}

TEST(MeasureSnp, PrintsOneDigestForEachNumberOfVcpus) {
  Bench bench;
  const Ran ran = bench.Snp({"--vcpus", "4-6,1,5", "--vcpu-model", "EPYC-v4"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(Texts(Yaml(ran).Find("measurements")).size(), 4u);
  const Ran json = bench.Snp({"--vcpus", "4-6,1,5", "--vcpu-model", "EPYC-v4", "-o", "json"});
  EXPECT_EQ(Texts(json.json().Find("measurements")), Texts(Yaml(ran).Find("measurements")));
  EXPECT_EQ(json.json().Find("measurements")->if_array()->front().TextAt({"for"}), "1 vCPU");
}

TEST(MeasureSnp, NeedsNoModelWhereNoDigestDependsOnIt) {
  Bench bench;
  std::set<std::string> digests;
  for (const char* vmm : {"ec2", "ec2-old", "gce"}) {
    const Ran ran = bench.Snp({"--vcpus", "1", "--vmm", vmm});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    digests.insert(ran.out);
  }
  EXPECT_EQ(digests.size(), 3u);
  EXPECT_EQ(bench.Snp({"--vcpus", "1"}).exit, 2);
}

TEST(MeasureSnp, HoldsAnIdBlockToTheDigests) {
  Bench bench;
  const Ran plain = bench.Snp({"--vcpus", "2", "--vmm", "gce"});
  ByteBuffer block = codec::DecodeHex(Texts(Yaml(plain).Find("measurements")).front()).value();
  block.resize(96);
  block[0x50] = std::byte{1};
  block[0x54] = std::byte{7};
  const std::string path = bench.desk.Write("id-block.bin", AsText(block));
  const Ran match = bench.Snp({"--vcpus", "1-4", "--vmm", "gce", "--id-block", path});
  EXPECT_EQ(match.exit, 0);
  EXPECT_EQ(Yaml(match).Find("minGuestSvn")->if_int64(), 7);
  const Ran other = bench.Snp({"--vcpus", "1", "--vmm", "gce", "--id-block", path});
  EXPECT_EQ(other.exit, 3);
  EXPECT_THAT(other.out, HasSubstr("ANOTHER launch"));
  const Ran json = bench.Snp({"--vcpus", "1", "--vmm", "gce", "--id-block", path, "-o", "json"});
  EXPECT_EQ(json.exit, 3);
  EXPECT_EQ(*json.json().At({"idBlock", "matches"})->if_bool(), false);
}

TEST(MeasureSnp, PrintsTheDigestsOfIdKeys) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp-measure");
  const std::string path = (folder / "id_auth_block.bin").string();
  Bench bench;
  const codec::Json json =
      bench.Snp({"--vcpus", "1", "--vmm", "gce", "--id-auth", path, "-o", "json"}).json();
  EXPECT_EQ(json.TextAt({"idKeyDigest"}).substr(0, 16), "59fb2c686dfa4fef");
  EXPECT_EQ(json.TextAt({"authorKeyDigest"}).substr(0, 16), "eed81169fb0cb5e0");
  const codec::Json yaml = Yaml(bench.Snp({"--vcpus", "1", "--vmm", "gce", "--id-auth", path}));
  EXPECT_THAT(Texts(yaml.At({"idKey", "digests"})), ElementsAre(json.TextAt({"idKeyDigest"})));
}

TEST(MeasureSnp, EndsWithTwoForOptionsAndFourForContent) {
  Bench bench;
  for (const char* counts : {"", "0", "4097", "1,", ",1", "3-2", "1-", "-2", "x", "1 ", "1-2-3", "1--2"})
    EXPECT_EQ(bench.Snp({"--vcpus=" + std::string(counts), "--vmm", "ec2"}).exit, 2) << counts;
  EXPECT_EQ(bench.Snp({"--vmm", "ec2"}).exit, 2);
  EXPECT_EQ(bench.Snp({"--vcpus", "1", "--vmm", "azure"}).exit, 2);
  EXPECT_EQ(bench.Snp({"--vcpus", "1", "--vcpu-model", "Naples"}).exit, 2);
  for (const char* features : {"1", "0x", "0xg", "0x10000000000000000"})
    EXPECT_EQ(bench.Snp({"--vcpus", "1", "--vmm", "ec2", "--guest-features", features}).exit, 2) << features;
  EXPECT_EQ(bench.Snp({"--vcpus", "1", "--vmm", "ec2", "--append", "ro"}).exit, 2);
  EXPECT_EQ(bench.Snp({"--vcpus", "1", "--vmm", "ec2", "--kernel", "/nonexistent"}).exit, 2);
  const std::string short_file = bench.desk.Write("short.bin", "short");
  EXPECT_EQ(bench.Snp({"--vcpus", "1", "--vmm", "ec2", "--id-block", short_file}).exit, 4);
  EXPECT_EQ(bench.Snp({"--vcpus", "1", "--vmm", "ec2", "--id-auth", short_file}).exit, 4);
  const Ran ran =
      bench.desk.Run({"measure", "snp", "--firmware", short_file, "--vcpus", "1", "--vmm", "ec2"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.err, HasSubstr("short.bin"));
}

TEST(MeasureTdx, PrintsMrtdOfBothOrders) {
  Bench bench;
  const ByteBuffer image = measure::TdxFirmware();
  const auto firmware = measure::ParseFirmware(image, measure::Metadata::kTdx).value();
  const Ran ran = bench.Tdx({});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const codec::Json yaml = Yaml(ran);
  EXPECT_THAT(
      Texts(yaml.Find("mrTd")),
      ElementsAre(codec::EncodeHex(measure::MrTd(firmware, measure::AddOrder::kPageByPage).bytes()),
                  codec::EncodeHex(measure::MrTd(firmware, measure::AddOrder::kSectionBySection).bytes())));
  EXPECT_EQ(yaml.Find("rtmrs"), nullptr);
}

TEST(MeasureTdx, PredictsTheRegistersOfADirectBoot) {
  Bench bench;
  const std::string kernel = bench.desk.Write("vmlinuz", Kernel());
  const std::string initrd = bench.desk.Write("initrd", "initrd");
  const codec::Json yaml = Yaml(bench.Tdx({"--kernel", kernel, "--initrd", initrd, "--append", "ro"}));
  EXPECT_EQ(Texts(yaml.At({"rtmrs", "rtmr1", "digests"})).size(), 2u);
  const auto options = measure::LoadOptionsDigest("ro", true, measure::InitrdWord::kBefore).value();
  const ByteBuffer content = ToBuffer(AsBytes("initrd"));
  EXPECT_EQ(Texts(yaml.At({"rtmrs", "rtmr2", "digests"})).front(),
            codec::EncodeHex(measure::Rtmr2(options, Bytes(content)).bytes()));
  EXPECT_EQ(yaml.TextAt({"rtmrs", "rtmr0", "mode"}), "Any");
  EXPECT_EQ(yaml.Find("events")->if_array()->size(), 3u);
  const codec::Json json =
      bench.Tdx({"--kernel", kernel, "--initrd", initrd, "--append", "ro", "-o", "json"}).json();
  EXPECT_EQ(Texts(json.Find("rtmr2")), Texts(yaml.At({"rtmrs", "rtmr2", "digests"})));
  EXPECT_THAT(Texts(json.At({"events", "initrd"})),
              ElementsAre(codec::EncodeHex(crypto::Sha384(content).bytes())));
}

TEST(MeasureTdx, AddsTheKernelThatOlderQemuHandsOver) {
  Bench bench;
  const std::string kernel = bench.desk.Write("vmlinuz", Kernel());
  const codec::Json json = bench.Tdx({"--kernel", kernel, "--memory", "2048", "-o", "json"}).json();
  EXPECT_EQ(Texts(json.Find("rtmr1")).size(), 4u);
  EXPECT_EQ(Texts(json.Find("rtmr2")).size(), 1u);  // without an initrd there is one way only
  EXPECT_TRUE(Texts(json.At({"events", "initrd"})).empty());
}

TEST(MeasureTdx, EndsWithTwoForOptionsAndFourForContent) {
  Bench bench;
  EXPECT_EQ(bench.Tdx({"--memory", "2048"}).exit, 2);
  EXPECT_EQ(bench.Tdx({"--initrd", bench.sev}).exit, 2);
  EXPECT_EQ(bench.Tdx({"--kernel", bench.sev}).exit, 4);
  const std::string kernel = bench.desk.Write("vmlinuz", Kernel());
  EXPECT_EQ(bench.Tdx({"--kernel", kernel, "--append", "caf\xC3\xA9"}).exit, 4);
  EXPECT_EQ(bench.desk.Run({"measure", "tdx", "--firmware", bench.sev}).exit, 4);
  EXPECT_EQ(bench.desk.Run({"measure"}).exit, 2);
}

}  // namespace
}  // namespace portcullis::test
