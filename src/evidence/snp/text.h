#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evidence/snp/report.h"
#include "evidence/text.h"

namespace portcullis::snp {

using evidence::FromReport, evidence::HexNumber, evidence::OneOf;

/// Report values as findings and claims show them.
std::string TextOf(const Tcb& tcb, Product product);  // "bootloader=4 tee=0 snp=24 microcode=219"
std::string TextOf(const FirmwareVersion& version);   // "1.55.29"
std::string TextOf(CpuId cpuid);                      // "19/01/01 (Milan)"

}  // namespace portcullis::snp
