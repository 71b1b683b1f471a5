// Signatures of certificates: AMD's real chains, and every way to sign that is not AMD's.
#include <gtest/gtest.h>

#include <map>

#include "codec/text.h"
#include "crypto/certificate.h"
#include "crypto/openssl.h"
#include "tests/crypto/der_tree.h"
#include "tests/support/testdata.h"

namespace portcullis::crypto {
namespace {

using std::string_view_literals::operator""sv;
using test::Constructed;
using test::DerNode;
using test::Encode;
using test::ParseTree;
using test::Primitive;
using test::Tbs;

Certificate Load(const std::filesystem::path& file) {
  auto certificate = Certificate::Parse(test::ReadBytes(file));
  EXPECT_TRUE(certificate) << file;
  return std::move(certificate).value();
}

struct Product {
  std::string folder;
  std::string name;
  std::string ark_sha256, ark_spki_sha256;
};

class AmdRoots : public testing::TestWithParam<Product> {};
INSTANTIATE_TEST_SUITE_P(
    Products, AmdRoots,
    testing::Values(
        Product{"milan", "Milan", "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
                "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"},
        Product{"genoa", "Genoa", "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
                "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"},
        Product{"turin", "Turin", "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
                "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST_P(AmdRoots, ChainByPssAndByNothingElse) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/roots/" + GetParam().folder);
  const Certificate ark = Load(folder / "ark.der");
  EXPECT_EQ(codec::EncodeHex(ark.fingerprint().bytes()), GetParam().ark_sha256);
  EXPECT_EQ(codec::EncodeHex(ark.spki_fingerprint().bytes()), GetParam().ark_spki_sha256);
  EXPECT_EQ(ark.subject_common_name(), "ARK-" + GetParam().name);
  EXPECT_TRUE(ark.IsSignedBy_RsaPssSha384(ark));
  EXPECT_FALSE(ark.IsSignedBy_Ecdsa(ark));
  EXPECT_FALSE(ark.ec_key());
  for (const auto& [file, name] : {std::pair("ask.der", "SEV-"), std::pair("asvk.der", "SEV-VLEK-")}) {
    const Certificate authority = Load(folder / file);
    EXPECT_EQ(authority.subject_common_name(), name + GetParam().name);
    EXPECT_EQ(authority.issuer_common_name(), "ARK-" + GetParam().name);
    EXPECT_TRUE(authority.is_ca());
    EXPECT_FALSE(authority.HasUnknownCriticalExtension());
    EXPECT_TRUE(authority.IsSignedBy_RsaPssSha384(ark));
    EXPECT_FALSE(authority.IsSignedBy_RsaPssSha384(authority));
    EXPECT_FALSE(ark.IsSignedBy_RsaPssSha384(authority)) << "swapped";
  }
}

TEST(AmdRootsOfAllProducts, AreNotEachOthersIssuers) {  // hazards X16
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/roots");
  for (const std::string_view product : {"milan", "genoa", "turin"}) {
    for (const std::string_view other : {"milan", "genoa", "turin"}) {
      EXPECT_EQ(Load(folder / product / "ask.der").IsSignedBy_RsaPssSha384(Load(folder / other / "ark.der")),
                product == other);
    }
  }
}

TEST(AmdLeaves, ChainToTheAuthorityOfTheirKindAndProduct) {
  PORTCULLIS_TESTDATA_OR_SKIP(snp, "snp");
  std::size_t leaves = 0;
  for (const auto& folder : std::filesystem::directory_iterator(snp)) {
    for (const auto& [file, authority_file] :
         {std::pair("vcek.der", "ask.der"), std::pair("vlek.der", "asvk.der")}) {
      const auto path = folder.path() / file;
      if (!std::filesystem::exists(path)) continue;
      SCOPED_TRACE(path);
      const Certificate leaf = Load(path);
      ASSERT_TRUE(leaf.ec_key());
      EXPECT_EQ(leaf.ec_key()->curve(), Curve::kP384);
      EXPECT_EQ(leaf.serial(), 0u);
      EXPECT_FALSE(leaf.is_ca());
      std::size_t issuers = 0;
      for (const std::string_view product : {"milan", "genoa", "turin"})
        for (const std::string_view candidate : {"ark.der", "ask.der", "asvk.der"}) {
          const bool issued = leaf.IsSignedBy_RsaPssSha384(Load(snp / "roots" / product / candidate));
          issuers += issued;
          if (issued) {
            EXPECT_EQ(candidate, authority_file);
          }
        }
      EXPECT_EQ(issuers, 1u);
      ++leaves;
    }
  }
  EXPECT_GE(leaves, 20u);
}

TEST(AmdLeaves, WithABadIssuerSignatureAreRefused) {
  PORTCULLIS_TESTDATA_OR_SKIP(snp, "snp");
  const Certificate leaf = Load(snp / "vcek-bad-issuer-signature-legacy.der");
  for (const std::string_view product : {"milan", "genoa", "turin"})
    EXPECT_FALSE(leaf.IsSignedBy_RsaPssSha384(Load(snp / "roots" / product / "ask.der")));
}

TEST(AmdLeaves, NoticeAFlippedBitAnywhere) {
  PORTCULLIS_TESTDATA_OR_SKIP(snp, "snp");
  const Certificate authority = Load(snp / "roots/milan/ask.der");
  const ByteBuffer der = test::ReadBytes(snp / "milan-v2-fw1.52/vcek.der");
  ASSERT_TRUE(Certificate::Parse(der).value().IsSignedBy_RsaPssSha384(authority));
  std::size_t parsed = 0;
  for (std::size_t i = 0; i < der.size(); ++i) {
    ByteBuffer changed = der;
    changed[i] ^= std::byte{1};
    const auto certificate = Certificate::Parse(changed);
    if (!certificate) continue;
    EXPECT_FALSE(certificate->IsSignedBy_RsaPssSha384(authority)) << i;
    ++parsed;
  }
  EXPECT_GT(parsed, der.size() / 2) << "most flips must get as far as the signature";
}

TEST(VerifyP384, ChecksARealReportAndNoticesChanges) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "snp/milan-v2-fw1.52");
  const Certificate leaf = Load(folder / "vcek.der");
  const ByteBuffer report = test::ReadBytes(folder / "report.bin");
  const Bytes message = Bytes(report).first(0x2A0);
  ByteBuffer r(report.begin() + 0x2A0, report.begin() + 0x2A0 + 48),
      s(report.begin() + 0x2E8, report.begin() + 0x318);
  std::ranges::reverse(r);
  std::ranges::reverse(s);
  EXPECT_TRUE(VerifyP384(leaf, message, r, s));
  EXPECT_FALSE(VerifyP384(leaf, message, s, r));
  EXPECT_FALSE(VerifyP384(leaf, Bytes(message).first(0x29F), r, s));
  const ByteBuffer zero(48), order = codec::DecodeHex(
                                         "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
                                         "581a0db248b0a77aecec196accc52973")
                                         .value();
  for (const ByteBuffer& number : {zero, order, ByteBuffer(48, std::byte{0xFF}), ByteBuffer()}) {
    EXPECT_FALSE(VerifyP384(leaf, message, number, s));
    EXPECT_FALSE(VerifyP384(leaf, message, r, number));
  }
  ByteBuffer longer = r;
  longer.insert(longer.begin(), std::byte{0});
  EXPECT_FALSE(VerifyP384(leaf, message, longer, s)) << "49 bytes";
  EXPECT_FALSE(VerifyP384(Load(folder.parent_path() / "genoa-v5-gcp/vcek.der"), message, r, s));
  EXPECT_FALSE(VerifyP384(Load(folder.parent_path() / "roots/milan/ark.der"), message, r, s));
}

// Below: a self-signed RSA certificate that is really signed in each way, so that only the profile can refuse
// it.

struct Scheme {
  std::string_view name;
  const char* hash = "SHA384";
  const char* mask_hash = "SHA384";
  int salt = 48;
  bool pss = true;
  bool accepted = false;
  // Bends the AlgorithmIdentifier before both copies of it are written and signed.
  void (*bend)(DerNode&) = nullptr;
};

DerNode HashAlgorithm(std::string_view object_id) {
  return Constructed(0x30, {Primitive(0x06, object_id), Primitive(0x05, "")});
}

std::string_view HashOid(std::string_view name) {
  if (name == "SHA1") return "\x2b\x0e\x03\x02\x1a"sv;
  if (name == "SHA256") return "\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv;
  if (name == "SHA384") return "\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv;
  return "\x60\x86\x48\x01\x65\x03\x04\x02\x03"sv;
}

DerNode AlgorithmOf(const Scheme& scheme) {
  if (!scheme.pss)  // sha384WithRSAEncryption
    return Constructed(0x30,
                       {Primitive(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"sv), Primitive(0x05, "")});
  const DerNode mask = Constructed(0x30, {Primitive(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"sv),
                                          HashAlgorithm(HashOid(scheme.mask_hash))});
  const std::string salt(1, static_cast<char>(scheme.salt));
  DerNode algorithm = Constructed(
      0x30, {Primitive(0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"sv),
             Constructed(0x30, {Constructed(0xA0, {HashAlgorithm(HashOid(scheme.hash))}),
                                Constructed(0xA1, {mask}), Constructed(0xA2, {Primitive(0x02, salt)})})});
  if (scheme.bend != nullptr) scheme.bend(algorithm);
  return algorithm;
}

EVP_PKEY* RsaKey(std::size_t bits) {
  static std::map<std::size_t, KeyPtr> keys;
  KeyPtr& key = keys[bits];
  if (key == nullptr) key.reset(EVP_RSA_gen(static_cast<unsigned int>(bits)));
  return key.get();
}

ByteBuffer SignWith(EVP_PKEY* key, const Scheme& scheme, Bytes message) {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), &options, scheme.hash, nullptr, nullptr, key, nullptr), 1);
  if (scheme.pss) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md_name(options, scheme.mask_hash, nullptr), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, scheme.salt), 1);
  }
  ByteBuffer signature(1024);
  std::size_t size = signature.size();
  EXPECT_EQ(
      EVP_DigestSign(context.get(), Octets(std::span(signature)), &size, Octets(message), message.size()), 1);
  signature.resize(size);
  return signature;
}

