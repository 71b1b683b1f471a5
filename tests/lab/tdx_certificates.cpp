#include "tests/lab/tdx_certificates.h"

#include "codec/text.h"
#include "crypto/digest.h"

namespace portcullis::lab {
namespace {

using crypto::Require;

constexpr std::string_view kSgxExtension = "1.2.840.113741.1.13.1";
constexpr WallTime kPckFrom = std::chrono::sys_days(std::chrono::year(2024) / 1 / 1);
constexpr WallTime kPckUntil = std::chrono::sys_days(std::chrono::year(2045) / 1 / 1);

crypto::Certificate Parsed(Bytes der) {
  auto certificate = crypto::Certificate::Parse(der);
  Require(certificate.has_value());
  return std::move(certificate).value();
}

void AddRole(X509Writer& writer, TdxCertificateSpec::Role role) {
  using enum TdxCertificateSpec::Role;
  const bool signs_data = role == kEndEntity;
  writer.AddStandard(NID_key_usage, signs_data ? "critical,digitalSignature,nonRepudiation"
                                               : "critical,keyCertSign,cRLSign");
  writer.AddStandard(NID_basic_constraints, role == kRoot        ? "critical,CA:TRUE,pathlen:1"
                                            : role == kAuthority ? "critical,CA:TRUE,pathlen:0"
                                                                 : "critical,CA:FALSE");
}

}  // namespace

std::string_view NameOfAuthority(tdx::PckCa ca) {
  return ca == tdx::PckCa::kPlatform ? "Intel SGX PCK Platform CA" : "Intel SGX PCK Processor CA";
}

SharedKey GenerateP256() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

/// In Intel's order: CN, O, L, ST, C.
NamePtr IntelName(std::string_view common_name) {
  NamePtr name(X509_NAME_new());
  const auto add = [&](const char* field, int type, std::string_view value) {
    Require(X509_NAME_add_entry_by_txt(name.get(), field, type, crypto::Octets(AsBytes(value)),
                                       crypto::IntSize(value.size()), -1, 0) == 1);
  };
  add("CN", V_ASN1_UTF8STRING, common_name);
  add("O", V_ASN1_UTF8STRING, "Intel Corporation");
  add("L", V_ASN1_UTF8STRING, "Santa Clara");
  add("ST", V_ASN1_UTF8STRING, "CA");
  add("C", V_ASN1_PRINTABLESTRING, "US");
  return name;
}

crypto::Certificate SignCertificate(const TdxCertificateSpec& spec, const SharedKey& subject_key,
                                    const crypto::Certificate* issuer, const SharedKey& issuer_key) {
  X509Writer writer(spec.serial, *IntelName(spec.common_name), *IntelName(spec.issuer_name), spec.not_before,
                    spec.not_after, subject_key);
  writer.AddStandard(NID_subject_key_identifier, "hash");
  writer.AddStandard(NID_authority_key_identifier, "keyid",
                     issuer != nullptr ? OpenSslOf(*issuer).get() : nullptr);
  writer.AddStandard(NID_crl_distribution_points, "URI:" + spec.crl_url);
  AddRole(writer, spec.role);
  for (const TdxCertificateSpec::Extension& extension : spec.further)
    writer.Add(extension.oid, extension.value, extension.critical);
  return Parsed(writer.SignEcdsa(issuer_key, spec.digest));
}

std::uint64_t PckSerialOf(const TdState& state) {
  ByteBuffer identity = ToBuffer(state.ppid.bytes());
  Append(identity, std::as_bytes(std::span(state.components)));
  identity.push_back(static_cast<std::byte>(state.pce_svn >> 8));
  identity.push_back(static_cast<std::byte>(state.pce_svn));
  Append(identity, state.fmspc.bytes());
  const crypto::Sha256Digest digest = crypto::Sha256(identity);
  std::uint64_t out = 0;
  for (const std::byte b : digest.bytes().first(8)) out = (out << 8) | std::to_integer<std::uint64_t>(b);
  return out >> 1;  // positive, as a serial number has to be
}

PckSpec PckSpecFor(const TdState& state) {
  const bool platform = state.ca == tdx::PckCa::kPlatform;
  const ByteBuffer components = ToBuffer(std::as_bytes(std::span(state.components)));
  SgxExtension extension{
      .ppid = ToBuffer(state.ppid.bytes()),
      .components = {},
      .pce_svn = state.pce_svn,
      .cpu_svn = components,
      .pce_id = ToBuffer(std::as_bytes(std::span(state.pce_id))),
      .fmspc = ToBuffer(state.fmspc.bytes()),
      .sgx_type = static_cast<std::uint8_t>(platform ? 1 : 0),
      .platform_instance_id = std::nullopt,
      .has_configuration = platform,
      .without = {},
      .twice = {},
      .further = {},
  };
  std::ranges::copy(state.components, extension.components.begin());
  if (platform) extension.platform_instance_id = ByteBuffer(16, std::byte{0x1D});
  TdxCertificateSpec certificate{
      .role = TdxCertificateSpec::Role::kEndEntity,
      .common_name = std::string(kTdxPckName),
      .issuer_name = std::string(NameOfAuthority(state.ca)),
      .serial = PckSerialOf(state),
      .not_before = kPckFrom,
      .not_after = kPckUntil,
      .crl_url = "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=" +
                 std::string(tdx::NameOf(state.ca)) + "&encoding=der",
  };
  return {std::move(certificate), std::move(extension), state.ca, true, std::nullopt};
}

std::string PemOf(const crypto::Certificate& certificate) {
  return codec::EncodePem("CERTIFICATE", certificate.der());
}

}  // namespace portcullis::lab
