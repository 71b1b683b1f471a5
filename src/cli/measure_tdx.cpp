#include <CLI/CLI.hpp>

#include "cli/measure.h"
#include "codec/text.h"
#include "measure/linux_header.h"
#include "measure/pe_image.h"
#include "measure/tdx.h"

namespace portcullis::cli {
namespace {

using codec::Json;

struct MeasureTdxOptions {
  LaunchFiles files;
  std::uint64_t memory_mib = 0;  // 0: the kernel is measured as it is
  std::string format;
};

/// All values that the files allow, each with what it holds for.
struct Found {
  std::vector<Labelled> mr_td;
  std::vector<Labelled> kernel, load_options, initrd;  // digests of events
  std::vector<Labelled> rtmr1, rtmr2;
};

/// Adds what is not there yet: two ways that come to the same value need no second line.
void AddOnce(std::vector<Labelled>& list, const crypto::Sha384Digest& digest, std::string label) {
  if (std::ranges::find(list, digest, &Labelled::digest) == list.end())
    list.push_back({digest, std::move(label)});
}

Result<> AddKernel(const MeasureTdxOptions& options, const LaunchContent& content, Found& found) {
  const std::string where = Quoted(options.files.kernel);
  AddOnce(found.kernel, TRY_AT(where, measure::AuthenticodeDigest(AsBytes(content.kernel))),
          "kernel as it is");
  if (options.memory_mib > 0) {
    const ByteBuffer loaded = TRY_AT(
        where,
        measure::KernelAsLoaded(AsBytes(content.kernel), content.initrd.size(), options.memory_mib << 20));
    AddOnce(found.kernel, TRY_AT(where, measure::AuthenticodeDigest(loaded)),
            "kernel with QEMU's header, " + std::to_string(options.memory_mib) + " MiB");
  }
  for (const Labelled& kernel : found.kernel) {
    AddOnce(found.rtmr1, measure::Rtmr1(kernel.digest, measure::Separator::kMeasured),
            kernel.label + ", separator measured");
    AddOnce(found.rtmr1, measure::Rtmr1(kernel.digest, measure::Separator::kNotMeasured),
            kernel.label + ", no separator");
  }
  return Done{};
}

Result<> AddCommandLine(const MeasureTdxOptions& options, const LaunchContent& content, Found& found) {
  const bool has_initrd = !options.files.initrd.empty();
  const std::string_view text = options.files.command_line;
  const auto add = [&](measure::InitrdWord word, const char* label) -> Result<> {
    AddOnce(found.load_options, TRY_AT("--append", measure::LoadOptionsDigest(text, has_initrd, word)),
            has_initrd ? label : "command line as it is");
    return Done{};
  };
  TRY(add(measure::InitrdWord::kBefore, "initrd=initrd before the command line"));
  TRY(add(measure::InitrdWord::kBehind, "initrd=initrd behind the command line"));
  const std::optional<Bytes> initrd = has_initrd ? std::optional(AsBytes(content.initrd)) : std::nullopt;
  for (const Labelled& event : found.load_options)
    AddOnce(found.rtmr2, measure::Rtmr2(event.digest, initrd), event.label);
  if (initrd) found.initrd.push_back({crypto::Sha384(*initrd), "initrd"});
  return Done{};
}

Result<Found> Calculate(const MeasureTdxOptions& options) {
  const LaunchContent content = TRY(ReadLaunchFiles(options.files));
  const measure::Firmware firmware =
      TRY_AT(Quoted(options.files.firmware),
             measure::ParseFirmware(AsBytes(content.firmware), measure::Metadata::kTdx));
  Found found;
  AddOnce(found.mr_td, measure::MrTd(firmware, measure::AddOrder::kPageByPage), "added page by page");
  AddOnce(found.mr_td, measure::MrTd(firmware, measure::AddOrder::kSectionBySection),
          "added section by section");
  if (options.files.kernel.empty()) return found;
  TRY(AddKernel(options, content, found));
  TRY(AddCommandLine(options, content, found));
  return found;
}

Json AsJson(const Found& found) {
  Json out = Json::Object({{"mrTd", JsonDigests(found.mr_td)}});
  if (found.kernel.empty()) return out;
  out.Set("rtmr1", JsonDigests(found.rtmr1));
  out.Set("rtmr2", JsonDigests(found.rtmr2));
  out.Set("events", Json::Object({{"kernel", JsonDigests(found.kernel)},
                                  {"loadOptions", JsonDigests(found.load_options)},
                                  {"initrd", JsonDigests(found.initrd)}}));
  return out;
}

std::string YamlEvent(int rtmr, std::string_view type, const std::vector<Labelled>& digests) {
  if (digests.empty()) return "";
  return "  - rtmr: " + std::to_string(rtmr) + "\n    type: " + std::string(type) + "\n    digests:\n" +
         YamlDigests(digests, 6);
}

std::string AsYaml(const Found& found) {
  std::string out = "mrTd:\n" + YamlDigests(found.mr_td, 2);
  if (found.kernel.empty()) return out;
  out += "rtmrs:\n";
  out +=
      "  # rtmr0 holds memory layout, ACPI tables and boot variables, which no file tells; rtmr3 is the "
      "guest's.\n";
  out += "  rtmr0: {mode: Any, digests: []}\n";
  out += "  rtmr1:\n    mode: Listed\n    digests:\n" + YamlDigests(found.rtmr1, 6);
  out += "  rtmr2:\n    mode: Listed\n    digests:\n" + YamlDigests(found.rtmr2, 6);
  out += "  rtmr3: {mode: Any, digests: []}\n";
  out += "events:  # the same by event, for guests that send their log; [] needs none\n";
  out += YamlEvent(1, "EV_EFI_BOOT_SERVICES_APPLICATION", found.kernel);
  out += YamlEvent(2, "EV_EVENT_TAG", found.load_options);
  out += YamlEvent(2, "EV_EVENT_TAG", found.initrd);
  return out;
}

Result<Exit> MeasureTdx(const MeasureTdxOptions& options, const Context& context) {
  const Found found = TRY(Calculate(options));
  if (options.format == "json")
    context.PrintJson(AsJson(found));
  else
    context.out() << AsYaml(found);
  return Exit::kDone;
}

}  // namespace

void AddMeasureTdx(CLI::App& measure, Context& context) {
  const auto options = std::make_shared<MeasureTdxOptions>();
  CLI::App* const tdx = measure.add_subcommand(
      "tdx", "Calculate MRTD and, for a direct boot, RTMR1 and RTMR2 of an Intel TDX guest");
  AddLaunchOptions(*tdx, options->files);
  tdx->add_option("--memory", options->memory_mib,
                  "Also the kernel as older QEMU hands it over, to a guest with this memory")
      ->type_name("MIB")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30))
      ->needs("--kernel");
  AddOutputOption(*tdx, options->format, {"yaml", "json"});
  tdx->footer(
      R"(Prints members of a policy's `tdx`, ready to paste; each comment says what a value holds for. Where
hosts and firmware builds differ, every way they are known to do it is printed: keep those you use.
RTMR0 can't be calculated from files: it holds memory layout, ACPI tables and boot variables.

Examples:
  portcullis measure tdx --firmware OVMF.inteltdx.fd
  portcullis measure tdx --firmware OVMF.inteltdx.fd --kernel vmlinuz --initrd initrd.img --append "root=/dev/vda ro" -o json)");
  tdx->callback([options, &context] { context.Finish(MeasureTdx(*options, context), options->format); });
}

}  // namespace portcullis::cli
