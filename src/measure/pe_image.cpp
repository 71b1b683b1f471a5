#include "measure/pe_image.h"

#include "measure/fields.h"

namespace portcullis::measure {
namespace {

constexpr std::size_t kPeOffsetAt = 0x3C;
constexpr std::size_t kCoffHeaderBytes = 24;  // with the signature before it
constexpr std::size_t kSectionHeaderBytes = 40;
constexpr std::size_t kDirectoryBytes = 8;
constexpr std::uint32_t kCertificateDirectory = 4;
constexpr std::size_t kChecksumAt = 64;  // in the optional header of either form
constexpr std::uint16_t kPe32 = 0x10B, kPe32Plus = 0x20B;

struct Section {
  std::uint32_t offset, size;  // in the file
};

/// The parts of an image that the digest needs.
struct PeImage {
  std::uint64_t checksum;  // offset
  std::uint64_t headers_end;
  std::uint64_t certificate_entry;  // offset; headers_end where there is none
  std::uint32_t certificate_bytes;
  std::vector<Section> sections;  // with content, in the order of the file
};

Result<std::vector<Section>> SectionsOf(Bytes image, std::uint64_t table, std::size_t count) {
  std::vector<Section> sections;
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes header = TRY(SliceAt(image, table + i * kSectionHeaderBytes, kSectionHeaderBytes));
    const auto size = TRY(LittleAt<std::uint32_t>(header, 16));
    const auto offset = TRY(LittleAt<std::uint32_t>(header, 20));
    if (size > 0) sections.push_back({offset, size});
  }
  std::ranges::stable_sort(sections, {}, &Section::offset);
  return sections;
}

/// Where the data directories start in the optional header; their number stands right before.
Result<std::uint64_t> DirectoriesAt(Bytes image, std::uint64_t optional) {
  switch (TRY(LittleAt<std::uint16_t>(image, optional))) {
    case kPe32:
      return optional + 96;
    case kPe32Plus:
      return optional + 112;
    default:
      return Error{ReasonCode::kRequestMalformed, "image is neither PE32 nor PE32+"};
  }
}

Result<PeImage> ParsePe(Bytes image) {
  if (AsText(TRY(SliceAt(image, 0, 2))) != "MZ")
    return Error{ReasonCode::kRequestMalformed,
                 "kernel is not a PE image; is it a bzImage with an EFI stub?"};
  const std::uint64_t pe = TRY(LittleAt<std::uint32_t>(image, kPeOffsetAt));
  if (AsText(TRY(SliceAt(image, pe, 4))) != std::string_view("PE\0\0", 4))
    return Error{ReasonCode::kRequestMalformed, "kernel has no PE header"};
  const auto section_count = TRY(LittleAt<std::uint16_t>(image, pe + 6));
  const auto optional_bytes = TRY(LittleAt<std::uint16_t>(image, pe + 20));
  if (section_count > kMaxPeSections)
    return Error{ReasonCode::kRequestMalformed, "PE image has too many sections"};
  const std::uint64_t optional = pe + kCoffHeaderBytes;
  const std::uint64_t directories = TRY(DirectoriesAt(image, optional));
  const std::uint64_t headers_end = TRY(LittleAt<std::uint32_t>(image, optional + 60));
  const auto directory_count = TRY(LittleAt<std::uint32_t>(image, directories - 4));

  PeImage out{optional + kChecksumAt, headers_end, headers_end, 0, {}};
  if (directory_count > kCertificateDirectory) {
    out.certificate_entry = directories + kCertificateDirectory * kDirectoryBytes;
    out.certificate_bytes = TRY(LittleAt<std::uint32_t>(image, out.certificate_entry + 4));
  }
  const std::uint64_t entry_end =
      out.certificate_entry + (directory_count > kCertificateDirectory ? kDirectoryBytes : 0);
  if (headers_end > image.size() || out.checksum + 4 > headers_end || entry_end > headers_end)
    return Error{ReasonCode::kRequestMalformed, "headers of the PE image do not fit"};
  out.sections = TRY(SectionsOf(image, optional + optional_bytes, section_count));
  return out;
}

}  // namespace

Result<crypto::Sha384Digest> AuthenticodeDigest(Bytes image) {
  if (image.size() > kMaxKernelBytes)
    return Error{ReasonCode::kRequestMalformed, "kernel is above its limit"};
  const PeImage pe = TRY(ParsePe(image));
  ByteBuffer hashed;
  hashed.reserve(image.size());
  Append(hashed, image.first(pe.checksum));
  Append(hashed, image.subspan(pe.checksum + 4, pe.certificate_entry - pe.checksum - 4));
  if (pe.certificate_entry < pe.headers_end)
    Append(hashed, image.subspan(pe.certificate_entry + kDirectoryBytes,
                                 pe.headers_end - pe.certificate_entry - kDirectoryBytes));
  std::uint64_t counted = pe.headers_end;
  for (const Section& section : pe.sections) {
    const Bytes content = TRY(SliceAt(image, section.offset, section.size));
    counted += section.size;
    // Sections that overlap would let a small file cost much.
    if (counted > image.size())
      return Error{ReasonCode::kRequestMalformed, "sections of the PE image overlap"};
    Append(hashed, content);
  }
  // What no section holds, up to the certificates. It starts where the sum of all sizes ends, not the last
  // section: that is how EDK II reads the specification.
  const std::uint64_t extra = image.size() - counted;
  if (extra < pe.certificate_bytes)
    return Error{ReasonCode::kRequestMalformed, "certificates of the PE image do not fit"};
  Append(hashed, image.subspan(counted, extra - pe.certificate_bytes));
  return crypto::Sha384(hashed);
}

}  // namespace portcullis::measure
