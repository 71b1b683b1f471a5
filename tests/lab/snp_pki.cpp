#include <map>
#include <mutex>
#include <string>

#include "tests/lab/certificate_table.h"
#include "tests/lab/crl_writer.h"
#include "tests/lab/pki_files.h"
#include "tests/lab/report_writer.h"
#include "tests/lab/snp_lab.h"

namespace portcullis::lab {

using crypto::Require;

struct LabPki::Impl {
  PkiKeys keys;
  snp::TrustAnchors anchors;
  mutable std::mutex mutex;
  mutable std::map<std::string, LabLeaf> leaves;
};

namespace {

constexpr WallTime kRootsFrom = std::chrono::sys_days(std::chrono::year(2023) / 1 / 1);
constexpr WallTime kRootsUntil = std::chrono::sys_days(std::chrono::year(2048) / 1 / 1);

crypto::Certificate Parsed(Bytes der) {
  auto certificate = crypto::Certificate::Parse(der);
  Require(certificate.has_value());
  return std::move(certificate).value();
}

std::string CrlUrl(std::string_view key, const std::string& product) {
  return "URI:https://kdsintf.amd.com/" + std::string(key) + "/v1/" + product + "/crl";
}

crypto::Certificate MakeRoot(const PkiKeys& keys, const std::string& product, long serial) {
  const std::string name = "ARK-" + product;
  X509Writer writer(serial, name, name, kRootsFrom, kRootsUntil, keys.ark);
  writer.AddStandard(NID_key_usage, "critical,keyCertSign,cRLSign");
  writer.AddStandard(NID_subject_key_identifier, "hash");
  writer.AddStandard(NID_basic_constraints, "critical,CA:TRUE");
  writer.AddStandard(NID_crl_distribution_points, CrlUrl("vcek", product));
  return Parsed(writer.Sign(keys.ark, {}));
}

crypto::Certificate MakeIntermediate(const PkiKeys& keys, const crypto::Certificate& root,
                                     const std::string& product, bool vlek, long serial) {
  const SharedKey& key = vlek ? keys.asvk : keys.ask;
  X509Writer writer(serial, (vlek ? "SEV-VLEK-" : "SEV-") + product, "ARK-" + product, kRootsFrom,
                    kRootsUntil, key);
  const crypto::X509Ptr issuer = OpenSslOf(root);
  writer.AddStandard(NID_subject_key_identifier, "hash");
  writer.AddStandard(NID_authority_key_identifier, "keyid,issuer", issuer.get());
  writer.AddStandard(NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  writer.AddStandard(NID_key_usage, "critical,keyCertSign");
  writer.AddStandard(NID_crl_distribution_points, CrlUrl(vlek ? "vlek" : "vcek", product));
  return Parsed(writer.Sign(keys.ark, {}));
}

/// AMD's serials are 0x10000 for Milan's ARK, 0x20000 for Genoa's, 0x30000 for Turin's, and a little above.
snp::ProductAnchors MakeAnchors(const PkiKeys& keys, snp::Product product) {
  const std::string name(snp::NameOf(product));
  const long serial = (static_cast<long>(product) + 1) * 0x10000;
  crypto::Certificate root = MakeRoot(keys, name, serial);
  crypto::Certificate ask = MakeIntermediate(keys, root, name, false, serial + 0x1);
  crypto::Certificate asvk = MakeIntermediate(keys, root, name, true, serial + 0x101);
  return {product, std::move(root), std::move(ask), std::move(asvk)};
}

std::string IssuerNameOf(Issuer issuer, snp::Product product) {
  const std::string name(snp::NameOf(product));
  switch (issuer) {
    case Issuer::kArk:
      return "ARK-" + name;
    case Issuer::kAsk:
      return "SEV-" + name;
    case Issuer::kAsvk:
      return "SEV-VLEK-" + name;
  }
  return name;
}

/// What makes a chip's key another one.
std::string IdentityOf(const LaunchState& state) {
  const codec::Json value = ToJson(state);
  std::string out;
  for (const std::string_view member : {"keyKind", "cpuid", "reportedTcb", "chipId", "cspId"})
    out += codec::ToText(*value.Find(member)) + "|";
  return out;
}

}  // namespace

LabPki LabPki::Generate() {
  auto impl = std::make_shared<Impl>();
  impl->keys = {GenerateRsa4096(), GenerateRsa4096(), GenerateRsa4096()};
  for (const snp::Product product : {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin})
    impl->anchors.products.push_back(MakeAnchors(impl->keys, product));
  return LabPki(std::move(impl));
}

Result<LabPki> LabPki::Load(const std::filesystem::path& folder) {
  auto impl = std::make_shared<Impl>();
  impl->keys = TRY(LoadKeys(folder));
  impl->anchors = TRY(LoadAnchors(folder));
  return LabPki(std::move(impl));
}

Result<> LabPki::Save(const std::filesystem::path& folder) const {
  TRY(SaveKeys(folder, impl_->keys));
  return SaveAnchors(folder, impl_->anchors);
}

snp::TrustAnchors LabPki::anchors() const { return impl_->anchors; }

LabLeaf LabPki::Issue(const LeafSpec& spec) const {
  const SharedKey key = spec.p384 ? GenerateP384() : SharedKey(EVP_EC_gen("P-256"), EVP_PKEY_free);
  X509Writer writer(0, spec.common_name, IssuerNameOf(spec.issuer, spec.product), spec.not_before,
                    spec.not_after, key);
  for (const LeafSpec::Extension& extension : ExtensionsOf(spec))
    writer.Add(extension.oid, extension.value, extension.critical);
  const SharedKey& issuer_key = spec.issuer == Issuer::kArk   ? impl_->keys.ark
                                : spec.issuer == Issuer::kAsk ? impl_->keys.ask
                                                              : impl_->keys.asvk;
  return {Parsed(writer.Sign(issuer_key, spec.pss)), key};
}

LabLeaf LabPki::LeafOf(const LaunchState& state) const {
  const std::string identity = IdentityOf(state);
  const std::scoped_lock lock(impl_->mutex);
  if (const auto found = impl_->leaves.find(identity); found != impl_->leaves.end()) return found->second;
  return impl_->leaves.emplace(identity, Issue(LeafSpecFor(state))).first->second;
}

MintedEvidence LabPki::Mint(const LaunchState& state, const snp::ReportData& report_data) const {
  const LabLeaf leaf = LeafOf(state);
  ByteBuffer report = EncodeReport(state, report_data);
  SignReport(report, leaf);
  return {std::move(report), leaf.certificate, AuxBlobOf(leaf.certificate, state.key_kind, state.product())};
}

crypto::Crl LabPki::CrlOf(snp::Product product, const std::vector<std::uint64_t>& revoked,
                          WallTime this_update, WallTime next_update) const {
  const CrlSpec spec{.issuer_name = IssuerNameOf(Issuer::kArk, product),
                     .this_update = this_update,
                     .next_update = next_update,
                     .revoked = revoked};
  auto list = crypto::Crl::Parse(SignCrl(spec, impl_->keys.ark));
  Require(list.has_value());
  return std::move(list).value();
}

ByteBuffer LabPki::AuxBlobOf(const crypto::Certificate& leaf, snp::KeyKind kind, snp::Product product) const {
  const snp::ProductAnchors& anchors = *impl_->anchors.For(product);
  const bool vlek = kind == snp::KeyKind::kVlek;
  return BuildCertificateTable({{vlek ? kVlekGuid : kVcekGuid, leaf.der()},
                                {kAskGuid, (vlek ? anchors.asvk : anchors.ask).der()},
                                {kArkGuid, anchors.ark.der()}});
}

}  // namespace portcullis::lab
