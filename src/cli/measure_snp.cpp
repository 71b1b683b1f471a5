#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/files.h"
#include "cli/measure.h"
#include "codec/text.h"
#include "measure/id_block.h"

namespace portcullis::cli {
namespace {

using codec::EncodeHex;
using codec::Json;

struct MeasureSnpOptions {
  LaunchFiles files;
  std::string vcpus, model, features = "0x1", id_block, id_auth, format;
  measure::Vmm vmm = measure::Vmm::kQemu;
};

const std::map<std::string, measure::Vmm> kVmms = {{"qemu", measure::Vmm::kQemu},
                                                   {"ec2", measure::Vmm::kEc2},
                                                   {"ec2-old", measure::Vmm::kEc2Old},
                                                   {"gce", measure::Vmm::kGce}};

Result<std::uint64_t> ParseFeatures(std::string_view text) {
  std::uint64_t value = 0;
  const bool prefixed = text.starts_with("0x");
  const char* const begin = text.data() + (prefixed ? 2 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value, 16);
  if (!prefixed || error != std::errc() || end != text.data() + text.size())
    return Error{ReasonCode::kConfigurationInvalid, "must be hex, such as 0x1", "--guest-features"};
  return value;
}

Result<std::uint32_t> SignatureFor(const MeasureSnpOptions& options) {
  if (options.vmm != measure::Vmm::kQemu && options.model.empty()) return 0u;
  const auto signature = measure::SignatureOf(options.model);
  if (signature) return *signature;
  std::string known;
  for (const std::string& name : measure::KnownModels()) known += (known.empty() ? "" : ", ") + name;
  return Error{ReasonCode::kConfigurationInvalid,
               "must be the model that QEMU is given, or its CPUID signature such as 0xa00f11",
               "--vcpu-model; known: " + known};
}

/// What was calculated, and what the signed ID block says beside it.
struct Found {
  std::map<std::uint32_t, measure::LaunchDigest> digests;
  std::optional<measure::IdBlock> block;
  std::optional<measure::IdAuth> auth;

