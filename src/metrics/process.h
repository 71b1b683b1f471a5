#pragma once

#include <prometheus/metric_family.h>

#include <string_view>
#include <vector>

namespace portcullis::metrics {

/// process_*, under the names that every Prometheus client has, read from /proc/self now. What can't be read
/// is left out.
std::vector<prometheus::MetricFamily> ProcessFamilies();

/// The fields of /proc/self/stat after the program's name, which may itself hold spaces and brackets.
std::vector<std::string_view> StatFields(std::string_view stat);

}  // namespace portcullis::metrics
