#include <algorithm>
#include <array>

#include "evidence/snp/chain.h"

namespace portcullis::snp {
namespace {

constexpr std::size_t kMaxTableBytes = 64 * 1024;  // four AMD certificates and a CRL are below 10 KiB
constexpr std::size_t kMaxEntries = 16;

using Guid = FixedBytes<struct GuidTag, 16>;  // in the order of its text

constexpr Guid GuidOf(const std::array<std::uint8_t, 16>& bytes) {
  std::array<std::byte, 16> out{};
  std::ranges::transform(bytes, out.begin(), [](std::uint8_t b) { return std::byte{b}; });
  return Guid(out);
}

// GHCB specification (AMD 56421), certificate table: VCEK and VLEK.
constexpr Guid kLeafGuids[] = {
    GuidOf({0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}),
    GuidOf({0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1}),
};

struct Entry {
  Guid guid;
  std::uint32_t offset, length;
  std::uint64_t end() const { return std::uint64_t{offset} + length; }  // can't wrap in 64 bits
};

/// The header: entries up to an all-zero one.
Result<std::vector<Entry>> ParseHeader(ByteReader& in) {
  std::vector<Entry> entries;
  for (;;) {
    Entry entry{};
    entry.guid = TRY(in.TakeFixed<Guid>());
    entry.offset = TRY(in.TakeLittle<std::uint32_t>());
    entry.length = TRY(in.TakeLittle<std::uint32_t>());
    if (entry.guid.IsZero() && entry.offset == 0 && entry.length == 0) return entries;
    if (entries.size() == kMaxEntries)
      return Error{ReasonCode::kEvidenceMalformed, "certificate table has more than 16 entries"};
    if (std::ranges::find(entries, entry.guid, &Entry::guid) != entries.end())
      return Error{ReasonCode::kEvidenceMalformed, "certificate table names an entry twice"};
    entries.push_back(entry);
  }
}

}  // namespace

Result<std::vector<crypto::Certificate>> ParseCertificateTable(Bytes table) {
  if (table.size() > kMaxTableBytes)
    return Error{ReasonCode::kEvidenceMalformed, "certificate table is above 64 KiB"};
  ByteReader in(table);
  const std::vector<Entry> entries = TRY(ParseHeader(in));

  std::vector<crypto::Certificate> certificates;
  for (const Entry& entry : entries) {
    if (entry.offset < in.offset() || entry.end() > table.size())
      return Error{ReasonCode::kEvidenceMalformed, "certificate table points outside its data"};
    if (std::ranges::find(kLeafGuids, entry.guid) == std::end(kLeafGuids)) continue;
    certificates.push_back(TRY(ParseLeaf(table.subspan(entry.offset, entry.length))));
  }
  return certificates;
}

}  // namespace portcullis::snp
