#include <gtest/gtest.h>

#include "codec/text.h"
#include "measure/fields.h"
#include "measure/linux_header.h"
#include "measure/pe_image.h"
#include "tests/support/seeded_random.h"

// PE images and boot protocol headers, written here field by field.
namespace portcullis::measure {
namespace {

struct PeWriter {
  struct Section {
    std::uint32_t offset, size;
  };
  std::size_t bytes = 0x1100;
  std::uint32_t pe_at = 0x80;
  std::string signature = std::string("PE\0\0", 4);
  std::uint16_t magic = 0x20B;
  std::uint32_t headers_end = 0x400;
  std::uint32_t directories = 6;
  std::uint32_t certificate_bytes = 0x80;
  std::uint16_t section_count_off_by = 0;
  std::vector<Section> sections = {{0x800, 0x800}, {0x400, 0x400}, {0, 0}};

  std::size_t optional() const { return pe_at + 24; }
  std::size_t directories_at() const { return optional() + (magic == 0x10B ? 96 : 112); }
  std::size_t checksum() const { return optional() + 64; }
  std::size_t certificate_entry() const { return directories_at() + 4 * 8; }

  ByteBuffer Write() const {
    ByteBuffer out(bytes);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i * 7 & 0xFF);
    PutBytes(out, 0, AsBytes("MZ"));
    PutLittle<std::uint32_t>(out, 0x3C, pe_at);
    PutBytes(out, pe_at, AsBytes(signature));
    const std::size_t optional_bytes = directories_at() + 8 * 16 - optional();
    PutLittle<std::uint16_t>(out, pe_at + 6,
                             static_cast<std::uint16_t>(sections.size() + section_count_off_by));
    PutLittle<std::uint16_t>(out, pe_at + 20, static_cast<std::uint16_t>(optional_bytes));
    PutLittle<std::uint16_t>(out, optional(), magic);
    PutLittle<std::uint32_t>(out, optional() + 60, headers_end);
    PutLittle<std::uint32_t>(out, directories_at() - 4, directories);
    PutLittle<std::uint32_t>(out, certificate_entry() + 4, certificate_bytes);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const std::size_t header = optional() + optional_bytes + i * 40;
      PutLittle<std::uint32_t>(out, header + 16, sections[i].size);
      PutLittle<std::uint32_t>(out, header + 20, sections[i].offset);
    }
    return out;
  }
};

ByteBuffer Joined(std::initializer_list<Bytes> parts) {
  ByteBuffer out;
  for (const Bytes part : parts) Append(out, part);
  return out;
}

TEST(AuthenticodeDigest, LeavesOutChecksumAndCertificates) {
  for (const std::uint16_t magic : std::initializer_list<std::uint16_t>{0x10B, 0x20B}) {
    PeWriter writer;
    writer.magic = magic;
    const ByteBuffer image = writer.Write();
    const Bytes all(image);
    const std::size_t after_checksum = writer.checksum() + 4, after_entry = writer.certificate_entry() + 8;
    const ByteBuffer hashed =
        Joined({all.first(writer.checksum()),
                all.subspan(after_checksum, writer.certificate_entry() - after_checksum),
                all.subspan(after_entry, 0x400 - after_entry), all.subspan(0x400, 0x400),
                all.subspan(0x800, 0x800), all.subspan(0x1000, 0x100 - 0x80)});
    EXPECT_EQ(AuthenticodeDigest(image).value(), crypto::Sha384(hashed));
  }
}

TEST(AuthenticodeDigest, HashesTheDirectoryWhereThereIsNoneOfCertificates) {
  PeWriter writer;
  writer.directories = 4;
  const ByteBuffer image = writer.Write();
  const ByteBuffer hashed =
      Joined({Bytes(image).first(writer.checksum()), Bytes(image).subspan(writer.checksum() + 4)});
  EXPECT_EQ(AuthenticodeDigest(image).value(), crypto::Sha384(hashed));
}

TEST(AuthenticodeDigest, ChangesWithEveryOtherByte) {
  const PeWriter writer;
  const ByteBuffer image = writer.Write();
  const crypto::Sha384Digest digest = AuthenticodeDigest(image).value();
  for (std::size_t i = 0; i < image.size(); ++i) {
    ByteBuffer changed = image;
    changed[i] ^= std::byte{1};
    const auto other = AuthenticodeDigest(changed);
    const bool left_out = (i >= writer.checksum() && i < writer.checksum() + 4) ||
                          (i >= writer.certificate_entry() && i < writer.certificate_entry() + 4) ||
                          i >= image.size() - writer.certificate_bytes;
    if (left_out) {
      EXPECT_EQ(other.value(), digest) << i;
    } else if (other) {
      EXPECT_NE(*other, digest) << i;
    }
  }
}

