#include "evidence/tdx/platform.h"

#include <algorithm>

#include "crypto/jwk.h"
#include "evidence/tdx/proven.h"

namespace portcullis::tdx {
namespace {

using std::string_view_literals::operator""sv;

// Platforms of a large fleet; about 15 KiB each.
constexpr std::size_t kProvenPlatforms = 2048;
constexpr std::size_t kPckChainLength = 3;
// SubjectPublicKeyInfo of a P-256 key up to x (RFC 5480): id-ecPublicKey, prime256v1, an uncompressed point.
constexpr auto kP256SpkiPrefix =
    "\x30\x59\x30\x13\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07\x03\x42\x00\x04"sv;

ProvenByBytes<ExaminedChain>& ProvenChains() {
  static ProvenByBytes<ExaminedChain> chains(kProvenPlatforms);
  return chains;
}
ProvenByBytes<ExaminedPlatform>& ProvenPlatforms() {
  static ProvenByBytes<ExaminedPlatform> platforms(kProvenPlatforms);
  return platforms;
}

bool ProfileFits(const crypto::Certificate& pck, const crypto::Certificate& authority,
                 const crypto::Certificate& root) {
  return pck.subject_common_name() == kPckName && root.subject_common_name() == kRootName &&
         PckCaNamed(authority.subject_common_name()) && FitsProfile(pck, Role::kEndEntity) &&
         FitsProfile(authority, Role::kAuthority) && FitsProfile(root, Role::kRoot);
}

Result<std::shared_ptr<const ExaminedChain>> ExamineChain(Bytes pem) {
  const auto certificates = TRY(ParseChain(pem, kPckChainLength));
  const crypto::Certificate &pck = certificates[0], &authority = certificates[1], &root = certificates[2];
  auto extension = ParsePckExtension(pck);
  ExaminedChain out{.pck = pck,
                    .authority = authority,
                    .root = root,
                    .ca = PckCaNamed(authority.subject_common_name()),
                    .profile_fits = ProfileFits(pck, authority, root),
                    .signatures_verify = pck.IsSignedBy_Ecdsa(authority) &&
                                         authority.IsSignedBy_Ecdsa(root) && IsSelfSigned(root),
                    .extension = std::nullopt,
                    .extension_defect = {}};
  if (extension)
    out.extension = std::move(extension).value();
  else
    out.extension_defect = extension.error().ToString();
  return std::shared_ptr<const ExaminedChain>(std::make_shared<const ExaminedChain>(std::move(out)));
}

Result<std::shared_ptr<const ExaminedChain>> KnownChain(Bytes pem, const crypto::Sha256Digest& root_spki) {
  if (auto proven = ProvenChains().Find(pem)) return proven;
  auto examined = TRY(ExamineChain(pem));
  if (examined->sound() && examined->root.spki_fingerprint() == root_spki)
    ProvenChains().Remember(pem, examined);
  return examined;
}

std::optional<crypto::EcdsaVerifier> AttestationKeyOf(const Quote& quote) {
  ByteBuffer spki = ToBuffer(AsBytes(kP256SpkiPrefix));
  Append(spki, quote.attestation_key);
  auto key = crypto::EcPublicKey::FromSpki(spki);
  if (!key) return std::nullopt;
  return crypto::EcdsaVerifier(*key);
}

bool QeReportSigned(const Quote& quote, const ExaminedChain& chain) {
  const auto key = chain.pck.ec_key();
  return key && key->curve() == crypto::Curve::kP256 &&
         crypto::VerifyEcdsa(*key, quote.qe_report.raw, quote.qe_report_signature);
}

/// REPORTDATA is SHA-256(attestation key || QE auth data), then zeros.
bool KeyBound(const Quote& quote) {
  ByteBuffer hashed = ToBuffer(quote.attestation_key);
  Append(hashed, quote.qe_auth_data);
  const Bytes said = quote.qe_report.report_data.bytes();
  return SameBytes(crypto::Sha256(hashed).bytes(), said.first(crypto::Sha256Digest::kSize)) &&
         std::ranges::all_of(said.subspan(crypto::Sha256Digest::kSize),
                             [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

std::shared_ptr<const ExaminedPlatform> KnownPlatform(const Quote& quote,
                                                      const crypto::Sha256Digest& root_spki) {
  if (auto proven = ProvenPlatforms().Find(quote.platform_part)) return proven;
  auto chain = KnownChain(quote.pck_chain, root_spki);
  auto out = std::make_shared<ExaminedPlatform>(ExaminedPlatform{.chain = nullptr,
                                                                 .chain_defect = {},
                                                                 .qe_report_signed = false,
                                                                 .key_bound = KeyBound(quote),
                                                                 .attestation_key = AttestationKeyOf(quote)});
  if (!chain) {
    out->chain_defect = chain.error().ToString();
    return out;
  }
  out->chain = std::move(chain).value();
  out->qe_report_signed = QeReportSigned(quote, *out->chain);
  if (out->sound() && out->chain->root.spki_fingerprint() == root_spki)
    ProvenPlatforms().Remember(quote.platform_part, out);
  return out;
}

Result<Platform> PlatformOf(const Quote& quote) {
  const auto certificates = TRY(ParseChain(quote.pck_chain, kPckChainLength));
  const auto ca = PckCaNamed(certificates[1].subject_common_name());
  if (!ca) return Error{ReasonCode::kCertificateMismatch, "PCK is not under a PCK CA"};
  const PckExtension extension = TRY(ParsePckExtension(certificates[0]));
  return Platform{extension.fmspc, *ca, extension.ppid};
}

}  // namespace portcullis::tdx
