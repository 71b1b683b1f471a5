#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace portcullis::codec {

inline constexpr std::size_t kMaxInitDataBytes = 256 * 1024;
inline constexpr std::size_t kMaxInitDataEntries = 65;  // as many as a policy can pin, and the webhook's own

/// Confidential Containers init-data (kbs-protocol.md 2.2): TOML with `version`, `algorithm` and a table
/// `data` of text entries. The hardware measures the digest of the exact text, so the text travels with what
/// was read.
struct InitData {
  std::string text;       // the exact TOML
  std::string algorithm;  // sha256, sha384 or sha512
  std::map<std::string, std::string> data;
};

/// InitDataMismatch is for comparisons; here: RequestMalformed (not TOML, version other than "0.1.0", unknown
/// algorithm, an entry that is no text, unknown top-level key, over kMaxInitDataBytes or
/// kMaxInitDataEntries).
Result<InitData> ParseInitData(std::string_view toml);
/// TOML for `data`, algorithm sha256 (SNP's HOST_DATA holds 32 bytes); parses back to the same entries.
InitData MakeInitData(const std::map<std::string, std::string>& data);

/// The pod annotation io.katacontainers.config.hypervisor.cc_init_data: base64(gzip(TOML)).
std::string EncodeInitDataAnnotation(const InitData& init_data);
Result<InitData> DecodeInitDataAnnotation(std::string_view annotation);

}  // namespace portcullis::codec
