#pragma once

#include <span>

#include "evidence/check.h"
#include "evidence/snp/checks.h"

namespace portcullis::snp {

// The two halves of PolicyChecks().
std::span<const evidence::Check<Subject>> PlatformChecks();  // what runs the guest
std::span<const evidence::Check<Subject>> WorkloadChecks();  // what the guest is

}  // namespace portcullis::snp
