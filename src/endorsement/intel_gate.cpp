#include "endorsement/intel_gate.h"

#include "evidence/tdx/collateral_gate.h"

namespace portcullis::endorsement {
namespace {

constexpr std::string_view kPlatformCaName = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorCaName = "Intel SGX PCK Processor CA";

Error NotAsNamed() {
  return Error{ReasonCode::kCertificateMismatch, "it is another document than was asked for"};
}

Facts FactsOf(const tdx::CrlFacts& crl) {
  return {crl.window.issued, crl.window.next_update, std::nullopt, crl.listed};
}

Result<Facts> Examined(const TcbInfoId& id, const Document& document, const tdx::TrustAnchors& anchors,
                       WallTime now) {
  const auto info = TRY(tdx::ExamineTcbInfo(document.body, document.chain, anchors, now));
  if (info.id != "TDX" || info.fmspc != id.fmspc) return NotAsNamed();
  return Facts{info.window.issued, info.window.next_update, info.evaluation_number, std::nullopt};
}

Result<Facts> Examined(const QeIdentityId&, const Document& document, const tdx::TrustAnchors& anchors,
                       WallTime now) {
  const auto qe = TRY(tdx::ExamineQeIdentity(document.body, document.chain, anchors, now));
  if (qe.id != "TD_QE") return NotAsNamed();
  return Facts{qe.window.issued, qe.window.next_update, qe.evaluation_number, std::nullopt};
}

Result<Facts> Examined(const PckCrlId& id, const Document& document, const tdx::TrustAnchors& anchors,
                       WallTime now) {
  const auto crl = TRY(tdx::ExaminePckCrl(document.body, document.chain, anchors, now));
  if (crl.issuer != (id.ca == tdx::PckCa::kPlatform ? kPlatformCaName : kProcessorCaName))
    return NotAsNamed();
  return FactsOf(crl);
}

Result<Facts> Examined(const RootCrlId&, const Document& document, const tdx::TrustAnchors& anchors,
                       WallTime now) {
  return FactsOf(TRY(tdx::ExamineRootCrl(document.body, document.chain, anchors, now)));
}

template <typename AmdId>
Result<Facts> Examined(const AmdId&, const Document&, const tdx::TrustAnchors&, WallTime) {
  return Error{ReasonCode::kInternalError, "it is none of Intel's documents"};
}

}  // namespace

Result<Facts> ExamineIntel(const Document& document, const tdx::TrustAnchors& anchors, WallTime now) {
  return std::visit([&](const auto& id) { return Examined(id, document, anchors, now); }, document.id);
}

}  // namespace portcullis::endorsement
