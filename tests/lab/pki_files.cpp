#include "tests/lab/pki_files.h"

#include "tests/lab/lab_files.h"
#include "tests/lab/snp_lab.h"

namespace portcullis::lab {
namespace {

namespace fs = std::filesystem;

constexpr struct {
  snp::Product product;
  const char* folder;
} kProducts[] = {
    {snp::Product::kMilan, "milan"}, {snp::Product::kGenoa, "genoa"}, {snp::Product::kTurin, "turin"}};

}  // namespace

Result<PkiKeys> LoadKeys(const fs::path& folder) {
  auto ark = TRY(LoadKey(folder / "ark.key"));
  auto ask = TRY(LoadKey(folder / "ask.key"));
  auto asvk = TRY(LoadKey(folder / "asvk.key"));
  return PkiKeys{std::move(ark), std::move(ask), std::move(asvk)};
}

Result<> SaveKeys(const fs::path& folder, const PkiKeys& keys) {
  TRY(MakeFolder(folder));
  TRY(SaveKey(folder / "ark.key", keys.ark));
  TRY(SaveKey(folder / "ask.key", keys.ask));
  return SaveKey(folder / "asvk.key", keys.asvk);
}

Result<> SaveAnchors(const fs::path& folder, const snp::TrustAnchors& anchors) {
  for (const auto& [product, name] : kProducts) {
    const snp::ProductAnchors* found = anchors.For(product);
    if (found == nullptr) continue;
    TRY(MakeFolder(folder / name));
    TRY(WriteAll(folder / name / "ark.der", found->ark.der()));
    TRY(WriteAll(folder / name / "ask.der", found->ask.der()));
    TRY(WriteAll(folder / name / "asvk.der", found->asvk.der()));
  }
  return Done{};
}

Result<snp::TrustAnchors> LoadAnchors(const fs::path& folder) {
  snp::TrustAnchors out;
  for (const auto& [product, name] : kProducts) {
    auto ark = TRY(LoadCertificate(folder / name / "ark.der"));
    auto ask = TRY(LoadCertificate(folder / name / "ask.der"));
    auto asvk = TRY(LoadCertificate(folder / name / "asvk.der"));
    out.products.push_back({product, std::move(ark), std::move(ask), std::move(asvk)});
  }
  return out;
}

}  // namespace portcullis::lab
