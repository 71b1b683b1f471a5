#include "endorsement/recognise.h"

#include <algorithm>
#include <limits>

#include "codec/json.h"
#include "codec/text.h"
#include "crypto/crl.h"
#include "endorsement/issuer_chain.h"
#include "evidence/snp/leaf.h"

namespace portcullis::endorsement {
namespace {

using codec::Json;

constexpr std::array kProducts = {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin};
// Names of Intel's profile (tdx.md section 3).
constexpr std::string_view kRootCaName = "Intel SGX Root CA";
constexpr std::string_view kPlatformCaName = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorCaName = "Intel SGX PCK Processor CA";
constexpr std::string_view kPemStart = "-----BEGIN";
constexpr std::byte kDerSequenceTag{0x30};

bool IsHex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

std::optional<VcekId> VcekIdOf(const crypto::Certificate& leaf) {
  const auto extensions = snp::ParseLeafExtensions(leaf);
  if (!extensions || !extensions->hwid || extensions->hwid->size() > snp::ChipId::kSize) return std::nullopt;
  for (const snp::Product product : kProducts) {
    if (leaf.issuer_common_name() != snp::IssuerName(snp::KeyKind::kVcek, product)) continue;
    ByteBuffer chip = *extensions->hwid;
    chip.resize(snp::ChipId::kSize);
    return VcekId{product, snp::ChipId::From(chip).value(), extensions->tcb};
  }
  return std::nullopt;
}

std::optional<Id> CrlIdOf(const crypto::Crl& crl) {
  const std::string issuer = crl.issuer_common_name();
  for (const snp::Product product : kProducts)
    if (issuer == snp::RootName(product)) return AmdCrlId{product};
  if (issuer == kRootCaName) return RootCrlId{};
  if (issuer == kPlatformCaName) return PckCrlId{tdx::PckCa::kPlatform};
  if (issuer == kProcessorCaName) return PckCrlId{tdx::PckCa::kProcessor};
  return std::nullopt;
}

Recognised RecogniseDer(Bytes der) {
  if (const auto certificate = crypto::Certificate::Parse(der)) {
    const auto id = VcekIdOf(*certificate);
    if (!id) return {};
    const Facts facts{certificate->not_before(), certificate->not_after(), std::nullopt, std::nullopt};
    return Claimed{*id, facts, ToBuffer(der)};
  }
  const auto crl = crypto::Crl::Parse(der);
  const auto id = crl ? CrlIdOf(*crl) : std::nullopt;
  if (!id) return {};
  return Claimed{*id, Facts{crl->this_update(), crl->next_update(), std::nullopt, crl->size()},
                 ToBuffer(der)};
}

Recognised RecognisePem(std::string_view pem) {
  const auto blocks = codec::ParsePem(pem);
  if (!blocks) return {};
  if (blocks->size() == 1) return RecogniseDer(blocks->front().der);
  if (!CertificatesOf(pem)) return {};
  return IssuerChain{std::string(pem)};
}

std::optional<Facts> FactsOf(const Json& body) {
  const auto issued = ParseTimestamp(body.TextAt({"issueDate"}));
  const auto expires = ParseTimestamp(body.TextAt({"nextUpdate"}));
  const Json* const number = body.Find("tcbEvaluationDataNumber");
  const auto value = number != nullptr ? number->if_uint64() : std::nullopt;
  if (!issued || !expires || !value || *value > std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  return Facts{*issued, *expires, static_cast<std::uint32_t>(*value), std::nullopt};
}

Recognised RecogniseJson(Bytes content, tdx::EvaluationSet set) {
  const auto document = codec::ParseJson(AsText(content));
  if (!document) return {};
  if (const Json* info = document->Find("tcbInfo"); info != nullptr && info->TextAt({"id"}) == "TDX") {
    const auto facts = FactsOf(*info);
    const auto fmspc = codec::FixedFromHex<tdx::Fmspc>(info->TextAt({"fmspc"}));
    if (!facts || !fmspc) return {};
    return Claimed{TcbInfoId{*fmspc, set}, *facts, ToBuffer(content)};
  }
  const Json* qe = document->Find("enclaveIdentity");
  if (qe == nullptr || qe->TextAt({"id"}) != "TD_QE") return {};
  const auto facts = FactsOf(*qe);
  if (!facts) return {};
  return Claimed{QeIdentityId{set}, *facts, ToBuffer(content)};
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

}  // namespace

Recognised Recognise(Bytes content, tdx::EvaluationSet set) {
  if (content.empty() || content.size() > kMaxDocumentBytes) return {};
  const std::string_view text = AsText(content);
  if (content.front() == kDerSequenceTag) return RecogniseDer(content);
  if (text.front() == '{') return RecogniseJson(content, set);
  if (text.starts_with(kPemStart)) {
    if (text.find('%') == std::string_view::npos) return RecognisePem(text);
    auto chain = DecodeIssuerChain(Trimmed(text));
    if (!chain) return {};
    return IssuerChain{std::move(chain).value()};
  }
  if (!IsHex(Trimmed(text))) return {};
  const auto der = codec::DecodeHex(Trimmed(text));
  return der ? RecogniseDer(*der) : Recognised();
}

}  // namespace portcullis::endorsement
