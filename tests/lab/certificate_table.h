#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace portcullis::lab {

// GHCB specification (AMD 56421), GUIDs of the certificate table.
inline constexpr std::string_view kVcekGuid = "63da758d-e664-4564-adc5-f4b93be8accd";
inline constexpr std::string_view kVlekGuid = "a8074bc2-a25a-483e-aae6-39c045a0b8a1";
inline constexpr std::string_view kAskGuid = "4ab7b379-bbac-4fe4-a02f-05aef327c782";  // or the ASVK
inline constexpr std::string_view kArkGuid = "c0b406a4-a803-4952-9743-3fb6014cd0ae";

struct TableEntry {
  std::string_view guid;
  Bytes blob;
};

/// A certificate table as a host lays it out: header, all-zero entry, blobs, padded to pages.
ByteBuffer BuildCertificateTable(const std::vector<TableEntry>& entries);
/// 16 bytes in the order of the text.
ByteBuffer GuidBytes(std::string_view guid);

}  // namespace portcullis::lab