  std::vector<Labelled> labelled() const {
    std::vector<Labelled> out;
    for (const auto& [count, digest] : digests)
      out.push_back({digest, std::to_string(count) + (count == 1 ? " vCPU" : " vCPUs")});
    return out;
  }
  bool block_matches() const {
    return !block || std::ranges::any_of(
                         digests, [this](const auto& entry) { return entry.second == block->launch_digest; });
  }
};

Result<Found> Calculate(const MeasureSnpOptions& options) {
  const std::uint32_t signature = TRY(SignatureFor(options));
  const std::uint64_t features = TRY(ParseFeatures(options.features));
  measure::SnpLaunch launch{options.vmm, signature, features, std::nullopt};
  const std::set<std::uint32_t> counts = TRY(ParseCounts(options.vcpus));
  const LaunchContent content = TRY(ReadLaunchFiles(options.files));
  if (!options.files.kernel.empty())
    launch.boot =
        measure::DirectBoot{AsBytes(content.kernel), AsBytes(content.initrd), options.files.command_line};
  const measure::Firmware firmware =
      TRY_AT(Quoted(options.files.firmware),
             measure::ParseFirmware(AsBytes(content.firmware), measure::Metadata::kSev));

  Found found;
  found.digests = TRY_AT(Quoted(options.files.firmware), measure::SnpDigests(firmware, launch, counts));
  if (!options.id_block.empty()) {
    const std::string bytes = TRY(ReadFile(options.id_block, measure::kIdBlockBytes));
    found.block = TRY_AT(Quoted(options.id_block), measure::ParseIdBlock(AsBytes(bytes)));
  }
  if (!options.id_auth.empty()) {
    const std::string bytes = TRY(ReadFile(options.id_auth, measure::kIdAuthBytes));
    found.auth = TRY_AT(Quoted(options.id_auth), measure::ParseIdAuth(AsBytes(bytes)));
  }
  return found;
}

Json AsJson(const Found& found) {
  Json out = Json::Object({{"measurements", JsonDigests(found.labelled())}});
  if (found.block)
    out.Set("idBlock", Json::Object({{"launchDigest", EncodeHex(found.block->launch_digest.bytes())},
                                     {"matches", found.block_matches()},
                                     {"familyId", EncodeHex(found.block->family_id.bytes())},
                                     {"imageId", EncodeHex(found.block->image_id.bytes())},
                                     {"guestSvn", found.block->guest_svn},
                                     {"guestPolicy", found.block->guest_policy}}));
  if (found.auth) {
    out.Set("idKeyDigest", EncodeHex(found.auth->id_key.bytes()));
    out.Set("authorKeyDigest",
            found.auth->author_key ? Json(EncodeHex(found.auth->author_key->bytes())) : Json());
  }
  return out;
}

/// In quotes: an identifier of digits alone would be a number.
std::string ListedRule(std::string_view name, const Bytes digest) {
  return std::string(name) + ": {mode: Listed, digests: [\"" + EncodeHex(digest) + "\"]}\n";
}

std::string AsYaml(const Found& found) {
  std::string out = "measurements:\n" + YamlDigests(found.labelled(), 2);
  if (found.block) {
    out += found.block_matches() ? "# The ID block is for one of these launches.\n"
                                 : "# The ID block is for ANOTHER launch: the firmware will refuse these.\n";
    out += "minGuestSvn: " + std::to_string(found.block->guest_svn) + "\n";
    out += ListedRule("familyId", found.block->family_id.bytes());
    out += ListedRule("imageId", found.block->image_id.bytes());
  }
  if (found.auth) {
    out += ListedRule("idKey", found.auth->id_key.bytes());
    out += found.auth->author_key ? ListedRule("authorKey", found.auth->author_key->bytes())
                                  : "authorKey: {mode: Absent, digests: []}\n";
  }
  return out;
}

Result<Exit> MeasureSnp(const MeasureSnpOptions& options, const Context& context) {
  const Found found = TRY(Calculate(options));
  if (options.format == "json")
    context.PrintJson(AsJson(found));
  else
    context.out() << AsYaml(found);
  return found.block_matches() ? Exit::kDone : Exit::kDenied;
}

}  // namespace

void AddMeasureSnp(CLI::App& measure, Context& context) {
  const auto options = std::make_shared<MeasureSnpOptions>();
  CLI::App* const snp =
      measure.add_subcommand("snp", "Calculate the launch digests of an AMD SEV-SNP guest, one a vCPU count");
  AddLaunchOptions(*snp, options->files);
  snp->add_option("--vcpus", options->vcpus, "Numbers of vCPUs that the guest may have: 1,2,4-8")
      ->required()
      ->type_name("COUNTS");
  snp->add_option("--vcpu-model", options->model,
                  "QEMU's -cpu, such as EPYC-v4, Milan or 0xa00f11; only QEMU's digests depend on it")
      ->type_name("MODEL");
  snp->add_option("--vmm", options->vmm, "Who launches it: qemu, ec2, ec2-old (before 2026) or gce")
      ->transform(CLI::CheckedTransformer(kVmms))
      ->type_name("VMM")
      ->default_str("qemu");
  snp->add_option("--guest-features", options->features,
                  "SEV_FEATURES: 0x1, or 0x21 with VMMs that turn on debug swap")
      ->type_name("HEX")
      ->capture_default_str();
  snp->add_option("--id-block", options->id_block, "ID block whose launch digest must be one of these")
      ->type_name("FILE");
  snp->add_option("--id-auth", options->id_auth, "ID authentication structure whose key digests to print")
      ->type_name("FILE");
  AddOutputOption(*snp, options->format, {"yaml", "json"});
  snp->footer(
      R"(Prints members of a policy's `snp`, ready to paste; each comment says what a digest holds for.
A digest says nothing of the root file system unless the command line names its hash.
Exit code 3 where the ID block is for another launch.

Examples:
  portcullis measure snp --firmware OVMF.fd --vcpus 1,2,4-8 --vcpu-model Milan
  portcullis measure snp --firmware OVMF.fd --vcpus 1-32 --vcpu-model EPYC-v4 --kernel vmlinuz --initrd initrd.img --append "console=ttyS0" -o json
  portcullis measure snp --firmware ovmf_img.fd --vcpus 4 --vmm ec2)");
  snp->callback([options, &context] { context.Finish(MeasureSnp(*options, context), options->format); });
}

}  // namespace portcullis::cli
