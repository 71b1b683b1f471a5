#include "evidence/azure/evidence.h"

#include <algorithm>

#include "codec/text.h"
#include "evidence/azure/hcl_report.h"
#include "evidence/snp/chain.h"
#include "evidence/tdx/quote.h"
#include "evidence/tpm/signature.h"

namespace portcullis::azure {
namespace {

using codec::Json;
using codec::JsonArray;
using codec::ObjectReader;

Error Malformed(StaticText why) { return {ReasonCode::kEvidenceMalformed, why}; }

/// How an attester of one time wrote bytes.
using ReadBytes = Result<ByteBuffer> (*)(const Json& value, std::size_t max_size);

/// An array of integers, as serde writes a Vec<u8>.
Result<ByteBuffer> FromIntegers(const Json& value, std::size_t max_size) {
  const JsonArray* const items = value.if_array();
  if (items == nullptr || items->size() > max_size)
    return Malformed("must be an array of bytes within its limit");
  ByteBuffer out;
  out.reserve(items->size());
  for (const Json& item : *items) {
    const auto number = item.if_uint64();
    if (!number || *number > 0xFF) return Malformed("must list numbers of 0 to 255");
    out.push_back(static_cast<std::byte>(*number));
  }
  return out;
}

Result<ByteBuffer> FromHex(const Json& value, std::size_t max_size) {
  const std::string* const text = value.if_string();
  if (text == nullptr || text->size() > 2 * max_size) return Malformed("must be hex within its limit");
  auto bytes = codec::DecodeHex(*text);
  if (!bytes) return Malformed("must be hex");
  return bytes;
}

/// Attesters pad base64url, which RFC 7515 does not; both are one text for the same bytes here.
Result<ByteBuffer> FromBase64Url(const Json& value, std::size_t max_size) {
  const std::string* const text = value.if_string();
  if (text == nullptr || text->size() > (max_size + 2) / 3 * 4)
    return Malformed("must be base64url within its limit");
  std::string_view unpadded = *text;
  if (unpadded.size() % 4 == 0)
    for (int padding = 0; padding < 2 && unpadded.ends_with('='); ++padding) unpadded.remove_suffix(1);
  auto bytes = codec::DecodeBase64Url(unpadded);
  if (!bytes) return Malformed("must be base64url");
  return bytes;
}

Result<ByteBuffer> BytesMember(ObjectReader& in, std::string_view name, ReadBytes read,
                               std::size_t max_size) {
  const Json* const value = TRY(in.Any(name));
  return TRY_AT(name, read(*value, max_size));
}

Result<tpm::PcrValues> ReadPcrs(ObjectReader& in, ReadBytes read) {
  const JsonArray& items = *TRY(in.Array("pcrs", tpm::kPcrCount));
  tpm::PcrValues out;
  if (items.size() != out.size()) return Malformed("must list 24 PCRs").At("pcrs");
  for (std::size_t i = 0; i < out.size(); ++i) {
    const ByteBuffer value = TRY_AT("pcrs", read(items[i], crypto::Sha256Digest::kSize));
    const auto digest = crypto::Sha256Digest::From(value);
    if (!digest) return Malformed("a PCR must have 32 bytes").At("pcrs");
    out[i] = *digest;
  }
  return out;
}

/// How the members are called and written in one version of the evidence.
struct Form {
  std::string_view quote, hcl_report;
  ReadBytes quote_bytes, blob;
};

Result<VtpmQuote> ReadQuote(ObjectReader& in, const Form& form) {
  const Json* const value = TRY(in.Object(form.quote));
  ObjectReader quote = TRY_AT(form.quote, ObjectReader::Open(*value, ReasonCode::kEvidenceMalformed));
  VtpmQuote out;
  out.message = TRY_AT(form.quote, BytesMember(quote, "message", form.quote_bytes, tpm::kMaxQuoteBytes));
  out.signature =
      TRY_AT(form.quote, BytesMember(quote, "signature", form.quote_bytes, tpm::kMaxSignatureBytes));
  out.pcrs = TRY_AT(form.quote, ReadPcrs(quote, form.quote_bytes));
  TRY_AT(form.quote, quote.Finish());
  return out;
}

/// Before versions were written there was no member for one.
Result<std::int64_t> ReadVersion(ObjectReader& in) {
  if (in.Optional("version") == nullptr) return std::int64_t{0};
  const std::int64_t version = TRY(in.Integer("version", 0, INT64_MAX));
  if (version > kMaxEvidenceVersion)
    return Error{ReasonCode::kEvidenceVersionUnsupported, "evidence version outside 0..2"};
  return version;
}

Result<std::vector<crypto::Certificate>> VcekOfPem(ObjectReader& in) {
  const std::string text = TRY(in.Text("vcek", 4 * crypto::kMaxCertificateBytes));
  const auto blocks = codec::ParsePem(text, 4);
  if (!blocks) return Malformed("must be a certificate in PEM").At("vcek");
  std::vector<crypto::Certificate> out;
  for (const codec::PemBlock& block : *blocks) out.push_back(TRY_AT("vcek", snp::ParseLeaf(block.der)));
  return out;
}

Result<std::vector<crypto::Certificate>> VcekOfBase64(ObjectReader& in) {
  std::vector<crypto::Certificate> out;
  if (in.Optional("vcek") == nullptr) return out;  // the store may know it
  const ByteBuffer der = TRY(BytesMember(in, "vcek", FromBase64Url, crypto::kMaxCertificateBytes));
  out.push_back(TRY_AT("vcek", snp::ParseLeaf(der)));
  return out;
}

constexpr Form kSnpFormOfVersion0{"quote", "report", FromIntegers, FromIntegers};
constexpr Form kTdxFormOfVersion0{"tpm_quote", "hcl_report", FromIntegers, FromIntegers};
constexpr Form kForm{"tpm_quote", "hcl_report", FromHex, FromBase64Url};

}  // namespace

Result<SnpEvidence> ParseSnpEvidence(const Json& primary_evidence) {
  ObjectReader in = TRY(ObjectReader::Open(primary_evidence, ReasonCode::kEvidenceMalformed));
  SnpEvidence out{};
  out.version = TRY(ReadVersion(in));
  const Form& form = out.version == 0 ? kSnpFormOfVersion0 : kForm;
  out.quote = TRY(ReadQuote(in, form));
  out.hcl_report = TRY(BytesMember(in, form.hcl_report, form.blob, kMaxHclBytes));
  out.certificates = TRY(out.version == 0 ? VcekOfPem(in) : VcekOfBase64(in));
  TRY(in.Finish());
  return out;
}

Result<TdxEvidence> ParseTdxEvidence(const Json& primary_evidence) {
  ObjectReader in = TRY(ObjectReader::Open(primary_evidence, ReasonCode::kEvidenceMalformed));
  TdxEvidence out{};
  out.version = TRY(ReadVersion(in));
  const Form& form = out.version == 0 ? kTdxFormOfVersion0 : kForm;
  out.quote = TRY(ReadQuote(in, form));
  out.hcl_report = TRY(BytesMember(in, form.hcl_report, form.blob, kMaxHclBytes));
  out.td_quote = TRY(BytesMember(in, "td_quote", form.blob, tdx::kMaxQuoteBytes));
  TRY(in.Finish());
  return out;
}

}  // namespace portcullis::azure
