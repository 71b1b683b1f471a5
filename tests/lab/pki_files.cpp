#include "tests/lab/pki_files.h"

#include <fstream>
#include <iterator>

#include "tests/lab/snp_lab.h"

namespace portcullis::lab {
namespace {

namespace fs = std::filesystem;

constexpr struct {
  snp::Product product;
  const char* folder;
} kProducts[] = {
    {snp::Product::kMilan, "milan"}, {snp::Product::kGenoa, "genoa"}, {snp::Product::kTurin, "turin"}};

Result<ByteBuffer> ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Error{ReasonCode::kConfigurationInvalid, "a file of the lab's PKI is missing", path.string()};
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return ToBuffer(AsBytes(text));
}

Result<> WriteAll(const fs::path& path, Bytes bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  const std::string_view text = AsText(bytes);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out.flush())
    return Error{ReasonCode::kConfigurationInvalid, "can't write the lab's PKI", path.string()};
  return Done{};
}

Result<> MakeFolder(const fs::path& path) {
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) return Error{ReasonCode::kConfigurationInvalid, "can't make the lab's folder", path.string()};
  return Done{};
}

Result<SharedKey> LoadKey(const fs::path& path) {
  const ByteBuffer der = TRY(ReadAll(path));
  const unsigned char* cursor = crypto::Octets(Bytes(der));
  SharedKey key(d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(der.size())), EVP_PKEY_free);
  if (key == nullptr) return Error{ReasonCode::kConfigurationInvalid, "not a private key", path.string()};
  return key;
}

Result<> SaveKey(const fs::path& path, const SharedKey& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(key.get(), &der);
  crypto::Require(size > 0);
  const auto written = WriteAll(path, crypto::ViewOf(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return written;
}

Result<crypto::Certificate> LoadCertificate(const fs::path& path) {
  const ByteBuffer der = TRY(ReadAll(path));
  return crypto::Certificate::Parse(der);
}

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
