#pragma once

#include "endorsement/document.h"
#include "evidence/tdx/checks.h"

namespace portcullis::endorsement {

/// Examine() for Intel's documents.
Result<Facts> ExamineIntel(const Document& document, const tdx::TrustAnchors& anchors, WallTime now);

}  // namespace portcullis::endorsement
