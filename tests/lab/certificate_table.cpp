#include "tests/lab/certificate_table.h"

#include <algorithm>
#include <string>

#include "codec/text.h"

namespace portcullis::lab {
namespace {

constexpr std::size_t kEntrySize = 24;
constexpr std::size_t kPage = 4096;

void AppendLittle(ByteBuffer& out, std::size_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

}  // namespace

ByteBuffer GuidBytes(std::string_view guid) {
  std::string digits(guid);
  std::erase(digits, '-');
  return codec::DecodeHex(digits).value();
}

ByteBuffer BuildCertificateTable(const std::vector<TableEntry>& entries) {
  ByteBuffer out;
  std::size_t offset = (entries.size() + 1) * kEntrySize;
  for (const TableEntry& entry : entries) {
    Append(out, GuidBytes(entry.guid));
    AppendLittle(out, offset);
    AppendLittle(out, entry.blob.size());
    offset += entry.blob.size();
  }
  out.resize(out.size() + kEntrySize);
  for (const TableEntry& entry : entries) Append(out, entry.blob);
  out.resize((out.size() + kPage - 1) / kPage * kPage);
  return out;
}

}  // namespace portcullis::lab
