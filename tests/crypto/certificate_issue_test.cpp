#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include "codec/text.h"
#include "crypto/certificate.h"
#include "crypto/openssl.h"
#include "tests/crypto/keys.h"

namespace portcullis::crypto {
namespace {

using std::chrono::hours;

using StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

WallTime Now() { return WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)); }

CertificateTemplate Authority(std::string name) {
  return {.common_name = std::move(name),
          .dns_names = {},
          .ip_addresses = {},
          .uris = {},
          .is_ca = true,
          .not_before = Now(),
          .not_after = Now() + hours(24)};
}

CertificateTemplate Server() {
  return {.common_name = "portcullis-webhook",
          .dns_names = {"webhook.portcullis.svc", "*.example.org"},
          .ip_addresses = {"127.0.0.1", "::1"},
          .uris = {"spiffe://cluster/ns/portcullis"},
          .server_auth = true,
          .not_before = Now(),
          .not_after = Now() + hours(1)};
}

X509Ptr Read(Bytes der) {
  const unsigned char* in = Octets(der);
  return X509Ptr(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
}

/// OpenSSL's own verdict under its strict rules.
int StrictVerdict(Bytes leaf, Bytes root, int purpose, WallTime at) {
  const X509Ptr leaf_certificate = Read(leaf), root_certificate = Read(root);
  const StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root_certificate.get());
  const StoreContextPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf_certificate.get(), nullptr);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(at));
  return X509_verify_cert(context.get()) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context.get());
}

struct Pair {
  IssuedCertificate root, leaf;
};
Pair Issue(const CertificateTemplate& wanted) {
  auto root = IssueCertificate(Authority("Portcullis development CA")).value();
  auto leaf = IssueCertificate(wanted, root.certificate_der, root.private_key_pem).value();
  return {std::move(root), std::move(leaf)};
}

TEST(IssueCertificate, PassesStrictVerificationForItsPurposeAndTime) {
  const Pair pair = Issue(Server());
  const auto verdict = [&](int purpose, WallTime at) {
    return StrictVerdict(pair.leaf.certificate_der, pair.root.certificate_der, purpose, at);
  };
  EXPECT_EQ(verdict(X509_PURPOSE_SSL_SERVER, Now()), X509_V_OK);
  EXPECT_EQ(verdict(X509_PURPOSE_SSL_SERVER, Now() + hours(1) - std::chrono::seconds(1)), X509_V_OK);
  EXPECT_EQ(verdict(X509_PURPOSE_SSL_CLIENT, Now()), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verdict(X509_PURPOSE_SSL_SERVER, Now() - hours(1)), X509_V_ERR_CERT_NOT_YET_VALID);
  EXPECT_EQ(verdict(X509_PURPOSE_SSL_SERVER, Now() + hours(2)), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(IssueCertificate, ReadsBackAsWhatWasWanted) {
  const Pair pair = Issue(Server());
  const Certificate root = Certificate::Parse(pair.root.certificate_der).value();
  const Certificate leaf = Certificate::Parse(pair.leaf.certificate_der).value();
  EXPECT_TRUE(root.is_ca());
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_FALSE(root.HasUnknownCriticalExtension());
  EXPECT_FALSE(leaf.HasUnknownCriticalExtension());
  EXPECT_TRUE(root.IsSignedBy_Ecdsa(root));
  EXPECT_TRUE(leaf.IsSignedBy_Ecdsa(root));
  EXPECT_FALSE(leaf.IsSignedBy_Ecdsa(leaf));
  EXPECT_FALSE(root.IsSignedBy_Ecdsa(leaf));
  EXPECT_FALSE(leaf.IsSignedBy_RsaPssSha384(root));
  EXPECT_EQ(leaf.subject(), "CN=portcullis-webhook");
  EXPECT_EQ(leaf.issuer_common_name(), "Portcullis development CA");
  EXPECT_EQ(leaf.not_before(), Now());
  EXPECT_EQ(leaf.not_after(), Now() + hours(1));
  EXPECT_EQ(leaf.ec_key().value(), EcPrivateKey::FromPem(pair.leaf.private_key_pem).value().public_key());
  EXPECT_EQ(leaf.ec_key()->curve(), Curve::kP256);
  EXPECT_GT(leaf.serial(), 0u);
}

TEST(IssueCertificate, NamesHostsAddressesAndUris) {
  const Pair pair = Issue(Server());
  const X509Ptr leaf = Read(pair.leaf.certificate_der);
  const auto is_host = [&](const char* name) {
    return X509_check_host(leaf.get(), name, 0, 0, nullptr) == 1;
  };
  EXPECT_TRUE(is_host("webhook.portcullis.svc"));
  EXPECT_TRUE(is_host("any.example.org"));
  EXPECT_FALSE(is_host("example.org"));
  EXPECT_FALSE(is_host("portcullis-webhook")) << "the common name is not a host name where there are others";
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "0:0:0:0:0:0:0:1", 0), 1);
  EXPECT_NE(X509_check_ip_asc(leaf.get(), "127.0.0.2", 0), 1);
  const Certificate certificate = Certificate::Parse(pair.leaf.certificate_der).value();
  const Bytes names = certificate.Extension("2.5.29.17").value();
  EXPECT_NE(AsText(names).find("spiffe://cluster/ns/portcullis"), std::string_view::npos);
}

