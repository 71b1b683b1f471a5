#include "tests/lab/tdx_quote_writer.h"

#include "crypto/digest.h"
#include "tests/lab/little_endian.h"

namespace portcullis::lab {
namespace {

using crypto::Require;

constexpr std::uint16_t kEcdsaP256 = 2, kBodyTdx10 = 2, kBodyTdx15 = 3;
constexpr std::uint32_t kTeeTdx = 0x81, kBody10Size = 584, kBody15Size = 648;
constexpr std::size_t kFieldSize = 32;
constexpr unsigned char kIntelQeVendor[] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                            0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

void AppendHeader(ByteBuffer& out, const TdState& state) {
  AppendLittle(out, state.version);
  AppendLittle(out, kEcdsaP256);
  AppendLittle(out, kTeeTdx);
  AppendLittle<std::uint32_t>(out, 0);
  Append(out, std::as_bytes(std::span(kIntelQeVendor)));
  Append(out, state.ppid.bytes());  // a QE id, the platform's own, and four zeros
  AppendLittle<std::uint32_t>(out, 0);
}

void AppendBody(ByteBuffer& out, const TdState& state, const tdx::ReportData& report_data) {
  Append(out, state.tee_tcb_svn.bytes());
  Append(out, state.mr_seam.bytes());
  Append(out, state.mr_signer_seam.bytes());
  AppendLittle(out, state.seam_attributes);
  AppendLittle(out, state.td_attributes);
  AppendLittle(out, state.xfam);
  Append(out, state.mr_td.bytes());
  Append(out, state.mr_config_id.bytes());
  Append(out, state.mr_owner.bytes());
  Append(out, state.mr_owner_config.bytes());
  for (const tdx::Measurement& rtmr : state.rtmrs) Append(out, rtmr.bytes());
  Append(out, report_data.bytes());
}

}  // namespace

ByteBuffer EncodeHeaderAndBody(const TdState& state, const tdx::ReportData& report_data) {
  ByteBuffer out;
  AppendHeader(out, state);
  const bool tdx15 = state.version >= 5 && state.tdx15;
  if (state.version >= 5) {
    AppendLittle(out, tdx15 ? kBodyTdx15 : kBodyTdx10);
    AppendLittle(out, tdx15 ? kBody15Size : kBody10Size);
  }
  AppendBody(out, state, report_data);
  if (tdx15) {
    Append(out, state.tdx15->tee_tcb_svn_2.bytes());
    Append(out, state.tdx15->mr_service_td.bytes());
  }
  return out;
}

ByteBuffer EncodeQeReport(const TdState& state, Bytes attestation_key, Bytes qe_auth_data) {
  ByteBuffer bound = ToBuffer(attestation_key);
  Append(bound, qe_auth_data);

  ByteBuffer out;
  Append(out, ByteBuffer(16, std::byte{7}));  // CPUSVN: of the processor, not of its certified TCB
  AppendLittle(out, state.qe_misc_select);
  out.resize(48);
  Append(out, state.qe_attributes.bytes());
  Append(out, ByteBuffer(32, std::byte{0x3E}));  // MRENCLAVE
  out.resize(128);
  Append(out, state.qe_mr_signer.bytes());
  out.resize(256);
  AppendLittle(out, state.qe_isv_prod_id);
  AppendLittle(out, state.qe_isv_svn);
  out.resize(320);
  Append(out, crypto::Sha256(bound).bytes());
  out.resize(tdx::kQeReportSize);
  return out;
}

ByteBuffer AssembleQuote(const QuoteParts& parts) {
  ByteBuffer certification;
  Append(certification, parts.qe_report);
  Append(certification, parts.qe_report_signature);
  AppendLittle(certification, static_cast<std::uint16_t>(parts.qe_auth_data.size()));
  Append(certification, parts.qe_auth_data);
  AppendLittle(certification, parts.pck_chain_type);
  AppendLittle(certification, static_cast<std::uint32_t>(parts.pck_chain.size()));
  Append(certification, parts.pck_chain);

  ByteBuffer signature_data;
  Append(signature_data, parts.signature);
  Append(signature_data, parts.attestation_key);
  AppendLittle(signature_data, parts.certification_type);
  AppendLittle(signature_data, static_cast<std::uint32_t>(certification.size()));
  Append(signature_data, certification);

  ByteBuffer out = parts.signed_part;
  AppendLittle(out, static_cast<std::uint32_t>(signature_data.size()));
  Append(out, signature_data);
  Append(out, parts.trailing);
  return out;
}

ByteBuffer RawPoint(const SharedKey& key) {
  unsigned char* encoded = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &encoded);
  Require(size == 1 + 2 * kFieldSize);
  ByteBuffer out = ToBuffer(crypto::ViewOf(encoded, size).subspan(1));  // without the byte that says "whole"
  OPENSSL_free(encoded);
  return out;
}

ByteBuffer RawSignature(const SharedKey& key, Bytes message) {
  const crypto::DigestContextPtr context(EVP_MD_CTX_new());
  Require(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1);
  ByteBuffer der(128);
  std::size_t size = der.size();
  Require(EVP_DigestSign(context.get(), crypto::Octets(std::span(der)), &size, crypto::Octets(message),
                         message.size()) == 1);
  const unsigned char* cursor = crypto::Octets(Bytes(der));
  const crypto::EcdsaSignaturePtr signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  Require(signature != nullptr);
  ByteBuffer out(2 * kFieldSize);
  const auto halves = std::span(out);
  Require(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), crypto::Octets(halves.first(kFieldSize)),
                       kFieldSize) == kFieldSize);
  Require(BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), crypto::Octets(halves.last(kFieldSize)),
                       kFieldSize) == kFieldSize);
  return out;
}

}  // namespace portcullis::lab
