#include "endorsement/pcs_client.h"

#include "codec/text.h"
#include "endorsement/issuer_chain.h"

namespace portcullis::endorsement {
namespace {

constexpr char kDerSequenceTag = 0x30;

Error Malformed(StaticText text) { return Error{ReasonCode::kEvidenceMalformed, text}; }

/// DER as it is, or as PCCS serves it in hex.
Result<ByteBuffer> DerOf(std::string_view body) {
  if (body.starts_with(kDerSequenceTag)) return ToBuffer(AsBytes(body));
  auto raw = codec::DecodeHex(body.substr(0, body.find_last_not_of(" \t\r\n") + 1));
  if (!raw || raw->empty()) return Malformed("the revocation list is neither DER nor hex");
  return raw;
}

}  // namespace

PcsClient::PcsClient(std::string base, std::string root_crl, Fetcher& fetcher, const Clock& clock)
    : base_(std::move(base)), root_crl_(std::move(root_crl)), courtesy_(fetcher, clock, {}) {}

Result<Document> PcsClient::FetchSigned(const Id& id, const std::string& path,
                                        std::initializer_list<std::string_view> chain_headers) {
  const http::Response answer = TRY(courtesy_.Get(base_ + path, path));
  for (const std::string_view name : chain_headers)
    if (const std::string* header = answer.headers.Find(name)) {
      std::string chain = TRY_AT(name, DecodeIssuerChain(*header));
      return Document{id, ToBuffer(AsBytes(answer.body)), std::move(chain)};
    }
  return Malformed("the answer has no issuer chain");
}

Result<Document> PcsClient::FetchTcbInfo(const TcbInfoId& id) {
  const std::string path = "/tdx/certification/v4/tcb?fmspc=" + codec::EncodeHex(id.fmspc.bytes()) +
                           "&update=" + std::string(NameOf(id.set));
  return FetchSigned(id, path, {"TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"});
}

Result<Document> PcsClient::FetchQeIdentity(const QeIdentityId& id) {
  return FetchSigned(id, "/tdx/certification/v4/qe/identity?update=" + std::string(NameOf(id.set)),
                     {"SGX-Enclave-Identity-Issuer-Chain"});
}

Result<Document> PcsClient::FetchPckCrl(const PckCrlId& id) {
  const std::string path = "/sgx/certification/v4/pckcrl?ca=" + std::string(NameOf(id.ca)) + "&encoding=der";
  Document document = TRY(FetchSigned(id, path, {"SGX-PCK-CRL-Issuer-Chain"}));
  document.body = TRY(DerOf(AsText(document.body)));
  return document;
}

Result<Document> PcsClient::FetchRootCrl(const std::string& chain) {
  const http::Response answer = TRY(courtesy_.Get(root_crl_, root_crl_));
  ByteBuffer der = TRY(DerOf(answer.body));
  return Document{RootCrlId{}, std::move(der), chain};
}

}  // namespace portcullis::endorsement
