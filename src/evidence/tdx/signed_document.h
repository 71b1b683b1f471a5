#pragma once

#include <string_view>
#include <variant>

#include "base/clock.h"
#include "codec/json.h"
#include "crypto/jwk.h"

namespace portcullis::tdx {

inline constexpr std::size_t kMaxDocumentBytes = 1u << 20;  // the largest known TCB info has 30 KiB

/// One of Intel's signed documents: {"<member>": {…}, "signature": "<128 hex digits>"}. The signature is over
/// the object's text as it stands there. Views into the text that it was cut from.
struct SignedDocument {
  std::string_view object;
  std::string_view signature;
};

/// Why a text is no such document.
enum class DocumentDefect : std::uint8_t { kFormat, kDuplicateKey };
struct DocumentError {
  DocumentDefect defect;
  Error error;
};

/// Cuts the text apart: strict JSON, no member twice at any level, exactly those two members in either order.
/// Says nothing about the signature.
std::variant<SignedDocument, DocumentError> CutDocument(std::string_view text, std::string_view member);

/// Whether the signature (r || s in hex) is one over the object's text.
bool DocumentSignedBy(const SignedDocument& document, const crypto::EcPublicKey& key);

/// Intel's dates: exactly "YYYY-MM-DDThh:mm:ssZ". Error: EvidenceMalformed.
Result<WallTime> ParseDate(std::string_view text);

}  // namespace portcullis::tdx
