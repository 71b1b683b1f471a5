#pragma once

#include <filesystem>
#include <memory>

#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "evidence/snp/chain.h"
#include "tests/lab/launch_state.h"
#include "tests/lab/leaf_spec.h"

namespace portcullis::lab {

/// A leaf with its private key: what a chip has.
struct LabLeaf {
  crypto::Certificate certificate;
  SharedKey key;
};

/// SNP evidence as a guest would hand it over.
struct MintedEvidence {
  ByteBuffer report;
  crypto::Certificate leaf;
  ByteBuffer aux_blob;  // certificate table: leaf, ASK or ASVK, ARK
};

/// A throw-away PKI with AMD's certificate profile and names for all products. One key a role serves every
/// product: what tells products apart in a verifier must be more than the key. Immutable but for its memory
/// of leaves; thread-safe, cheap to copy.
class LabPki {
 public:
  /// Makes three RSA-4096 keys: seconds.
  static LabPki Generate();
  /// What Save() wrote. Errors: ConfigurationInvalid.
  static Result<LabPki> Load(const std::filesystem::path& folder);
  /// ark.key, ask.key, asvk.key (PKCS#8 DER) and <product>/{ark,ask,asvk}.der, into a folder that it makes.
  Result<> Save(const std::filesystem::path& folder) const;
  /// One for all tests of this user, generated once and kept in the system's folder for temporary files.
  static const LabPki& Shared();

  snp::TrustAnchors anchors() const;
  LabLeaf Issue(const LeafSpec& spec) const;
  /// The certificate of this state's chip (or provider) and TCB: the same one every time.
  LabLeaf LeafOf(const LaunchState& state) const;
  MintedEvidence Mint(const LaunchState& state, const snp::ReportData& report_data) const;
  /// The revocation list of the product's ARK with these serials on it.
  crypto::Crl CrlOf(snp::Product product, const std::vector<std::uint64_t>& revoked, WallTime this_update,
                    WallTime next_update) const;
  /// A certificate table of `leaf` and the chain above it.
  ByteBuffer AuxBlobOf(const crypto::Certificate& leaf, snp::KeyKind kind, snp::Product product) const;

 private:
  struct Impl;
  explicit LabPki(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

/// Signs the first 0x2A0 bytes and writes R and S, as firmware does.
void SignReport(ByteBuffer& report, const LabLeaf& leaf);

/// The anchors in <folder>/<product>/{ark,ask,asvk}.der: what LabPki::Save() wrote, for those who only
/// verify.
Result<snp::TrustAnchors> LoadAnchors(const std::filesystem::path& folder);

}  // namespace portcullis::lab
