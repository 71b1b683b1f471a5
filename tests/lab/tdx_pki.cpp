#include <map>
#include <mutex>

#include "codec/text.h"
#include "tests/lab/lab_files.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::lab {

using crypto::Require;
using Role = TdxCertificateSpec::Role;

namespace {

constexpr WallTime kFrom = std::chrono::sys_days(std::chrono::year(2023) / 1 / 1);
constexpr WallTime kUntil = std::chrono::sys_days(std::chrono::year(2048) / 1 / 1);
constexpr std::string_view kRootCrlUrl = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
constexpr std::size_t kQeAuthSize = 32;
constexpr auto kListWindow = std::chrono::hours(24 * 30), kRootListWindow = std::chrono::hours(24 * 365);

/// What does not change from quote to quote of one platform.
struct Platform {
  SharedKey attestation_key;
  ByteBuffer qe_auth_data, qe_report, qe_report_signature, pck_chain;
};

LabCertificate MakeUnder(const LabCertificate& root, Role role, std::string_view name, std::uint64_t serial) {
  const SharedKey key = GenerateP256();
  const TdxCertificateSpec spec{.role = role,
                                .common_name = std::string(name),
                                .issuer_name = std::string(kTdxRootName),
                                .serial = serial,
                                .not_before = kFrom,
                                .not_after = kUntil,
                                .crl_url = std::string(kRootCrlUrl)};
  return {SignCertificate(spec, key, &root.certificate, root.key), key};
}

LabCertificate MakeRoot() {
  const SharedKey key = GenerateP256();
  const TdxCertificateSpec spec{.role = Role::kRoot,
                                .common_name = std::string(kTdxRootName),
                                .issuer_name = std::string(kTdxRootName),
                                .serial = 1,
                                .not_before = kFrom,
                                .not_after = kUntil,
                                .crl_url = std::string(kRootCrlUrl)};
  return {SignCertificate(spec, key, nullptr, key), key};
}

/// What makes a platform's certificate, key or QE report another one.
std::string IdentityOf(const TdState& state) {
  return std::to_string(PckSerialOf(state)) + "|" + std::string(tdx::NameOf(state.ca)) + "|" +
         codec::EncodeHex(std::as_bytes(std::span(state.pce_id))) + "|" +
         codec::EncodeHex(EncodeQeReport(state, {}, {}));
}

}  // namespace

struct TdxLabPki::Impl {
  LabCertificate root, platform, processor, tcb_signing;
  std::mutex mutex;
  std::map<std::string, Platform> platforms;

  Impl(LabCertificate its_root, LabCertificate its_platform, LabCertificate its_processor,
       LabCertificate its_tcb_signing)
      : root(std::move(its_root)),
        platform(std::move(its_platform)),
        processor(std::move(its_processor)),
        tcb_signing(std::move(its_tcb_signing)) {}
};

TdxLabPki TdxLabPki::Generate() {
  const LabCertificate root = MakeRoot();
  return TdxLabPki(std::make_shared<Impl>(
      root, MakeUnder(root, Role::kAuthority, NameOfAuthority(tdx::PckCa::kPlatform), 2),
      MakeUnder(root, Role::kAuthority, NameOfAuthority(tdx::PckCa::kProcessor), 3),
      MakeUnder(root, Role::kEndEntity, kTdxTcbSigningName, 4)));
}

namespace {

Result<LabCertificate> LoadPair(const std::filesystem::path& folder, const std::string& name) {
  auto certificate = TRY(LoadCertificate(folder / (name + ".der")));
  auto key = TRY(LoadKey(folder / (name + ".key")));
  return LabCertificate{std::move(certificate), std::move(key)};
}

Result<> SavePair(const std::filesystem::path& folder, const std::string& name, const LabCertificate& pair) {
  TRY(SaveKey(folder / (name + ".key"), pair.key));
  return WriteAll(folder / (name + ".der"), pair.certificate.der());
}

}  // namespace

Result<TdxLabPki> TdxLabPki::Load(const std::filesystem::path& folder) {
  auto root = TRY(LoadPair(folder, "root"));
  auto platform = TRY(LoadPair(folder, "platform-ca"));
  auto processor = TRY(LoadPair(folder, "processor-ca"));
  auto tcb_signing = TRY(LoadPair(folder, "tcb-signing"));
  return TdxLabPki(std::make_shared<Impl>(std::move(root), std::move(platform), std::move(processor),
                                          std::move(tcb_signing)));
}

Result<> TdxLabPki::Save(const std::filesystem::path& folder) const {
  TRY(MakeFolder(folder));
  TRY(SavePair(folder, "root", impl_->root));
  TRY(SavePair(folder, "platform-ca", impl_->platform));
  TRY(SavePair(folder, "processor-ca", impl_->processor));
  return SavePair(folder, "tcb-signing", impl_->tcb_signing);
}

const TdxLabPki& TdxLabPki::Shared() {
  static const TdxLabPki pki = Generate();
  return pki;
}

