#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/context.h"
#include "measure/snp.h"

namespace portcullis::cli {

/// What launch measurements are calculated from, as files of the desk.
struct LaunchFiles {
  std::string firmware, kernel, initrd, command_line;
};
/// Adds --firmware, --kernel, --initrd and --append.
void AddLaunchOptions(CLI::App& command, LaunchFiles& files);

/// Their content; kernel and initrd are empty where none was named. Owns what `boot` looks at.
struct LaunchContent {
  std::string firmware, kernel, initrd;
};
Result<LaunchContent> ReadLaunchFiles(const LaunchFiles& files);

/// A digest and what it holds for, as a line of a policy.
struct Labelled {
  crypto::Sha384Digest digest;
  std::string label;
};
/// A block of YAML: each digest an item, with its label as a comment.
std::string YamlDigests(const std::vector<Labelled>& digests, std::size_t indent);
/// [{"digest","for"}...].
codec::Json JsonDigests(const std::vector<Labelled>& digests);

/// "1,2,4-8" as numbers from 1 to measure::kMaxVcpus. ConfigurationInvalid otherwise.
Result<std::set<std::uint32_t>> ParseCounts(std::string_view text);

void AddMeasureSnp(CLI::App& measure, Context& context);
void AddMeasureTdx(CLI::App& measure, Context& context);

}  // namespace portcullis::cli
