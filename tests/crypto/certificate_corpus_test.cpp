// Certificates that others made: all of the vendors' must be read, and of the odd ones those that are
// malformed must not. What is merely unwise (a strange name, an unknown critical extension) is for the checks
// of a chain.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "codec/text.h"
#include "crypto/certificate.h"
#include "tests/support/testdata.h"

namespace portcullis::crypto {
namespace {

/// The certificates of a file, PEM or DER.
std::vector<ByteBuffer> CertificatesOf(const std::filesystem::path& file) {
  const std::string text = test::ReadFile(file);
  if (text.find("-----BEGIN") == std::string::npos) return {ToBuffer(AsBytes(text))};
  std::vector<ByteBuffer> out;
  const auto blocks = codec::ParsePem(text);
  if (!blocks) return out;
  for (const codec::PemBlock& block : *blocks)
    if (block.label == "CERTIFICATE") out.push_back(block.der);
  return out;
}

TEST(VendorCertificates, AreAllRead) {
  std::size_t read = 0, authorities = 0;
  for (const std::string_view folder : {"snp", "tdx", "nvidia", "tpm"}) {
    PORTCULLIS_TESTDATA_OR_SKIP(root, folder);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string name = entry.path().filename().string();
      const std::string extension = entry.path().extension().string();
      const bool other_kind =
          name.find("crl") != name.npos || name.find("Crl") != name.npos || name.starts_with("ocsp");
      if ((extension != ".der" && extension != ".pem") || other_kind) continue;
      for (const ByteBuffer& der : CertificatesOf(entry.path())) {
        const auto certificate = Certificate::Parse(der);
        ASSERT_TRUE(certificate) << entry.path() << ": " << certificate.error().ToString();
        EXPECT_FALSE(certificate->HasUnknownCriticalExtension()) << entry.path();
        ++read;
        authorities += certificate->is_ca();
      }
    }
  }
  EXPECT_GE(read, 130u);
  EXPECT_GE(authorities, 70u);
}

TEST(OddCertificates, AreRefusedWhereTheyAreMalformed) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "x509/malformed");
  const std::map<std::string, std::string> refused = {
      {"badasn1time.pem", "validity is not in a form of RFC 5280"},
      {"ec_no_named_curve.pem", "EC key is not on a named curve"},
      {"invalid_version.pem", "certificate is not version 3"},
      {"v1_cert.pem", "certificate is not version 3"},
      {"verisign_md2_root.pem", "certificate is not version 3"},
      {"negative_serial.pem", "serial number is negative"},
      {"two_basic_constraints.pem", "extension stands there twice"},
  };
  for (const auto& [name, reason] : refused) {
    const auto certificate = Certificate::Parse(CertificatesOf(folder / name).at(0));
    ASSERT_FALSE(certificate) << name;
    EXPECT_EQ(certificate.error().text.view(), reason) << name;
  }
  for (const std::string_view name : {"unsupported_extension_critical.pem", "inhibit_any_policy_negative.pem",
                                      "nc_invalid_ip_netmask.pem", "policy_constraints_explicit.pem"}) {
    const auto certificate = Certificate::Parse(CertificatesOf(folder / name).at(0));
    EXPECT_TRUE(certificate && certificate->HasUnknownCriticalExtension()) << name;
  }
}

TEST(PkitsCertificates, AreReadButForTheMalformedOnes) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "x509/pkits/certs");
  const std::set<std::string> expected = {
      "BadSignedCACert.crt",                      // the signature is not whole bytes
      "InvalidDSASignatureTest6EE.crt",           // so is this
      "InvalidNegativeSerialNumberTest15EE.crt",  //
      "UIDCACert.crt",
      "ValidNameUIDsTest6EE.crt",  // unique identifiers, which RFC 5280 forbids to issue
  };
  std::set<std::string> refused;
  std::size_t read = 0;
  for (const auto& file : test::FilesIn(folder)) {
    if (Certificate::Parse(test::ReadBytes(file)))
      ++read;
    else
      refused.insert(file.filename().string());
  }
  EXPECT_EQ(refused, expected);
  EXPECT_EQ(read, 400u);
}

}  // namespace
}  // namespace portcullis::crypto
