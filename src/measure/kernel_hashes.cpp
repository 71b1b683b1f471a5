#include "measure/kernel_hashes.h"

#include "measure/fields.h"
#include "measure/guid.h"

namespace portcullis::measure {
namespace {

constexpr Guid kTable = GuidOf("9438d606-4f22-4cc9-b479-a793d411fd21");
constexpr Guid kCommandLine = GuidOf("97d02dd8-bd20-4c94-aa78-e7714d36ab2a");
constexpr Guid kInitrd = GuidOf("44baf731-3a2f-4bd7-9af1-41e29169781d");
constexpr Guid kKernel = GuidOf("4de79437-abd2-427f-b835-d5b172d2045b");

constexpr std::size_t kHeaderBytes = Guid::kSize + 2;
constexpr std::size_t kEntryBytes = kHeaderBytes + crypto::Sha256Digest::kSize;
constexpr std::size_t kTableBytes = kHeaderBytes + 3 * kEntryBytes;
constexpr std::size_t kPaddedBytes = (kTableBytes + 15) / 16 * 16;

void PutHeader(std::span<std::byte> out, const Guid& guid, std::size_t size) {
  PutBytes(out, 0, guid.bytes());
  PutLittle<std::uint16_t>(out, Guid::kSize, static_cast<std::uint16_t>(size));
}

void PutEntry(std::span<std::byte> out, const Guid& guid, Bytes content) {
  PutHeader(out, guid, kEntryBytes);
  PutBytes(out, kHeaderBytes, crypto::Sha256(content).bytes());
}

}  // namespace

Result<Page> KernelHashesPage(const DirectBoot& boot, std::size_t offset) {
  if (offset > kPageBytes - kPaddedBytes)
    return Error{ReasonCode::kRequestMalformed, "table of the kernel's hashes does not fit its page"};
  Page page{};
  const auto table = std::span(page).subspan(offset, kTableBytes);
  PutHeader(table, kTable, kTableBytes);
  // c_str(): the NUL is hashed with the text.
  const std::string_view with_nul(boot.command_line.c_str(), boot.command_line.size() + 1);
  PutEntry(table.subspan(kHeaderBytes), kCommandLine, AsBytes(with_nul));
  PutEntry(table.subspan(kHeaderBytes + kEntryBytes), kInitrd, boot.initrd);
  PutEntry(table.subspan(kHeaderBytes + 2 * kEntryBytes), kKernel, boot.kernel);
  return page;
}

}  // namespace portcullis::measure
