// What Certificate::Parse refuses, each shown on a certificate that is good but for one bend (hazards X1 to
// X7, X10, X15, X19).
#include <gtest/gtest.h>

#include "codec/text.h"
#include "crypto/certificate.h"
#include "tests/crypto/der_tree.h"

namespace portcullis::crypto {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;
using test::Constructed;
using test::DerNode;
using test::Encode;
using test::ExtensionOf;
using test::Extensions;
using test::ParseTree;
using test::Primitive;
using test::Tbs;

constexpr auto kBasicConstraints = "\x55\x1d\x13"sv;
constexpr auto kKeyUsage = "\x55\x1d\x0f"sv;
constexpr auto kPrivateExtension = "\x2b\x06\x01\x04\x01\x9c\x78\x01\x01"sv;  // 1.3.6.1.4.1.3704.1.1

WallTime Time(int year) { return WallTime(std::chrono::sys_days(std::chrono::year(year) / 1 / 2)); }

const DerNode& GoodTree() {
  static const DerNode kTree = [] {
    const auto issued = IssueCertificate({.common_name = "Test root",
                                          .dns_names = {},
                                          .ip_addresses = {},
                                          .uris = {},
                                          .is_ca = true,
                                          .not_before = Time(2024),
                                          .not_after = Time(2034)});
    return ParseTree(issued.value().certificate_der);
  }();
  return kTree;
}

DerNode Extension(std::string_view object_id, std::vector<DerNode> critical, std::string_view value) {
  std::vector<DerNode> parts{Primitive(kDerObjectId, object_id)};
  parts.insert(parts.end(), critical.begin(), critical.end());
  parts.push_back(Primitive(kDerOctetString, value));
  return Constructed(kDerSequence, std::move(parts));
}
DerNode True() { return Primitive(kDerBoolean, "\xff"sv); }

Result<Certificate> Bent(void (*bend)(DerNode&)) {
  DerNode tree = GoodTree();
  bend(tree);
  return Certificate::Parse(Encode(tree));
}

struct Bend {
  std::string_view name;
  void (*bend)(DerNode&);
};

constexpr Bend kRefused[] = {
    {"X2_LengthPaddedOutside", [](DerNode& c) { c.padded_length = true; }},
    {"X2_LengthPaddedInside", [](DerNode& c) { Tbs(c).padded_length = true; }},
    {"X2_LengthPaddedInName", [](DerNode& c) { Tbs(c).at(test::kTbsSubject).at(0).padded_length = true; }},
    {"X2_LengthPaddedInSignature", [](DerNode& c) { c.at(2).padded_length = true; }},
    {"X2_SerialWithLeadingZero",
     [](DerNode& c) { Tbs(c).at(test::kTbsSerial) = Primitive(kDerInteger, "\x00\x11"sv); }},
    {"X2_CriticalAsOne",
     [](DerNode& c) {
       Extensions(c).children.push_back(
           Extension(kPrivateExtension, {Primitive(kDerBoolean, "\x01"sv)}, "v"));
     }},
    {"X2_CriticalFalseSpeltOut",
     [](DerNode& c) {
       Extensions(c).children.push_back(
           Extension(kPrivateExtension, {Primitive(kDerBoolean, "\x00"sv)}, "v"));
     }},
    {"X2_ExtensionValueConstructed",
     [](DerNode& c) {
       DerNode& value = ExtensionOf(c, kBasicConstraints).children.back();
       value = Constructed(0x24, {value});
     }},
    {"X2_SignatureNotWholeBytes",
     [](DerNode& c) {
       c.at(2).content = {std::byte{4}, std::byte{0xF0}};
     }},
    {"X3_VersionAbsent", [](DerNode& c) { Tbs(c).children.erase(Tbs(c).children.begin()); }},
    {"X3_Version1",
     [](DerNode& c) { Tbs(c).at(test::kTbsVersion).at(0) = Primitive(kDerInteger, "\x00"sv); }},
    {"X3_Version2",
     [](DerNode& c) { Tbs(c).at(test::kTbsVersion).at(0) = Primitive(kDerInteger, "\x01"sv); }},
    {"X3_Version4",
     [](DerNode& c) { Tbs(c).at(test::kTbsVersion).at(0) = Primitive(kDerInteger, "\x03"sv); }},
    {"X3_Version255",
     [](DerNode& c) { Tbs(c).at(test::kTbsVersion).at(0) = Primitive(kDerInteger, "\x00\xff"sv); }},
    {"X4_SerialNegative", [](DerNode& c) { Tbs(c).at(test::kTbsSerial) = Primitive(kDerInteger, "\x80"sv); }},
    {"X4_SerialOf21Bytes",
     [](DerNode& c) { Tbs(c).at(test::kTbsSerial) = Primitive(kDerInteger, std::string(21, '\x11')); }},
    {"X4_SerialOf21BytesAndSign",
     [](DerNode& c) {
       Tbs(c).at(test::kTbsSerial) = Primitive(kDerInteger, "\x00"s + std::string(21, '\x91'));
     }},
    {"X5_ExtensionTwice",
     [](DerNode& c) { Extensions(c).children.push_back(ExtensionOf(c, kBasicConstraints)); }},
    {"X5_UnknownExtensionTwice",
     [](DerNode& c) {
       Extensions(c).children.push_back(Extension(kPrivateExtension, {}, "one"));
       Extensions(c).children.push_back(Extension(kPrivateExtension, {}, "two"));
     }},
    {"X5_ExtensionsEmpty", [](DerNode& c) { Extensions(c).children.clear(); }},
    {"X5_ExtensionsTwice", [](DerNode& c) { Tbs(c).children.push_back(Tbs(c).at(test::kTbsExtensions)); }},
    {"X5_BasicConstraintsMalformed",
     [](DerNode& c) { ExtensionOf(c, kBasicConstraints).children.back().content = {std::byte{1}}; }},
    {"X7_OuterAlgorithmDiffers",
     [](DerNode& c) { c.at(1).at(0) = Primitive(kDerObjectId, "\x2a\x86\x48\xce\x3d\x04\x03\x03"sv); }},
    {"X7_OuterParametersDiffer", [](DerNode& c) { c.at(1).children.push_back(Primitive(kDerNull, "")); }},
    {"X10_TimeWithoutSeconds",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(0) = Primitive(0x17, "2401020000Z"); }},
    {"X10_TimeWithOffset",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(0) = Primitive(0x17, "240102000000+0100"); }},
    {"X10_TimeWithFraction",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(1) = Primitive(0x18, "20340102000000.5Z"); }},
    {"X10_TimeWithoutZone",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(1) = Primitive(0x18, "20340102000000"); }},
    {"X10_TimeOfTheWrongType",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(1) = Primitive(0x16, "340102000000Z"); }},
    {"X10_February30",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(0) = Primitive(0x17, "240230000000Z"); }},
    {"X10_Hour24",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(0) = Primitive(0x17, "240102240000Z"); }},
    {"X10_TimeWithLetters",
     [](DerNode& c) { Tbs(c).at(test::kTbsValidity).at(0) = Primitive(0x17, "24010200000xZ"); }},
    {"X10_ThirdTime",
     [](DerNode& c) {
       DerNode& validity = Tbs(c).at(test::kTbsValidity);
       validity.children.push_back(validity.at(0));
     }},
    {"X15_EcKeyWithoutCurve", [](DerNode& c) { Tbs(c).at(test::kTbsPublicKey).at(0).children.pop_back(); }},
    {"X15_EcKeyWithExplicitCurve",
     [](DerNode& c) { Tbs(c).at(test::kTbsPublicKey).at(0).at(1) = Constructed(kDerSequence, {}); }},
    {"X19_IssuerEmpty", [](DerNode& c) { Tbs(c).at(test::kTbsIssuer).children.clear(); }},
    {"IssuerIsNoName", [](DerNode& c) { Tbs(c).at(test::kTbsIssuer) = Primitive(kDerNull, ""); }},
    {"UniqueIdentifier",
     [](DerNode& c) {
       auto& fields = Tbs(c).children;
       fields.insert(fields.begin() + test::kTbsExtensions, Primitive(0x81, "\x00\x11"sv));
     }},
    {"FourthPart", [](DerNode& c) { c.children.push_back(Primitive(kDerNull, "")); }},
    {"SignatureMissing", [](DerNode& c) { c.children.pop_back(); }},
    {"TooLarge",
     [](DerNode& c) {
       Extensions(c).children.push_back(
           Extension(kPrivateExtension, {}, std::string(kMaxCertificateBytes, 'v')));
     }},
};

