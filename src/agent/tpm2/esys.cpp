#include "agent/tpm2/esys.h"

#include <charconv>

namespace portcullis::agent {
namespace {

constexpr TSS2_RC kTpmLayerMask = 0xFFFF0000;
constexpr TSS2_RC kFormatOne = 0x080;
constexpr TSS2_RC kFormatOneError = 0x0BF;  // without the number of the handle, parameter or session

std::string HexOf(TSS2_RC code) {
  char digits[8];
  return "TPM response 0x" + std::string(digits, std::to_chars(digits, digits + sizeof digits, code, 16).ptr);
}

ReasonCode ReasonOf(TSS2_RC code) {
  if ((code & kTpmLayerMask) != 0) return ReasonCode::kInternalError;
  if ((code & kFormatOne) != 0)
    return (code & kFormatOneError) == TPM2_RC_HANDLE ? ReasonCode::kNotFound : ReasonCode::kInternalError;
  switch (code) {
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_NV_RATE:
    case TPM2_RC_NV_UNAVAILABLE:
      return ReasonCode::kOverloaded;
    default:
      return ReasonCode::kInternalError;
  }
}

}  // namespace

Result<> Outcome(TSS2_RC code, StaticText what) {
  if (code == TSS2_RC_SUCCESS) return Done{};
  return Error{ReasonOf(code), what, HexOf(code)};
}

Result<TpmObject> TpmObject::Open(ESYS_CONTEXT* context, TPM2_HANDLE handle) {
  ESYS_TR id = ESYS_TR_NONE;
  TRY(Outcome(Esys_TR_FromTPMPublic(context, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &id),
              "the TPM has no such object"));
  return TpmObject(context, id);
}

}  // namespace portcullis::agent
