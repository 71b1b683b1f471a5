#include "cli/exit.h"

namespace portcullis::cli {

Exit ExitFor(ReasonCode code) {
  switch (code) {
    case ReasonCode::kInternalError:
      return Exit::kOurFault;
    case ReasonCode::kConfigurationInvalid:
      return Exit::kUsage;
    case ReasonCode::kRequestMalformed:
    case ReasonCode::kEvidenceMalformed:
    case ReasonCode::kPolicyIncomplete:
      return Exit::kMalformedInput;
    case ReasonCode::kUnreachable:
    case ReasonCode::kOverloaded:
    case ReasonCode::kAuditUnavailable:
      return Exit::kUnreachable;
    default:
      return Exit::kDenied;
  }
}

}  // namespace portcullis::cli