class RefusedCertificates : public testing::TestWithParam<Bend> {};
INSTANTIATE_TEST_SUITE_P(All, RefusedCertificates, testing::ValuesIn(kRefused),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(RefusedCertificates, ForThisBendAlone) {
  ASSERT_TRUE(Certificate::Parse(Encode(GoodTree())));
  const auto certificate = Bent(GetParam().bend);
  ASSERT_FALSE(certificate);
  EXPECT_EQ(certificate.error().code, ReasonCode::kEvidenceMalformed);
}

TEST(CertificateParse, RefusesTrailingBytesAndEveryTruncation) {  // hazards X1
  const ByteBuffer der = Encode(GoodTree());
  for (std::size_t length = 0; length < der.size(); ++length)
    EXPECT_FALSE(Certificate::Parse(Bytes(der).first(length))) << length;
  ByteBuffer longer = der;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Certificate::Parse(longer));
  ByteBuffer twice = der;
  Append(twice, der);
  EXPECT_FALSE(Certificate::Parse(twice));
}

TEST(CertificateParse, AcceptsWhatAmdAndIntelIssue) {
  // AMD's leaves: serial zero, no basicConstraints, no key identifiers.
  const auto leaf = Bent([](DerNode& c) {
    Tbs(c).at(test::kTbsSerial) = Primitive(kDerInteger, "\x00"sv);
    Extensions(c).children = {Extension(kPrivateExtension, {}, "\x02\x01\x00"sv)};
  });
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->serial(), 0u);
  EXPECT_FALSE(leaf->is_ca());
  EXPECT_EQ(codec::EncodeHex(leaf->Extension("1.3.6.1.4.1.3704.1.1").value()), "020100");
  EXPECT_FALSE(leaf->Extension("1.3.6.1.4.1.3704.1.2"));
  EXPECT_FALSE(leaf->Extension("not an identifier"));
  // Intel's authorities: 160 bits of serial number.
  const auto authority = Bent([](DerNode& c) {
    Tbs(c).at(test::kTbsSerial) = Primitive(kDerInteger, "\x00"s + std::string(20, '\x91'));
  });
  ASSERT_TRUE(authority);
  EXPECT_EQ(authority->serial(), UINT64_MAX);
  // No extensions at all is a matter for the checks.
  EXPECT_TRUE(Bent([](DerNode& c) { Tbs(c).children.pop_back(); }));
}

