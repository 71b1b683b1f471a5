#include <cstdlib>

#include "crypto/certificate.h"

using namespace portcullis;

/// Every accessor of whatever is taken for a certificate; its bytes are kept as they came.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const auto certificate = crypto::Certificate::Parse(bytes);
  if (!certificate) return 0;
  if (!SameBytes(certificate->der(), bytes)) std::abort();
  for (const std::string& text : {certificate->subject(), certificate->issuer(),
                                  certificate->subject_common_name(), certificate->issuer_common_name()}) {
    if (!std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7E; })) std::abort();
  }
  (void)certificate->Extension("1.3.6.1.4.1.3704.1.4");
  (void)certificate->HasUnknownCriticalExtension();
  (void)certificate->IsSignedBy_RsaPssSha384(*certificate);
  (void)certificate->IsSignedBy_Ecdsa(*certificate);
  (void)crypto::VerifyP384(*certificate, bytes, bytes.first(48), bytes.last(48));
  return 0;
}
