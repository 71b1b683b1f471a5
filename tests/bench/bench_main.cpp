// portcullis-bench: what verification and release cost beside the bare operations of the same run.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "tests/bench/benches.h"

namespace portcullis::bench {
namespace {

int Main(int argc, char** argv) {
  CLI::App app{"Measures Portcullis beside the bare OpenSSL and SQLite operations of the same run."};
  app.footer(
      "Examples:\n  portcullis-bench\n  portcullis-bench verification -o json\n"
      "  portcullis-bench release --timed 500 --releases 0");
  std::vector<std::string> chosen;
  std::string output = "table";
  std::size_t verifications = 3000, chips = 10'000;
  ReleasePlan plan;
  plan.kbs_program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "portcullis-kbs-lab";
  app.add_option("what", chosen, "verification, tdx, store, release; default all")
      ->check(CLI::IsMember({"verification", "tdx", "store", "release"}));
  app.add_option("-o,--output", output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option("--verifications", verifications, "Runs of each verification")->capture_default_str();
  app.add_option("--chips", chips, "VCEKs in the collateral store")->capture_default_str();
  app.add_option("--timed", plan.timed, "Releases that are timed")->capture_default_str();
  app.add_option("--releases", plan.in_all, "Releases in all before memory is read; 0: no memory")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (chosen.empty()) chosen = {"verification", "tdx", "store", "release"};

  const auto started = std::chrono::steady_clock::now();
  const Narrator say = [&](const std::string& line) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started);
    std::cerr << "bench: [" << seconds.count() << " s] " << line << std::endl;
  };
  std::vector<Line> lines;
  for (const std::string& what : chosen) {
    auto more = what == "release" ? BenchRelease(plan, say)
                : what == "tdx"   ? BenchTdx(verifications, say)
                : what == "store" ? BenchStore(chips, say)
                                  : BenchVerification(verifications, say);
    if (!more) {
      std::cerr << "portcullis-bench: " << more.error().ToString() << "\n";
      return 1;
    }
    std::ranges::move(*more, std::back_inserter(lines));
  }
  std::cout << (output == "json" ? codec::ToPrettyText(ToJson(lines)) + "\n" : ToTable(lines));
  return 0;
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) { return portcullis::bench::Main(argc, argv); }
