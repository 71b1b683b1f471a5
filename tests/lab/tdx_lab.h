#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "evidence/tdx/checks.h"
#include "evidence/tdx/collateral.h"
#include "tests/lab/tdx_certificates.h"
#include "tests/lab/tdx_collateral_spec.h"
#include "tests/lab/tdx_quote_writer.h"
#include "tests/lab/tdx_state.h"

namespace portcullis::lab {

/// Where this PKI lies in the folder of the lab's keys.
inline constexpr const char* kTdxFolder = "tdx";

/// A certificate of the lab with its private key.
struct LabCertificate {
  crypto::Certificate certificate;
  SharedKey key;
};

/// What a test changes in a quote in the making; each left empty changes nothing.
struct TdxMintChanges {
  std::function<void(PckSpec&)> pck = {};                // what the PCK certificate says, before it is signed
  std::function<void(ByteBuffer&)> qe_report = {};       // before the PCK signs it
  std::function<void(QuoteParts&)> before_signing = {};  // header and body, before the attestation key signs
  std::function<void(QuoteParts&)> after_signing = {};   // all parts, before they are put together
};

/// A throw-away PKI in Intel's profile: root, PCK Platform and Processor CA, TCB Signing, all P-256.
/// Immutable but for its memory of platforms; thread-safe, cheap to copy.
class TdxLabPki {
 public:
  static TdxLabPki Generate();
  /// What Save() wrote. Errors: ConfigurationInvalid.
  static Result<TdxLabPki> Load(const std::filesystem::path& folder);
  /// {root,platform-ca,processor-ca,tcb-signing}.{key,der} (PKCS#8 and X.509, DER), into a folder that it
  /// makes.
  Result<> Save(const std::filesystem::path& folder) const;
  /// One for all tests of this process.
  static const TdxLabPki& Shared();

  tdx::TrustAnchors anchors() const;
  const LabCertificate& root() const;
  const LabCertificate& authority(tdx::PckCa ca) const;
  const LabCertificate& tcb_signing() const;

  /// The quote that this TD's platform would give. The same platform has the same PCK certificate,
  /// attestation key and QE report every time, unless they are changed.
  ByteBuffer Mint(const TdState& state, const tdx::ReportData& report_data,
                  const TdxMintChanges& changes = {}) const;
  /// Quote and event log.
  tdx::Evidence MintEvidence(const TdState& state, const tdx::ReportData& report_data) const;
  /// A certificate for a new key, signed by the authority that the specification names or by another.
  LabCertificate IssuePck(const PckSpec& spec) const;

  /// The unsigned collateral for a TD's platform: every member may be changed, then SignCollateral()
  /// (tdx_collateral_spec.h) makes it what Intel's service would have served.
  TdxCollateralSpec CollateralSpecFor(const TdState& state, const TdxCollateralOptions& options) const;
  tdx::CollateralBytes CollateralFor(const TdState& state, const TdxCollateralOptions& options) const;

 private:
  struct Impl;
  explicit TdxLabPki(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace portcullis::lab