TEST(CertificateParse, ReadsBothFormsOfTime) {
  const auto certificate = Bent([](DerNode& c) {
    Tbs(c).at(test::kTbsValidity).at(0) = Primitive(0x17, "500102030405Z");
    Tbs(c).at(test::kTbsValidity).at(1) = Primitive(0x18, "99991231235959Z");
  });
  ASSERT_TRUE(certificate);
  EXPECT_EQ(FormatTimestamp(certificate->not_before()), "1950-01-02T03:04:05Z");
  EXPECT_EQ(FormatTimestamp(certificate->not_after()), "9999-12-31T23:59:59Z");
}

TEST(Certificate, IsValidFromItsFirstToItsLastSecond) {
  const Certificate certificate = Certificate::Parse(Encode(GoodTree())).value();
  using std::chrono::seconds;
  EXPECT_FALSE(certificate.ValidAt(Time(2024) - seconds(1)));
  EXPECT_TRUE(certificate.ValidAt(Time(2024)));
  EXPECT_TRUE(certificate.ValidAt(Time(2034)));
  EXPECT_FALSE(certificate.ValidAt(Time(2034) + seconds(1)));
}

TEST(Certificate, KnowsCriticalExtensionsThatNobodyChecks) {  // hazards X6
  EXPECT_FALSE(Certificate::Parse(Encode(GoodTree())).value().HasUnknownCriticalExtension());
  EXPECT_FALSE(
      Bent([](DerNode& c) { Extensions(c).children.push_back(Extension(kPrivateExtension, {}, "v")); })
          .value()
          .HasUnknownCriticalExtension());
  EXPECT_TRUE(
      Bent([](DerNode& c) { Extensions(c).children.push_back(Extension(kPrivateExtension, {True()}, "v")); })
          .value()
          .HasUnknownCriticalExtension());
}

