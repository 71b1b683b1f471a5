#pragma once

#include "tests/lab/launch_state.h"

namespace portcullis::lab {

/// The 1184 bytes that firmware would write, not yet signed: R and S are zero.
ByteBuffer EncodeReport(const LaunchState& state, const snp::ReportData& report_data);

}  // namespace portcullis::lab