tdx::TrustAnchors TdxLabPki::anchors() const { return {impl_->root.certificate.spki_fingerprint()}; }
const LabCertificate& TdxLabPki::root() const { return impl_->root; }
const LabCertificate& TdxLabPki::authority(tdx::PckCa ca) const {
  return ca == tdx::PckCa::kPlatform ? impl_->platform : impl_->processor;
}
const LabCertificate& TdxLabPki::tcb_signing() const { return impl_->tcb_signing; }

LabCertificate TdxLabPki::IssuePck(const PckSpec& spec) const {
  const SharedKey key = spec.p256 ? GenerateP256() : GenerateP384();
  const LabCertificate& issuer = authority(spec.issuer);
  TdxCertificateSpec certificate = spec.certificate;
  if (spec.extension)
    certificate.further.push_back({"1.2.840.113741.1.13.1", spec.extension->Encode(), false});
  return {SignCertificate(certificate, key, &issuer.certificate, issuer.key), key};
}

namespace {

Platform MakePlatform(const TdxLabPki& pki, const TdState& state, const TdxMintChanges& changes) {
  PckSpec spec = PckSpecFor(state);
  if (changes.pck) changes.pck(spec);
  const LabCertificate pck = pki.IssuePck(spec);
  Platform out{GenerateP256(), ByteBuffer(kQeAuthSize, std::byte{0xAD}), {}, {}, {}};
  out.qe_report = EncodeQeReport(state, RawPoint(out.attestation_key), out.qe_auth_data);
  if (changes.qe_report) changes.qe_report(out.qe_report);
  out.qe_report_signature = RawSignature(pck.key, out.qe_report);
  const std::string chain =
      spec.pck_chain.value_or(PemOf(pck.certificate) + PemOf(pki.authority(spec.issuer).certificate) +
                              PemOf(pki.root().certificate) + std::string(1, '\0'));
  out.pck_chain = ToBuffer(AsBytes(chain));
  return out;
}

ByteBuffer MintOn(const Platform& platform, const TdState& state, const tdx::ReportData& report_data,
                  const TdxMintChanges& changes) {
  QuoteParts parts{.signed_part = EncodeHeaderAndBody(state, report_data),
                   .signature = {},
                   .attestation_key = RawPoint(platform.attestation_key),
                   .qe_report = platform.qe_report,
                   .qe_report_signature = platform.qe_report_signature,
                   .qe_auth_data = platform.qe_auth_data,
                   .pck_chain = platform.pck_chain,
                   .trailing = {}};
  if (changes.before_signing) changes.before_signing(parts);
  parts.signature = RawSignature(platform.attestation_key, parts.signed_part);
  if (changes.after_signing) changes.after_signing(parts);
  return AssembleQuote(parts);
}

}  // namespace

ByteBuffer TdxLabPki::Mint(const TdState& state, const tdx::ReportData& report_data,
                           const TdxMintChanges& changes) const {
  if (changes.pck || changes.qe_report)
    return MintOn(MakePlatform(*this, state, changes), state, report_data, changes);
  const std::string identity = IdentityOf(state);
  const std::scoped_lock lock(impl_->mutex);
  auto found = impl_->platforms.find(identity);
  if (found == impl_->platforms.end())
    found = impl_->platforms.emplace(identity, MakePlatform(*this, state, {})).first;
  return MintOn(found->second, state, report_data, changes);
}

tdx::Evidence TdxLabPki::MintEvidence(const TdState& state, const tdx::ReportData& report_data) const {
  return {Mint(state, report_data), state.EventLog()};
}

TdxCollateralSpec TdxLabPki::CollateralSpecFor(const TdState& state,
                                               const TdxCollateralOptions& options) const {
  const std::string root = PemOf(impl_->root.certificate);
  const std::string signing_chain = PemOf(impl_->tcb_signing.certificate) + root;
  const LabCertificate& ca = authority(state.ca);
  const std::string ca_name(NameOfAuthority(state.ca)), root_name(kTdxRootName);
  return {
      .tcb_info = TcbInfoOf(state, options),
      .qe_identity = QeIdentityOf(options),
      .tcb_info_signer = impl_->tcb_signing.key,
      .qe_identity_signer = impl_->tcb_signing.key,
      .tcb_info_chain = signing_chain,
      .qe_identity_chain = signing_chain,
      .pck_crl_chain = PemOf(ca.certificate) + root,
      .pck_crl = {ca_name,
                  {ca_name, options.issued, options.issued + kListWindow, options.revoked_pcks},
                  ca.key},
      .root_crl = {root_name,
                   {root_name, options.issued, options.issued + kRootListWindow, options.revoked_authorities},
                   impl_->root.key}};
}

tdx::CollateralBytes TdxLabPki::CollateralFor(const TdState& state,
                                              const TdxCollateralOptions& options) const {
  return SignCollateral(CollateralSpecFor(state, options));
}

}  // namespace portcullis::lab
