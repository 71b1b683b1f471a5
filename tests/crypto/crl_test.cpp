// Revocation lists that others made: all of the vendors' are read and verified, and of the odd ones those
// that say less than they seem to (deltas, parts, no end) are refused.
#include "crypto/crl.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "codec/text.h"
#include "tests/support/testdata.h"

namespace portcullis::crypto {
namespace {

using test::ReadBytes;

ByteBuffer ListOf(const std::filesystem::path& file) {
  const std::string text = test::ReadFile(file);
  if (text.find("-----BEGIN") == std::string::npos) return ToBuffer(AsBytes(text));
  const auto blocks = codec::ParsePem(text);
  return blocks && !blocks->empty() ? blocks->front().der : ByteBuffer();
}

/// The first certificate of a PEM file, or a DER file's.
Certificate CertificateOf(const std::filesystem::path& file) {
  auto parsed = Certificate::Parse(ListOf(file));
  EXPECT_TRUE(parsed) << file;
  return std::move(parsed).value();
}

TEST(IntelLists, AreReadAndSignedByTheirAuthority) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  PORTCULLIS_TESTDATA_OR_SKIP(roots, "tdx/roots");
  const Certificate root = CertificateOf(roots / "intel-sgx-root-ca.der");
  const Certificate platform = CertificateOf(roots / "intel-sgx-pck-platform-ca.der");
  const Certificate processor = CertificateOf(roots / "intel-sgx-pck-processor-ca.der");
  std::size_t read = 0;
  for (const auto& file : test::FilesIn(folder)) {
    const std::string name = file.filename().string();
    if (!name.starts_with("crl-")) continue;
    const auto list = Crl::Parse(ReadBytes(file));
    ASSERT_TRUE(list) << name << ": " << list.error().ToString();
    const Certificate& issuer = name.starts_with("crl-root")       ? root
                                : name.starts_with("crl-platform") ? platform
                                                                   : processor;
    EXPECT_TRUE(list->IsSignedBy_Ecdsa(issuer)) << name;
    EXPECT_FALSE(list->IsSignedBy_Ecdsa(&issuer == &root ? platform : root)) << name;
    EXPECT_FALSE(list->IsSignedBy_RsaPssSha384(issuer)) << name;
    EXPECT_EQ(list->issuer_common_name(), issuer.subject_common_name()) << name;
    EXPECT_FALSE(list->Lists(platform)) << name;
    ++read;
  }
  EXPECT_EQ(read, 7u);
}

TEST(IntelLists, SayWhatTheyList) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  const auto platform = Crl::Parse(ReadBytes(folder / "crl-platform-20260218.der"));
  ASSERT_TRUE(platform);
  EXPECT_EQ(platform->size(), 57u);
  EXPECT_EQ(FormatTimestamp(platform->this_update()), "2026-02-18T10:41:15Z");
  EXPECT_EQ(FormatTimestamp(platform->next_update()), "2026-03-20T10:41:15Z");
  EXPECT_TRUE(platform->CurrentAt(platform->this_update()));
  EXPECT_TRUE(platform->CurrentAt(platform->next_update()));
  EXPECT_FALSE(platform->CurrentAt(platform->this_update() - std::chrono::seconds(1)));
  EXPECT_FALSE(platform->CurrentAt(platform->next_update() + std::chrono::seconds(1)));
  const auto processor = Crl::Parse(ReadBytes(folder / "crl-processor-20250619.der"));
  ASSERT_TRUE(processor);
  EXPECT_EQ(processor->size(), 0u);
}