ByteBuffer SelfSigned(EVP_PKEY* key, const Scheme& scheme) {
  const WallTime now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto issued = IssueCertificate({.common_name = "Test root",
                                        .dns_names = {},
                                        .ip_addresses = {},
                                        .uris = {},
                                        .is_ca = true,
                                        .not_before = now,
                                        .not_after = now + std::chrono::hours(1)});
  DerNode tree = ParseTree(issued.value().certificate_der);
  unsigned char* spki = nullptr;
  const int spki_size = i2d_PUBKEY(key, &spki);
  Tbs(tree).at(test::kTbsPublicKey) = ParseTree(ViewOf(spki, static_cast<std::size_t>(spki_size)));
  OPENSSL_free(spki);
  Tbs(tree).at(test::kTbsAlgorithm) = tree.at(1) = AlgorithmOf(scheme);
  ByteBuffer bits{std::byte{0}};
  Append(bits, SignWith(key, scheme, Encode(Tbs(tree))));
  tree.at(2).content = bits;
  return Encode(tree);
}

DerNode& PssParameter(DerNode& algorithm, std::size_t index) { return algorithm.at(1).at(index); }

constexpr Scheme kSchemes[] = {
    {.name = "AmdsLeaves", .accepted = true},
    {.name = "AmdsRootsWithTrailerSpeltOut",
     .accepted = true,
     .bend = [](DerNode& a) { a.at(1).children.push_back(Constructed(0xA3, {Primitive(0x02, "\x01"sv)})); }},
    {.name = "HashParametersAbsent",
     .accepted = true,
     .bend =
         [](DerNode& a) {
           PssParameter(a, 0).at(0).children.pop_back();
           PssParameter(a, 1).at(0).at(1).children.pop_back();
         }},
    {.name = "X8_Salt32", .salt = 32},
    {.name = "X8_Salt20", .salt = 20},
    {.name = "X8_Salt0", .salt = 0},
    {.name = "X8_Sha256", .hash = "SHA256", .mask_hash = "SHA256", .salt = 32},
    {.name = "X8_Sha256Salt48", .hash = "SHA256", .mask_hash = "SHA256"},
    {.name = "X8_Sha512Salt48", .hash = "SHA512", .mask_hash = "SHA512"},
    {.name = "X8_MaskOfSha256", .mask_hash = "SHA256"},
    {.name = "X8_MaskOfSha1", .mask_hash = "SHA1"},
    {.name = "X9_Sha1Throughout", .hash = "SHA1", .mask_hash = "SHA1", .salt = 20},
    {.name = "X8_Trailer2",
     .bend = [](DerNode& a) { a.at(1).children.push_back(Constructed(0xA3, {Primitive(0x02, "\x02"sv)})); }},
    {.name = "X8_ParametersAbsent", .bend = [](DerNode& a) { a.children.pop_back(); }},
    {.name = "X8_ParametersNull", .bend = [](DerNode& a) { a.at(1) = Primitive(0x05, ""); }},
    {.name = "X8_ParametersEmpty", .bend = [](DerNode& a) { a.at(1).children.clear(); }},
    {.name = "X8_HashDefaulted",
     .bend = [](DerNode& a) { a.at(1).children.erase(a.at(1).children.begin()); }},
    {.name = "X8_MaskDefaulted",
     .bend = [](DerNode& a) { a.at(1).children.erase(a.at(1).children.begin() + 1); }},
    {.name = "X8_SaltDefaulted", .bend = [](DerNode& a) { a.at(1).children.pop_back(); }},
    {.name = "X8_SaltSaysOther",
     .bend = [](DerNode& a) { PssParameter(a, 2).at(0) = Primitive(0x02, "\x20"sv); }},
    {.name = "X8_UnknownParameter",
     .bend = [](DerNode& a) { a.at(1).children.push_back(Constructed(0xA4, {Primitive(0x02, "\x01"sv)})); }},
    {.name = "X8_MaskIsNoMgf1",
     .bend = [](DerNode& a) { PssParameter(a, 1).at(0).at(0) = Primitive(0x06, HashOid("SHA384")); }},
    {.name = "X9_Pkcs1", .pss = false},
};

