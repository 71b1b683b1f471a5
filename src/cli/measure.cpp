#include "cli/measure.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/commands.h"
#include "cli/files.h"
#include "codec/text.h"
#include "measure/pe_image.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kMaxInitrdBytes = 1u << 30;

std::optional<std::uint32_t> CountOf(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 1 && value <= measure::kMaxVcpus ? std::optional(value) : std::nullopt;
}

}  // namespace

void AddLaunchOptions(CLI::App& command, LaunchFiles& files) {
  command.add_option("--firmware", files.firmware, "The OVMF image that the guest starts with")
      ->required()
      ->type_name("FILE");
  CLI::Option* const kernel =
      command.add_option("--kernel", files.kernel, "Kernel of a direct boot")->type_name("FILE");
  command.add_option("--initrd", files.initrd, "Its initrd")->type_name("FILE")->needs(kernel);
  command.add_option("--append", files.command_line, "Its command line, exactly as the VMM gets it")
      ->type_name("TEXT")
      ->needs(kernel);
}

Result<LaunchContent> ReadLaunchFiles(const LaunchFiles& files) {
  LaunchContent content;
  content.firmware = TRY(ReadFile(files.firmware, measure::kMaxFirmwareBytes));
  if (!files.kernel.empty()) content.kernel = TRY(ReadFile(files.kernel, measure::kMaxKernelBytes));
  if (!files.initrd.empty()) content.initrd = TRY(ReadFile(files.initrd, kMaxInitrdBytes));
  return content;
}

std::string YamlDigests(const std::vector<Labelled>& digests, std::size_t indent) {
  std::string out;
  for (const Labelled& one : digests)
    out += std::string(indent, ' ') + "- " + codec::EncodeHex(one.digest.bytes()) + "  # " + one.label + "\n";
  return out;
}

codec::Json JsonDigests(const std::vector<Labelled>& digests) {
  codec::JsonArray out;
  for (const Labelled& one : digests)
    out.push_back(
        codec::Json::Object({{"digest", codec::EncodeHex(one.digest.bytes())}, {"for", one.label}}));
  return out;
}

Result<std::set<std::uint32_t>> ParseCounts(std::string_view text) {
  std::set<std::uint32_t> counts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view item = text.substr(at, comma - at);
    const std::size_t dash = item.find('-');
    const auto first = CountOf(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : CountOf(item.substr(dash + 1));
    if (!first || !last || *last < *first)
      return Error{ReasonCode::kConfigurationInvalid,
                   "must be numbers or ranges from 1 to 4096, such as 1,2,4-8", "--vcpus"};
    for (std::uint32_t count = *first; count <= *last; ++count) counts.insert(count);
    at = comma + 1;
  }
  return counts;
}

void AddMeasureCommands(CLI::App& program, Context& context) {
  CLI::App* const measure = program.add_subcommand(
      "measure", "Calculate what a guest's launch will measure, from the files it is launched with");
  measure->require_subcommand(1);
  AddMeasureSnp(*measure, context);
  AddMeasureTdx(*measure, context);
}

}  // namespace portcullis::cli
