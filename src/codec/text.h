#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace portcullis::codec {

/// Lower-case hex of public bytes.
std::string EncodeHex(Bytes bytes);
/// Hex of either case, even length. RequestMalformed otherwise.
Result<ByteBuffer> DecodeHex(std::string_view text);

/// RFC 4648 section 4, padded.
std::string EncodeBase64(Bytes bytes);
/// Strict: padding required, no white space, unused bits zero. RequestMalformed otherwise.
Result<ByteBuffer> DecodeBase64(std::string_view text);

/// RFC 4648 section 5, without padding (RFC 7515 section 2).
std::string EncodeBase64Url(Bytes bytes);
/// Strict: no padding, no white space, unused bits zero. RequestMalformed otherwise.
Result<ByteBuffer> DecodeBase64Url(std::string_view text);

/// FixedBytes of hex text of exactly the right length.
template <typename T>
Result<T> FixedFromHex(std::string_view text) {
  const ByteBuffer raw = TRY(DecodeHex(text));
  return T::From(raw);
}

/// One PEM block: its label and its DER.
struct PemBlock {
  std::string label;
  ByteBuffer der;
};
/// All PEM blocks of a text, in order; text between blocks is skipped. At most `max_blocks`.
/// RequestMalformed for a block that does not end, bad base64 or none at all.
Result<std::vector<PemBlock>> ParsePem(std::string_view text, std::size_t max_blocks = 16);
std::string EncodePem(std::string_view label, Bytes der);

/// gzip with the output bounded: RequestMalformed where it would exceed `max_output`, is damaged, has
/// trailing bytes or a second member.
Result<ByteBuffer> Gunzip(Bytes compressed, std::size_t max_output);
/// Deterministic gzip (no name, time zero).
ByteBuffer Gzip(Bytes bytes);

}  // namespace portcullis::codec
