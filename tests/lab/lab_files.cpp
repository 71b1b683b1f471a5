#include "tests/lab/lab_files.h"

#include <fstream>
#include <iterator>

namespace portcullis::lab {

namespace fs = std::filesystem;

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

}  // namespace portcullis::lab