constexpr Bend kNoAuthority[] = {
    {"X11_ConstraintsAbsent",
     [](DerNode& c) {
       std::erase_if(Extensions(c).children, [](const DerNode& extension) {
         return AsText(extension.children.at(0).content) == kBasicConstraints;
       });
     }},
    {"X11_ConstraintsNotCritical",
     [](DerNode& c) {
       auto& parts = ExtensionOf(c, kBasicConstraints).children;
       parts.erase(parts.begin() + 1);
     }},
    {"X11_AuthorityFalse",
     [](DerNode& c) {
       ExtensionOf(c, kBasicConstraints).children.back() = Primitive(kDerOctetString, "\x30\x00"sv);
     }},
    {"X11_KeyUsageAbsent",
     [](DerNode& c) {
       std::erase_if(Extensions(c).children, [](const DerNode& extension) {
         return AsText(extension.children.at(0).content) == kKeyUsage;
       });
     }},
    {"X11_KeyUsageWithoutCertSign",
     [](DerNode& c) {
       ExtensionOf(c, kKeyUsage).children.back() = Primitive(kDerOctetString, "\x03\x02\x01\x02"sv);
     }},
};

class NoAuthority : public testing::TestWithParam<Bend> {};
INSTANTIATE_TEST_SUITE_P(All, NoAuthority, testing::ValuesIn(kNoAuthority),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(NoAuthority, ForThisBendAlone) {
  ASSERT_TRUE(Certificate::Parse(Encode(GoodTree())).value().is_ca());
  EXPECT_FALSE(Bent(GetParam().bend).value().is_ca());
}

TEST(Certificate, HasNoEcKeyWhereThePointIsNotWholeOrNotOnAKnownCurve) {  // hazards X15
  EXPECT_TRUE(Certificate::Parse(Encode(GoodTree())).value().ec_key());
  const auto key_of = [](void (*bend)(DerNode&)) { return Bent(bend).value().ec_key(); };
  EXPECT_FALSE(key_of([](DerNode& c) {  // compressed
    auto& bits = Tbs(c).at(test::kTbsPublicKey).at(1).content;
    bits.resize(34);
    bits[1] = std::byte{2};
  }));
  EXPECT_FALSE(key_of([](DerNode& c) {  // at infinity
    Tbs(c).at(test::kTbsPublicKey).at(1).content.assign(2, std::byte{0});
  }));
  EXPECT_FALSE(key_of([](DerNode& c) {  // off the curve
    Tbs(c).at(test::kTbsPublicKey).at(1).content.back() ^= std::byte{1};
  }));
  EXPECT_FALSE(key_of([](DerNode& c) {  // secp256k1
    Tbs(c).at(test::kTbsPublicKey).at(0).at(1) = Primitive(kDerObjectId, "\x2b\x81\x04\x00\x0a"sv);
  }));
}

TEST(Certificate, NamesAreSafeToPrintAndNeverAmbiguous) {  // hazards X19
  const auto named = [](std::uint8_t tag, std::string_view text) {
    DerNode tree = GoodTree();
    Tbs(tree).at(test::kTbsSubject).at(0).at(0).at(1) = Primitive(tag, text);
    return Certificate::Parse(Encode(tree));
  };
  EXPECT_EQ(named(0x0C, "SEV-VCEK").value().subject_common_name(), "SEV-VCEK");
  EXPECT_EQ(named(0x0C, "SEV-VCEK").value().subject(), "CN=SEV-VCEK");
  EXPECT_EQ(named(0x0C, "SEV-VCEK\0.evil"sv).value().subject_common_name(), "");
  EXPECT_EQ(named(0x0C, "SEV\nVCEK").value().subject_common_name(), "");
  EXPECT_EQ(named(0x0C, "a,b=\"c\"\n").value().subject(), "CN=a\\,b=\\\"c\\\"\\0A");
  EXPECT_EQ(named(0x1E, "\0S\0E\0V"sv).value().subject_common_name(), "") << "two bytes a character";

  DerNode two = GoodTree();
  auto& parts = Tbs(two).at(test::kTbsSubject).children;
  parts.push_back(parts.at(0));
  EXPECT_EQ(Certificate::Parse(Encode(two)).value().subject_common_name(), "");
  EXPECT_EQ(Certificate::Parse(Encode(two)).value().issuer_common_name(), "Test root");

  DerNode none = GoodTree();
  Tbs(none).at(test::kTbsSubject).children.clear();
  EXPECT_EQ(Certificate::Parse(Encode(none)).value().subject(), "");
}

}  // namespace
}  // namespace portcullis::crypto
