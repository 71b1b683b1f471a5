#include "endorsement/issuer_chain.h"

#include "codec/text.h"
#include "endorsement/document.h"

namespace portcullis::endorsement {
namespace {

constexpr std::size_t kMinCertificates = 2, kMaxCertificates = 4;
constexpr std::size_t kEscapeLength = 3;  // "%20"

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

bool MayStandInPem(char c) { return c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f); }

Result<char> Unescape(std::string_view escape) {
  if (escape.size() < kEscapeLength) return Malformed("an escape of the issuer chain is cut");
  const auto raw = codec::DecodeHex(escape.substr(1, 2));
  if (!raw) return Malformed("an escape of the issuer chain is not hex");
  return static_cast<char>(raw->front());
}

}  // namespace

Result<std::string> DecodeIssuerChain(std::string_view header) {
  if (header.size() > kMaxChainBytes) return Malformed("the issuer chain is too long");
  std::string pem;
  for (std::size_t at = 0; at < header.size();) {
    const bool escaped = header[at] == '%';
    const char c = escaped ? TRY(Unescape(header.substr(at, kEscapeLength))) : header[at];
    if (!MayStandInPem(c)) return Malformed("the issuer chain is not PEM");
    pem += c;
    at += escaped ? kEscapeLength : 1;
  }
  if (TRY(CertificatesOf(pem)).size() < kMinCertificates) return Malformed("the issuer chain lacks its root");
  return pem;
}

Result<std::vector<crypto::Certificate>> CertificatesOf(std::string_view chain) {
  const auto blocks = codec::ParsePem(chain, kMaxCertificates);
  if (!blocks) return Malformed("the issuer chain is not PEM");
  std::vector<crypto::Certificate> certificates;
  for (const codec::PemBlock& block : *blocks) {
    if (block.label != "CERTIFICATE") return Malformed("the issuer chain holds more than certificates");
    certificates.push_back(TRY(crypto::Certificate::Parse(block.der)));
  }
  return certificates;
}

}  // namespace portcullis::endorsement
