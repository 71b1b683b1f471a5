#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "endorsement/store.h"
#include "tests/bench/benches.h"
#include "tests/lab/snp_lab.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::bench {
namespace {

namespace fs = std::filesystem;

constexpr double kMebibyte = 1024.0 * 1024.0;

/// A folder of our own, gone with the object.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "portcullis-bench.XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  /// What the file system gives out for it, folders included.
  double MebibytesOnDisk() const {
    double blocks = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
      struct stat info {};
      if (lstat(entry.path().c_str(), &info) == 0) blocks += static_cast<double>(info.st_blocks);
    }
    return blocks * 512 / kMebibyte;
  }

 private:
  std::string path_;
};

lab::LaunchState MachineOf(std::size_t number) {
  lab::LaunchState state = lab::LaunchState::Milan();
  auto bytes = state.chip_id.array();
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(number >> (8 * i));
  state.chip_id = snp::ChipId(bytes);
  return state;
}

}  // namespace

Result<std::vector<Line>> BenchStore(std::size_t chips, const Narrator& say) {
  const Folder folder;
  if (folder.path().empty()) return Error{ReasonCode::kInternalError, "no folder can be made"};
  const snp::TrustAnchors snp_anchors = lab::LabPki::Shared().anchors();
  const tdx::TrustAnchors tdx_anchors = lab::TdxLabPki::Shared().anchors();
  const endorsement::Anchors anchors{snp_anchors, tdx_anchors};
  const SystemClock clock;
  auto store = TRY(endorsement::Store::Open(folder.path(), anchors, clock));

  Samples install;
  for (std::size_t i = 0; i < chips; ++i) {
    const lab::LaunchState machine = MachineOf(i);
    const auto leaf = lab::LabPki::Shared().LeafOf(machine);
    const endorsement::Document document{
        endorsement::VcekId{machine.product(), machine.chip_id, machine.reported_tcb},
        ToBuffer(leaf.certificate.der()), ""};
    Result<endorsement::Store::Installed> done = endorsement::Store::Installed::kNew;
    install.Add(Timed([&] { done = store->Install(document); }));
    TRY(std::move(done));
    if ((i + 1) % 1000 == 0) say(std::to_string(i + 1) + " of " + std::to_string(chips) + " VCEKs installed");
  }

  // As after a restart: what the index has was read from disk and is verified when first asked for.
  store = TRY(endorsement::Store::Open(folder.path(), anchors, clock));
  Samples first, again;
  for (Samples* samples : {&first, &again}) {
    for (std::size_t i = 0; i < chips; i += 7) {
      const lab::LaunchState machine = MachineOf(i);
      bool found = false;
      samples->Add(Timed([&] {
        found = store->FindVcek(machine.product(), machine.chip_id, machine.reported_tcb).has_value();
      }));
      if (!found) return Error{ReasonCode::kInternalError, "an installed VCEK was not found"};
    }
  }
  const auto line = [](std::string name, const Samples& samples, std::optional<double> target) {
    return Line{.name = std::move(name),
                .unit = "us",
                .p50 = samples.Percentile(0.5),
                .p99 = samples.Percentile(0.99),
                .target = target};
  };
  const double disk = folder.MebibytesOnDisk();
  const std::string of = std::to_string(chips) + " chips";
  return std::vector<Line>{
      {.name = "store of collateral, disk for " + of, .unit = "MiB", .p50 = disk, .p99 = disk, .target = 100},
      line("  looking up a VCEK, first time since start", first, 1000),
      line("  looking it up again", again, 1000),
      line("  installing one, to durable", install, std::nullopt)};
}

}  // namespace portcullis::bench