TEST(AmdProfileLists, AreSignedWithRsaPssByTheRootAndNameTheIntermediate) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/synthetic/crl");
  const std::filesystem::path roots = folder.parent_path() / "roots" / "milan";
  const Certificate ark = CertificateOf(roots / "ark.der"), ask = CertificateOf(roots / "ask.der");
  const auto parsed = [&](std::string_view name) {
    auto list = Crl::Parse(ReadBytes(folder / name));
    EXPECT_TRUE(list) << name << ": " << list.error().ToString();
    return std::move(list).value();
  };
  const Crl empty = parsed("crl-empty.der"), revoked = parsed("crl-ask-revoked.der");
  EXPECT_TRUE(empty.IsSignedBy_RsaPssSha384(ark));
  EXPECT_FALSE(empty.IsSignedBy_RsaPssSha384(ask));
  EXPECT_FALSE(empty.IsSignedBy_Ecdsa(ark));
  EXPECT_FALSE(parsed("crl-wrong-signer.der").IsSignedBy_RsaPssSha384(ark));
  EXPECT_FALSE(empty.Lists(ask));
  EXPECT_TRUE(revoked.Lists(ask));
  EXPECT_FALSE(revoked.Lists(ark));
}

TEST(Crl, IsNotSignedOnceAByteOfItChanged) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/collateral");
  PORTCULLIS_TESTDATA_OR_SKIP(roots, "tdx/roots");
  const Certificate root = CertificateOf(roots / "intel-sgx-root-ca.der");
  const ByteBuffer good = ReadBytes(folder / "crl-root-20250320.der");
  ASSERT_TRUE(Crl::Parse(good)->IsSignedBy_Ecdsa(root));
  for (std::size_t at = 0; at < good.size(); ++at) {
    ByteBuffer bad = good;
    bad[at] ^= std::byte{0x01};
    const auto list = Crl::Parse(bad);
    EXPECT_FALSE(list && list->IsSignedBy_Ecdsa(root)) << "byte " << at;
  }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Crl::Parse(Bytes(good).first(size)));
  ByteBuffer longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Crl::Parse(longer));
}

TEST(OddLists, AreRefusedWhereTheySayLessThanTheySeemTo) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "x509/malformed");
  const std::map<std::string, std::string> refused = {
      {"crl_bad_version.pem", "revocation list is not version 2"},
      {"crl_delta_crl_indicator.pem", "revocation list has a critical extension"},
      {"crl_dup_entry_ext.pem", "extension stands there twice"},
      {"crl_idp_fullname_indirect_crl.pem", "revocation list has a critical extension"},
      {"crl_idp_fullname_only_aa.pem", "revocation list has a critical extension"},
      {"crl_idp_only_ca.pem", "revocation list has a critical extension"},
      {"crl_idp_reasons_only.pem", "revocation list has a critical extension"},
      {"crl_no_next_update.pem", "revocation list has no nextUpdate"},
      {"crl_md2_unknown_crit_entry_ext.pem", "revocation list has a critical extension"},
  };
  for (const auto& [name, reason] : refused) {
    const auto list = Crl::Parse(ListOf(folder / name));
    ASSERT_FALSE(list) << name;
    EXPECT_EQ(list.error().text.view(), reason) << name;
  }
  EXPECT_FALSE(Crl::Parse(ListOf(folder / "crl_invalid_time.der")));
  for (const std::string_view name :
       {"crl_all_reasons.pem", "crl_ian_aia_aki.pem", "valid_signature_crl.pem"})
    EXPECT_TRUE(Crl::Parse(ListOf(folder / name))) << name;
}

TEST(PkitsLists, AreReadButForTheMalformedAndThePartialOnes) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "x509/pkits/crls");
  const std::set<std::string_view> not_partial = {"BadCRLSignatureCACRL", "NegativeSerialNumberCACRL"};
  std::size_t read = 0, refused = 0;
  for (const auto& file : test::FilesIn(folder)) {
    const std::string name = file.stem().string();
    const auto list = Crl::Parse(ReadBytes(file));
    if (list) {
      ++read;
      EXPECT_FALSE(name.starts_with("only") || name.starts_with("indirect") || name.starts_with("Unknown") ||
                   name.ends_with("deltaCRL"))
          << name;
      continue;
    }
    ++refused;
    EXPECT_EQ(list.error().text.view() == "revocation list has a critical extension",
              !not_partial.contains(name))
        << name << ": " << list.error().ToString();
  }
  EXPECT_EQ(refused, 28u);
  EXPECT_EQ(read, 145u);
}

}  // namespace
}  // namespace portcullis::crypto