class Schemes : public testing::TestWithParam<Scheme> {};
INSTANTIATE_TEST_SUITE_P(All, Schemes, testing::ValuesIn(kSchemes),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(Schemes, AreAcceptedOnlyInAmdsProfile) {
  const auto certificate = Certificate::Parse(SelfSigned(RsaKey(2048), GetParam()));
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->IsSignedBy_RsaPssSha384(*certificate), GetParam().accepted);
  EXPECT_FALSE(certificate->IsSignedBy_Ecdsa(*certificate));
}

TEST(RsaKeys, OutsideTheProfileAreRefused) {  // hazards X15
  const auto accepted = [](EVP_PKEY* key) {
    const auto certificate = Certificate::Parse(SelfSigned(key, kSchemes[0]));
    return certificate && certificate->IsSignedBy_RsaPssSha384(*certificate);
  };
  EXPECT_TRUE(accepted(RsaKey(2048)));
  EXPECT_FALSE(accepted(RsaKey(1024)));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  const BignumPtr three(BN_new());
  ASSERT_EQ(BN_set_word(three.get(), 3), 1);
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), three.get()), 1);
  EVP_PKEY* raw = nullptr;
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &raw), 1);
  EXPECT_FALSE(accepted(KeyPtr(raw).get())) << "exponent 3";
}

}  // namespace
}  // namespace portcullis::crypto
