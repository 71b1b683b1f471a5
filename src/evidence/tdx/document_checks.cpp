#include <array>

#include "codec/text.h"
#include "evidence/tdx/chain_rows.h"

namespace portcullis::tdx {
namespace {

using enum ReasonCode;
using evidence::Check;
using evidence::Comparison;

constexpr std::string_view kTdxId = "TDX", kTdQeId = "TD_QE";
constexpr std::uint32_t kTcbInfoVersion = 3, kQeIdentityVersion = 2, kTcbType = 0;

Comparison NoDefect(const ChainSubject& s, DocumentDefect kind, std::string expected) {
  if (s.collateral == nullptr) return NothingToLookAt();
  for (const auto* defect : {&s.collateral->tcb_info.defect, &s.collateral->qe_identity.defect})
    if (*defect && (*defect)->defect == kind)
      return {false, std::move(expected), (*defect)->error.ToString()};
  return {true, std::move(expected), "as expected"};
}

Comparison JsonFormat(const ChainSubject& s) {
  return NoDefect(s, DocumentDefect::kFormat, "JSON of one object and its signature");
}
Comparison JsonUnambiguous(const ChainSubject& s) {
  return NoDefect(s, DocumentDefect::kDuplicateKey, "no member twice");
}

/// One of the two documents where it is one; null else.
template <auto Document>
auto* CutOut(const ChainSubject& s) {
  auto* document = s.collateral == nullptr ? nullptr : &(s.collateral->*Document);
  return document == nullptr || document->defect ? nullptr : document;
}

template <auto Document>
Comparison Signed(const ChainSubject& s) {
  const auto* document = CutOut<Document>(s);
  if (document == nullptr) return NothingToLookAt();
  return {document->signature_verifies, "signed by its TCB Signing certificate",
          document->signature_verifies ? "as expected" : "does not verify"};
}

template <auto Document>
Comparison Issued(const ChainSubject& s) {
  const auto* document = CutOut<Document>(s);
  if (document == nullptr || !document->head.issued) return NothingToLookAt();
  return {*document->head.issued <= s.now, "issued by " + FormatTimestamp(s.now),
          FormatTimestamp(*document->head.issued)};
}

template <auto Document>
Comparison NotPast(const ChainSubject& s) {
  const auto* document = CutOut<Document>(s);
  if (document == nullptr || !document->head.next_update) return NothingToLookAt();
  return {s.now <= *document->head.next_update, "next update not before " + FormatTimestamp(s.now),
          FormatTimestamp(*document->head.next_update)};
}

template <typename T>
std::string TextOf(const std::optional<T>& value) {
  if (!value) return "none";
  if constexpr (kIsFixedBytes<T>)
    return codec::EncodeHex(value->bytes());
  else
    return std::to_string(*value);
}

std::string HeadText(const DocumentHead& head) {
  return Quoted(head.id) + " version " + TextOf(head.version);
}

Comparison TcbInfoMatches(const ChainSubject& s) {
  const auto* document = CutOut<&Collateral::Impl::tcb_info>(s);
  if (document == nullptr || s.platform.chain == nullptr || !s.platform.chain->extension)
    return NothingToLookAt();
  const TcbInfoTarget& target = s.collateral->target;
  const PckExtension& pck = *s.platform.chain->extension;
  const bool matches = document->head.id == kTdxId && document->head.version == kTcbInfoVersion &&
                       target.tcb_type == kTcbType && target.fmspc == pck.fmspc &&
                       target.pce_id == pck.pce_id;
  return {matches,
          "TDX version 3, type 0, FMSPC " + codec::EncodeHex(pck.fmspc.bytes()) + ", PCE " +
              codec::EncodeHex(pck.pce_id.bytes()),
          matches ? "as expected"
                  : HeadText(document->head) + ", type " + TextOf(target.tcb_type) + ", FMSPC " +
                        TextOf(target.fmspc) + ", PCE " + TextOf(target.pce_id)};
}

Comparison QeIdentityMatches(const ChainSubject& s) {
  const auto* document = CutOut<&Collateral::Impl::qe_identity>(s);
  if (document == nullptr) return NothingToLookAt();
  const bool matches = document->head.id == kTdQeId && document->head.version == kQeIdentityVersion;
  return {matches, "TD_QE version 2", matches ? "as expected" : HeadText(document->head)};
}

/// All of a document: dates and numbers too, where one that can't be read left the rows above open.
template <typename Document>
std::string DefectOf(const Document& document) {
  if (!document.body) return document.body_defect;
  const DocumentHead& head = document.head;
  return head.issued && head.next_update && head.evaluation_number ? "" : "a date or number of its head";
}

Comparison DocumentsReadable(const ChainSubject& s) {
  const auto* info = CutOut<&Collateral::Impl::tcb_info>(s);
  const auto* identity = CutOut<&Collateral::Impl::qe_identity>(s);
  if (info == nullptr || identity == nullptr) return NothingToLookAt();
  std::string defect = DefectOf(*info);
  if (defect.empty()) defect = DefectOf(*identity);
  const bool readable = defect.empty();
  return {readable, "every member of its type and length", readable ? "as expected" : std::move(defect)};
}

constexpr auto kInfo = &Collateral::Impl::tcb_info;
constexpr auto kIdentity = &Collateral::Impl::qe_identity;
constexpr Check<ChainSubject> kRows[] = {
    {"tdx.json-format", kEvidenceMalformed, "RFC 8259", JsonFormat},
    {"tdx.json-duplicate-key", kEvidenceMalformed, "RFC 8259, 4", JsonUnambiguous},
    {"tdx.tcbinfo-signature", kSignatureInvalid, "PCS API v4", Signed<kInfo>},
    {"tdx.tcbinfo-future", kCollateralStale, "PCS API v4", Issued<kInfo>},
    {"tdx.tcbinfo-stale", kCollateralStale, "PCS API v4", NotPast<kInfo>},
    {"tdx.qeid-signature", kSignatureInvalid, "PCS API v4", Signed<kIdentity>},
    {"tdx.qeid-future", kCollateralStale, "PCS API v4", Issued<kIdentity>},
    {"tdx.qeid-stale", kCollateralStale, "PCS API v4", NotPast<kIdentity>},
    {"tdx.tcbinfo-mismatch", kCertificateMismatch, "PCS API v4", TcbInfoMatches},
    {"tdx.qeid-mismatch", kCertificateMismatch, "PCS API v4", QeIdentityMatches},
    {"tdx.tcbinfo-format", kEvidenceMalformed, "PCS API v4", DocumentsReadable},
};

}  // namespace

std::span<const Check<ChainSubject>> DocumentChecks() { return kRows; }

}  // namespace portcullis::tdx
