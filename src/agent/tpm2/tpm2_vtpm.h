#pragma once

#include <memory>

#include "agent/vtpm.h"

namespace portcullis::agent {

inline constexpr const char* kTpmDevice = "device:/dev/tpmrm0";  // the kernel's resource manager

/// The vTPM behind a TCTI of tpm2-tss, named as its loader names them ("device:/dev/tpmrm0"). Not
/// thread-safe. Errors: NotFound (there is no such device), InternalError.
Result<std::unique_ptr<Vtpm>> OpenVtpm(const std::string& tcti = kTpmDevice);

}  // namespace portcullis::agent