struct PeDefect {
  const char* name;
  void (*spoil)(PeWriter&);
};
const PeDefect kPeDefects[] = {
    {"OtherSignature", [](PeWriter& w) { w.signature[0] = 'N'; }},
    {"OtherMagic", [](PeWriter& w) { w.magic = 0x107; }},
    {"HeadersThatEndBeforeTheDirectory", [](PeWriter& w) { w.headers_end = 0x100; }},
    {"HeadersBehindTheEnd", [](PeWriter& w) { w.headers_end = 0x1101; }},
    {"SectionBehindTheEnd", [](PeWriter& w) { w.sections[0].offset = 0x1000; }},
    {"SectionsThatOverlap",
     [](PeWriter& w) {
       w.sections.push_back({0x400, 0x800});
     }},
    {"CertificatesLargerThanWhatIsLeft", [](PeWriter& w) { w.certificate_bytes = 0x101; }},
    {"MoreSectionsThanFit", [](PeWriter& w) { w.section_count_off_by = 200; }},
};

TEST(AuthenticodeDigest, RefusesEachDefect) {
  for (const PeDefect& defect : kPeDefects) {
    SCOPED_TRACE(defect.name);
    PeWriter writer;
    defect.spoil(writer);
    const auto digest = AuthenticodeDigest(writer.Write());
    ASSERT_FALSE(digest);
    EXPECT_EQ(digest.error().code, ReasonCode::kRequestMalformed);
  }
}

TEST(AuthenticodeDigest, RefusesATruncationThatCutsWhatIsDescribed) {
  const ByteBuffer image = PeWriter().Write();
  for (std::size_t size = 0; size < 0x1000 + 0x80; size += 7)
    EXPECT_FALSE(AuthenticodeDigest(Bytes(image).first(size))) << size;
}

TEST(AuthenticodeDigest, RefusesAnOffsetThatPointsNowhere) {
  ByteBuffer image = PeWriter().Write();
  for (const std::uint32_t at : {0x10FEu, 0xFFFFFFFFu}) {
    PutLittle<std::uint32_t>(image, 0x3C, at);
    EXPECT_FALSE(AuthenticodeDigest(image));
  }
}

ByteBuffer Kernel(std::uint16_t version = 0x20F, std::uint8_t flags = 1, std::uint16_t extended = 0x7F) {
  ByteBuffer out(0x2000);
  PutBytes(out, 0x202, AsBytes("HdrS"));
  PutLittle<std::uint16_t>(out, 0x206, version);
  PutLittle<std::uint8_t>(out, 0x211, flags);
  PutLittle<std::uint32_t>(out, 0x22C, 0x7FFFFFFF);
  PutLittle<std::uint16_t>(out, 0x236, extended);
  return out;
}
std::uint32_t Number(const ByteBuffer& bytes, std::size_t at) {
  return LittleAt<std::uint32_t>(bytes, at).value();
}

TEST(KernelAsLoaded, FillsInWhatALoaderDoes) {
  const ByteBuffer loaded = KernelAsLoaded(Kernel(), 0x12345, 2ull << 30).value();
  EXPECT_EQ(loaded[0x210], std::byte{0xB0});
  EXPECT_EQ(loaded[0x211], std::byte{0x81});
  EXPECT_EQ(Number(loaded, 0x224), 0xFE00u);
  EXPECT_EQ(Number(loaded, 0x228), 0x20000u);
  EXPECT_EQ(Number(loaded, 0x218), (0x80000000u - 0x28000 - 1 - 0x12345) & ~4095u);
  EXPECT_EQ(Number(loaded, 0x21C), 0x12345u);
  EXPECT_EQ(Number(KernelAsLoaded(Kernel(0x20F, 0), 0, 2ull << 30).value(), 0x228), 0x9A000u);
}

TEST(KernelAsLoaded, PutsTheInitrdBelowWhatMemoryAndKernelAllow) {
  const auto address = [](const ByteBuffer& kernel, std::uint64_t memory) {
    return Number(KernelAsLoaded(kernel, 4096, memory).value(), 0x218);
  };
  EXPECT_EQ(address(Kernel(), 2816ull << 20),
            0x80000000u - 0x28000 - 0x2000);  // from 2.75 GiB: 2 GiB are low
  EXPECT_EQ(address(Kernel(), 64ull << 30), 0x80000000u - 0x28000 - 0x2000);
  EXPECT_EQ(address(Kernel(), (2816ull << 20) - 4096), 0xB0000000u - 0x28000 - 0x3000);
  EXPECT_EQ(address(Kernel(0x20F, 1, 0), (2816ull << 20) - 4096), 0x7FFFFFFFu - 0xFFF - 0x1000);
}

TEST(KernelAsLoaded, LeavesTheInitrdsFieldsWhereThereIsNone) {
  const ByteBuffer loaded = KernelAsLoaded(Kernel(), 0, 2ull << 30).value();
  EXPECT_EQ(Number(loaded, 0x218), 0u);
  EXPECT_EQ(Number(loaded, 0x21C), 0u);
}

TEST(KernelAsLoaded, RefusesWhatIsNoSuchKernel) {
  EXPECT_FALSE(KernelAsLoaded(ByteBuffer(0x2000), 0, 2ull << 30));
  EXPECT_FALSE(KernelAsLoaded(Bytes(Kernel()).first(0xFFF), 0, 2ull << 30));
  EXPECT_FALSE(KernelAsLoaded(Kernel(0x202), 0, 2ull << 30));
  EXPECT_FALSE(KernelAsLoaded(Kernel(), 64ull << 20, 64ull << 20));
  EXPECT_FALSE(KernelAsLoaded(Kernel(), 4096, 0x28000));
}

}  // namespace
}  // namespace portcullis::measure