TEST(IssueCertificate, ClientsAreForClientsAndSerialsDiffer) {
  CertificateTemplate wanted = Server();
  wanted.server_auth = false;
  wanted.client_auth = true;
  const Pair pair = Issue(wanted);
  EXPECT_EQ(
      StrictVerdict(pair.leaf.certificate_der, pair.root.certificate_der, X509_PURPOSE_SSL_CLIENT, Now()),
      X509_V_OK);
  EXPECT_NE(
      StrictVerdict(pair.leaf.certificate_der, pair.root.certificate_der, X509_PURPOSE_SSL_SERVER, Now()),
      X509_V_OK);
  const X509Ptr first = Read(pair.leaf.certificate_der), second = Read(Issue(wanted).leaf.certificate_der);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(first.get()), X509_get0_serialNumber(second.get())), 0);
  EXPECT_EQ(ASN1_STRING_length(X509_get0_serialNumber(first.get())), 16);
}

TEST(IssueCertificate, UnderAnIntermediateAuthorityChainsToTheRoot) {
  const auto root = IssueCertificate(Authority("root")).value();
  const auto middle =
      IssueCertificate(Authority("middle"), root.certificate_der, root.private_key_pem).value();
  const auto leaf = IssueCertificate(Server(), middle.certificate_der, middle.private_key_pem).value();
  const Certificate certificate = Certificate::Parse(leaf.certificate_der).value();
  EXPECT_TRUE(certificate.IsSignedBy_Ecdsa(Certificate::Parse(middle.certificate_der).value()));
  EXPECT_FALSE(certificate.IsSignedBy_Ecdsa(Certificate::Parse(root.certificate_der).value()));
}

TEST(IssueCertificate, SameNameWithAnotherKeyIsNotTheIssuer) {  // hazards X13
  const Pair pair = Issue(Server());
  const auto twin = IssueCertificate(Authority("Portcullis development CA")).value();
  const Certificate leaf = Certificate::Parse(pair.leaf.certificate_der).value();
  EXPECT_FALSE(leaf.IsSignedBy_Ecdsa(Certificate::Parse(twin.certificate_der).value()));
  // And the same key under another name.
  EXPECT_FALSE(IssueCertificate(Server(), twin.certificate_der, pair.root.private_key_pem));
}

TEST(IssueCertificate, NoticesAFlippedBitAnywhere) {
  const Pair pair = Issue(Server());
  const Certificate root = Certificate::Parse(pair.root.certificate_der).value();
  for (std::size_t i = 0; i < pair.leaf.certificate_der.size(); ++i) {
    ByteBuffer changed = pair.leaf.certificate_der;
    changed[i] ^= std::byte{1};
    const auto certificate = Certificate::Parse(changed);
    EXPECT_FALSE(certificate && certificate->IsSignedBy_Ecdsa(root)) << i;
  }
}

struct Refusal {
  std::string_view name;
  void (*spoil)(CertificateTemplate&);
};
constexpr Refusal kRefusals[] = {
    {"NameTooLong", [](CertificateTemplate& t) { t.common_name = std::string(65, 'n'); }},
    {"NameWithNul", [](CertificateTemplate& t) { t.common_name = std::string("a\0b", 3); }},
    {"HostEmpty", [](CertificateTemplate& t) { t.dns_names = {""}; }},
    {"HostWithNul", [](CertificateTemplate& t) { t.dns_names = {std::string("a\0b", 3)}; }},
    {"HostTooLong", [](CertificateTemplate& t) { t.dns_names = {std::string(254, 'h')}; }},
    {"UriNotAscii", [](CertificateTemplate& t) { t.uris = {"https://\xC3\xA9"}; }},
    {"AddressIsAName", [](CertificateTemplate& t) { t.ip_addresses = {"localhost"}; }},
    {"AddressWithNul", [](CertificateTemplate& t) { t.ip_addresses = {std::string("127.0.0.1\0x", 11)}; }},
    {"EndsBeforeItBegins", [](CertificateTemplate& t) { t.not_after = t.not_before - hours(1); }},
    {"AuthorityWithoutName",
     [](CertificateTemplate& t) {
       t.is_ca = true;
       t.common_name = "";
     }},
};
class Refusals : public testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(All, Refusals, testing::ValuesIn(kRefusals),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(Refusals, OfTemplatesThatMakeNoGoodCertificate) {
  const auto root = IssueCertificate(Authority("root")).value();
  CertificateTemplate wanted = Server();
  ASSERT_TRUE(IssueCertificate(wanted, root.certificate_der, root.private_key_pem));
  GetParam().spoil(wanted);
  const auto issued = IssueCertificate(wanted, root.certificate_der, root.private_key_pem);
  ASSERT_FALSE(issued);
  EXPECT_EQ(issued.error().code, ReasonCode::kRequestMalformed);
}

TEST(IssueCertificate, NeedsAnAuthorityAndItsOwnKey) {
  const Pair pair = Issue(Server());
  EXPECT_FALSE(IssueCertificate(Server(), pair.leaf.certificate_der, pair.leaf.private_key_pem))
      << "leaf as issuer";
  EXPECT_FALSE(IssueCertificate(Server(), pair.root.certificate_der, pair.leaf.private_key_pem));
  EXPECT_FALSE(IssueCertificate(Server(), {}, pair.root.private_key_pem));
  EXPECT_FALSE(IssueCertificate(Server(), pair.root.certificate_der, test::SecretOf("no key")));
}

TEST(IssueCertificate, MayLeaveTheNameToTheAlternativeNames) {
  CertificateTemplate wanted = Server();
  wanted.common_name = "";
  const Pair pair = Issue(wanted);
  EXPECT_EQ(
      StrictVerdict(pair.leaf.certificate_der, pair.root.certificate_der, X509_PURPOSE_SSL_SERVER, Now()),
      X509_V_OK);
}

}  // namespace
}  // namespace portcullis::crypto
