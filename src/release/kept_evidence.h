#pragma once

#include "release/attestation_request.h"

namespace portcullis::release {

/// The evidence that is kept with a release, to be appraised again when its policy changes.
struct KeptEvidence {
  policy::Evidence evidence;
  codec::InitData init_data;
  ByteBuffer report_data;
};

/// As it is stored: JSON, with what an appraisal reads of the evidence, packed where it is long (an event log
/// is).
std::string KeptEvidenceText(std::string_view tee, const AttestationRequest& request,
                             std::string_view init_data_text);
/// Errors: those of the parts, for a text that KeptEvidenceText() did not make.
Result<KeptEvidence> ParseKeptEvidence(std::string_view text);

}  // namespace portcullis::release
