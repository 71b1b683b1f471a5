#pragma once

#include <optional>

#include "measure/fields.h"
#include "measure/guid.h"

namespace portcullis::measure {

/// An OVMF-like image written field by field; each defect of it is one change of one member.
struct FirmwareWriter {
  struct Sev {
    std::uint32_t address, size, type;
  };
  struct Tdx {
    std::uint32_t data_offset, data_size;
    std::uint64_t address, memory_size;
    std::uint32_t type, attributes;
  };
  std::size_t image_bytes = 3 * 4096;
  std::optional<std::uint32_t> reset_address = 0x80B004;
  std::optional<std::uint32_t> hashes_address = 0x805C00;
  std::vector<Sev> sev = {{0x800000, 0x3000, 1},
                          {0x803000, 0x1000, 2},
                          {0x804000, 0x1000, 3},
                          {0x805000, 0x1000, 0x10},
                          {0x806000, 0x1000, 4}};
  std::vector<Tdx> tdx = {{0, 0x1800, 0xFFFFE000, 0x2000, 0, 1},
                          {0, 0, 0x800000, 0x2000, 3, 0},
                          {0, 0, 0x900000, 0x1000000000, 4, 2}};
  std::string signature;  // empty: the right one
  std::uint32_t version = 1;
  std::uint32_t size_off_by = 0;
  std::uint32_t count_off_by = 0;
  std::optional<std::uint32_t> from_end;  // of the metadata; nullopt: right
  std::uint16_t table_off_by = 0, entry_off_by = 0;
  bool table = true;
  std::string before_entries;  // bytes at the front of the table

  ByteBuffer WriteSev() const {
    ByteBuffer sections;
    for (const Sev& section : sev) {
      Put32(sections, section.address);
      Put32(sections, section.size);
      Put32(sections, section.type);
    }
    return Write("ASEV", GuidOf("dc886566-984a-4798-a75e-5585a7bf67cc"), sections, sev.size());
  }
  ByteBuffer WriteTdx() const {
    ByteBuffer sections;
    for (const Tdx& section : tdx) {
      Put32(sections, section.data_offset);
      Put32(sections, section.data_size);
      Put64(sections, section.address);
      Put64(sections, section.memory_size);
      Put32(sections, section.type);
      Put32(sections, section.attributes);
    }
    return Write("TDVF", GuidOf("e47a6535-984a-4798-865e-4685a7bf8ec2"), sections, tdx.size());
  }

 private:
  static void Put32(ByteBuffer& out, std::uint32_t value) {
    std::array<std::byte, 4> bytes{};
    PutLittle(std::span<std::byte>(bytes), 0, value);
    Append(out, bytes);
  }
  static void Put64(ByteBuffer& out, std::uint64_t value) {
    Put32(out, static_cast<std::uint32_t>(value));
    Put32(out, static_cast<std::uint32_t>(value >> 32));
  }
  static void PutTail(ByteBuffer& out, std::size_t size, const Guid& guid) {
    out.push_back(static_cast<std::byte>(size & 0xFF));
    out.push_back(static_cast<std::byte>(size >> 8 & 0xFF));
    Append(out, guid.bytes());
  }

  ByteBuffer Write(std::string_view right, const Guid& guid, Bytes sections, std::size_t count) const {
    ByteBuffer metadata = ToBuffer(AsBytes(signature.empty() ? right : std::string_view(signature)));
    Put32(metadata, static_cast<std::uint32_t>(16 + sections.size() + size_off_by));
    Put32(metadata, version);
    Put32(metadata, static_cast<std::uint32_t>(count + count_off_by));
    Append(metadata, sections);

    ByteBuffer image(image_bytes, std::byte{0x90});
    const std::size_t at = image.size() - 4096;
    PutBytes(image, at, metadata);

    ByteBuffer entries = ToBuffer(AsBytes(before_entries));
    const auto entry = [&](std::initializer_list<std::uint32_t> numbers, const Guid& name) {
      for (const std::uint32_t number : numbers) Put32(entries, number);
      PutTail(entries, 18 + 4 * numbers.size() + entry_off_by, name);
    };
    entry({from_end.value_or(4096)}, guid);
    if (hashes_address) entry({*hashes_address, 0x400}, GuidOf("7255371f-3a3b-4b04-927b-1da6efa8d454"));
    if (reset_address) entry({*reset_address}, GuidOf("00f771de-1a7e-4fcb-890e-68c77e2fb44e"));
    if (table) {
      PutTail(entries, entries.size() + 18 + table_off_by, GuidOf("96b582de-1fb2-45f7-baea-a366c55a082d"));
      PutBytes(image, image.size() - 32 - entries.size(), entries);
    }
    return image;
  }
};

inline ByteBuffer SevFirmware() { return FirmwareWriter().WriteSev(); }
inline ByteBuffer TdxFirmware() { return FirmwareWriter().WriteTdx(); }

}  // namespace portcullis::measure
