#include "measure/firmware.h"

#include "measure/fields.h"
#include "measure/guid.h"

namespace portcullis::measure {
namespace {

constexpr Guid kTable = GuidOf("96b582de-1fb2-45f7-baea-a366c55a082d");
constexpr Guid kSevEsReset = GuidOf("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
constexpr Guid kHashTable = GuidOf("7255371f-3a3b-4b04-927b-1da6efa8d454");
constexpr Guid kSevMetadata = GuidOf("dc886566-984a-4798-a75e-5585a7bf67cc");
constexpr Guid kTdxMetadata = GuidOf("e47a6535-984a-4798-865e-4685a7bf8ec2");

constexpr std::size_t kAfterTable = 32;              // the reset vector itself
constexpr std::size_t kEntryTail = 2 + Guid::kSize;  // length and GUID stand behind an entry's data
constexpr std::size_t kSevSectionBytes = 12, kTdxSectionBytes = 32;
constexpr std::size_t kMetadataHeaderBytes = 16;

bool WholePages(std::uint64_t value) { return value % kPageBytes == 0; }

/// The bytes of the table's entries, without its own footer.
Result<Bytes> TableOf(Bytes image) {
  if (image.size() < kAfterTable + kEntryTail)
    return Error{ReasonCode::kRequestMalformed, "firmware is too short"};
  const std::size_t end = image.size() - kAfterTable;
  const Bytes guid = TRY(SliceAt(image, end - Guid::kSize, Guid::kSize));
  if (!SameBytes(guid, kTable.bytes()))
    return Error{ReasonCode::kRequestMalformed,
                 "firmware has no GUIDed table at its end; is it an OVMF image?"};
  const auto size = TRY(LittleAt<std::uint16_t>(image, end - kEntryTail));
  if (size < kEntryTail || size > end)
    return Error{ReasonCode::kRequestMalformed, "size of the firmware's GUIDed table does not fit"};
  return image.subspan(end - size, size - kEntryTail);
}

/// The data of the entry with this GUID, the last where there are more; nullopt where there is none. Reads
/// the whole table, from the back.
Result<std::optional<Bytes>> Entry(Bytes table, const Guid& wanted) {
  std::optional<Bytes> found;
  while (!table.empty()) {
    if (table.size() < kEntryTail)
      return Error{ReasonCode::kRequestMalformed, "firmware's GUIDed table has a cut entry"};
    const Bytes guid = table.last(Guid::kSize);
    const auto size = TRY(LittleAt<std::uint16_t>(table, table.size() - kEntryTail));
    if (size < kEntryTail || size > table.size())
      return Error{ReasonCode::kRequestMalformed,
                   "size of an entry of the firmware's GUIDed table does not fit"};
    const Bytes entry = table.last(size);
    if (!found && SameBytes(guid, wanted.bytes())) found = entry.first(size - kEntryTail);
    table = table.first(table.size() - size);
  }
  return found;
}

Result<std::optional<std::uint32_t>> EntryNumber(Bytes table, const Guid& wanted) {
  const auto entry = TRY(Entry(table, wanted));
  if (!entry) return std::optional<std::uint32_t>();
  return std::optional(TRY(LittleAt<std::uint32_t>(*entry, 0)));
}

/// The sections behind a metadata header: signature, size, version 1, count.
Result<Bytes> SectionsOf(Bytes image, Bytes table, const Guid& guid, std::string_view signature,
                         std::size_t section_bytes) {
  const auto from_end = TRY(EntryNumber(table, guid));
  if (!from_end || *from_end > image.size())
    return Error{ReasonCode::kRequestMalformed, "firmware has no metadata for this kind of guest"};
  const std::size_t start = image.size() - *from_end;
  const Bytes header = TRY(SliceAt(image, start, kMetadataHeaderBytes));
  if (AsText(header.first(4)) != signature || TRY(LittleAt<std::uint32_t>(header, 8)) != 1)
    return Error{ReasonCode::kRequestMalformed, "firmware's metadata has another signature or version"};
  const auto size = TRY(LittleAt<std::uint32_t>(header, 4));
  const auto count = TRY(LittleAt<std::uint32_t>(header, 12));
  if (count == 0 || count > kMaxFirmwareSections || size != kMetadataHeaderBytes + count * section_bytes)
    return Error{ReasonCode::kRequestMalformed, "number of sections in the firmware's metadata does not fit"};
  return SliceAt(image, start + kMetadataHeaderBytes, count * section_bytes);
}

Result<SevSection> ParseSevSection(Bytes bytes) {
  const auto address = TRY(LittleAt<std::uint32_t>(bytes, 0));
  const auto size = TRY(LittleAt<std::uint32_t>(bytes, 4));
  const auto type = static_cast<SevSection::Type>(TRY(LittleAt<std::uint32_t>(bytes, 8)));
  if (!WholePages(address) || !WholePages(size) || size == 0)
    return Error{ReasonCode::kRequestMalformed, "section of the SEV metadata is not whole pages"};
  switch (type) {
    case SevSection::Type::kMemory:
    case SevSection::Type::kSvsmCaa:
      break;
    case SevSection::Type::kSecrets:
    case SevSection::Type::kCpuid:
    case SevSection::Type::kKernelHashes:
      if (size != kPageBytes)
        return Error{ReasonCode::kRequestMalformed, "section of the SEV metadata must be one page"};
      break;
    default:
      return Error{ReasonCode::kRequestMalformed, "SEV metadata has a section of an unknown kind"};
  }
  return SevSection{address, size, type};
}

Result<TdxSection> ParseTdxSection(Bytes image, Bytes bytes) {
  const auto data_offset = TRY(LittleAt<std::uint32_t>(bytes, 0));
  const auto data_size = TRY(LittleAt<std::uint32_t>(bytes, 4));
  const Bytes data = TRY_AT("TDX section", SliceAt(image, data_offset, data_size));
  const auto address = TRY(LittleAt<std::uint64_t>(bytes, 8));
  const auto memory_size = TRY(LittleAt<std::uint64_t>(bytes, 16));
  const auto type = TRY(LittleAt<std::uint32_t>(bytes, 24));
  const auto attributes = TRY(LittleAt<std::uint32_t>(bytes, 28));
  if (!WholePages(address) || !WholePages(memory_size) || data_size > memory_size ||
      address > UINT64_MAX - memory_size)
    return Error{ReasonCode::kRequestMalformed, "section of the TDX metadata does not fit"};
  if ((attributes & ~(TdxSection::kExtend | TdxSection::kAugment)) != 0)
    return Error{ReasonCode::kRequestMalformed, "section of the TDX metadata has an unknown attribute"};
  return TdxSection{data, address, memory_size, type, attributes};
}

Result<> ReadSev(Bytes table, Firmware& firmware) {
  firmware.reset_address = TRY(EntryNumber(table, kSevEsReset));
  firmware.hashes_address = TRY(EntryNumber(table, kHashTable));
  Bytes rest = TRY(SectionsOf(firmware.image, table, kSevMetadata, "ASEV", kSevSectionBytes));
  std::uint64_t memory = 0;
  for (; !rest.empty(); rest = rest.subspan(kSevSectionBytes)) {
    firmware.sev_sections.push_back(TRY(ParseSevSection(rest.first(kSevSectionBytes))));
    memory += firmware.sev_sections.back().size;
  }
  if (memory > kMaxSectionMemory)
    return Error{ReasonCode::kRequestMalformed, "SEV metadata lays out more memory than fits"};
  return Done{};
}

Result<> ReadTdx(Bytes table, Firmware& firmware) {
  Bytes rest = TRY(SectionsOf(firmware.image, table, kTdxMetadata, "TDVF", kTdxSectionBytes));
  std::uint64_t memory = 0;
  for (; !rest.empty(); rest = rest.subspan(kTdxSectionBytes)) {
    const TdxSection section = TRY(ParseTdxSection(firmware.image, rest.first(kTdxSectionBytes)));
    // Pages that are augmented later are not measured, so their number costs nothing.
    if ((section.attributes & TdxSection::kAugment) == 0) {
      if (section.memory_size > kMaxSectionMemory - memory)
        return Error{ReasonCode::kRequestMalformed, "TDX metadata lays out more memory than fits"};
      memory += section.memory_size;
    }
    firmware.tdx_sections.push_back(section);
  }
  return Done{};
}

}  // namespace

Result<Firmware> ParseFirmware(Bytes image, Metadata wanted) {
  if (image.empty() || !WholePages(image.size()) || image.size() > kMaxFirmwareBytes)
    return Error{ReasonCode::kRequestMalformed, "firmware must be whole pages of 4 KiB, at most 16 MiB"};
  const Bytes table = TRY(TableOf(image));
  Firmware firmware{image, std::nullopt, std::nullopt, {}, {}};
  TRY(wanted == Metadata::kSev ? ReadSev(table, firmware) : ReadTdx(table, firmware));
  return firmware;
}

}  // namespace portcullis::measure
