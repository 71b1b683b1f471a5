#pragma once

#include <memory>

#include "agent/tee.h"
#include "agent/vtpm.h"
#include "http/client.h"

namespace portcullis::agent {

/// The instance metadata service: it turns a TDREPORT into a quote and knows the VCEK. The host answers;
/// nothing of it is believed here, and the broker verifies it.
inline constexpr const char* kMetadataUrl = "http://169.254.169.254";

/// The TEE under an Azure confidential VM ("az-snp-vtpm", "az-tdx-vtpm"), whichever the paravisor's report is
/// of. The ports must outlive it. Errors: those of Vtpm::ReadHclReport(), EvidenceMalformed.
Result<std::unique_ptr<Tee>> OpenAzureTee(Vtpm& vtpm, http::Client& metadata, Sleep sleep);

}  // namespace portcullis::agent
