// Runs a fuzz target without libFuzzer, the same way each time: FUZZ_TARGET [FOLDER or FILE]...
// Every seed as it is; every truncation and every flipped bit of the small ones; and random bytes from a
// fixed seed. A finding aborts, with the input in the file that was named on stderr before.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

// Of seeds that are cut and flipped, all together: own seeds come first and fit, and each target takes
// seconds.
constexpr std::size_t kMutatedBytes = 6000;
constexpr int kRandomInputs = 2000;
constexpr std::size_t kMaxRandomBytes = 4096;

/// A copy in memory of its own, so that a sanitizer sees a read past the end.
void Run(const Input& input, std::size_t size) {
  const Input exact(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void RunMutations(Input input) {
  for (std::size_t size = 0; size < input.size(); ++size) Run(input, size);
  for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
    input[bit / 8] ^= mask;
    Run(input, input.size());
    input[bit / 8] ^= mask;
  }
}

void RunRandom() {
  std::mt19937_64 engine(20261124);  // NOLINT(cert-msc*): the same inputs in every run is the point
  for (int i = 0; i < kRandomInputs; ++i) {
    Input input(engine() % (kMaxRandomBytes + 1));
    std::ranges::generate(input, [&engine] { return static_cast<std::uint8_t>(engine()); });
    Run(input, input.size());
  }
}

/// In the order of the arguments, and by name within each.
std::vector<std::filesystem::path> SeedFiles(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path path = argv[i];
    const auto first = static_cast<std::ptrdiff_t>(files.size());
    if (std::filesystem::is_regular_file(path)) files.push_back(path);
    if (!std::filesystem::is_directory(path)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin() + first, files.end());
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  const auto files = SeedFiles(argc, argv);
  if (files.empty()) std::cerr << "no seeds: only random inputs are run\n";
  std::size_t mutated = 0, bytes_left = kMutatedBytes;
  for (const auto& file : files) {
    std::cerr << file.string() << "\n";
    std::ifstream in(file, std::ios::binary);
    const Input input((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    Run(input, input.size());
    if (input.size() <= bytes_left) {
      bytes_left -= input.size();
      ++mutated;
      RunMutations(input);
    }
  }
  std::cerr << "random inputs\n";
  RunRandom();
  std::cout << files.size() << " seeds, " << mutated << " of them cut and flipped, " << kRandomInputs
            << " random inputs\n";
}
