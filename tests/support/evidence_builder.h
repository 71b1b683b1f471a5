#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "evidence/snp/checks.h"
#include "tests/lab/report_writer.h"
#include "tests/lab/snp_lists.h"

namespace portcullis::test {

/// Reference values that this state meets, and as little else as can be.
inline snp::ReferenceValues ReferenceFor(const lab::LaunchState& state) {
  using Family = snp::DigestRule<snp::FamilyId>;
  using Image = snp::DigestRule<snp::ImageId>;
  using Key = snp::DigestRule<snp::KeyDigest>;
  return {
      .min_version = 3,
      .key_kinds = {snp::KeyKind::kVcek, snp::KeyKind::kVlek},
      .vmpls = {state.vmpl},
      .guest_policy_must_set = 0,
      .guest_policy_must_clear = 0,
      .min_abi_major = 0,
      .min_abi_minor = 0,
      .platform_must_set = 0x20,
      .platform_must_clear = 0,
      .provisional_firmware_allowed = false,
      .migration_agents = {},
      .products = {{.family = state.cpuid.family,
                    .model = state.cpuid.model,
                    .stepping = state.cpuid.stepping,
                    .tcb_floor = state.reported_tcb,
                    .firmware_major = state.committed_firmware.major,
                    .firmware_minor = state.committed_firmware.minor,
                    .firmware_build = state.committed_firmware.build,
                    .launch_mitigations = 0,
                    .current_mitigations = 0}},
      .any_genuine_chip = false,
      .allowed_chips = {state.chip_id},
      .denied_chips = {},
      .masked_chip_id_allowed = false,
      .csps = {state.csp_id},
      .measurements = {state.measurement},
      .min_guest_svn = state.guest_svn,
      .family_id = {Family::Mode::kAny, {}},
      .image_id = {Image::Mode::kAny, {}},
      .id_key = {Key::Mode::kAny, {}},
      .author_key = {Key::Mode::kAny, {}},
      .max_crl_age = std::chrono::hours(24 * 30),
  };
}

inline constexpr WallTime kEvidenceTime = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

/// Empty revocation lists that are in force at kEvidenceTime.
inline const snp::EndorsementSource& CurrentLists() {
  static const lab::LabLists lists(lab::LabPki::Shared(), kEvidenceTime);
  return lists;
}

/// Good SNP evidence with a policy that it meets, to be spoiled one thing at a time. It is signed under the
/// lab's throw-away root and goes through the same verification as any other: tests get no back door.
class EvidenceBuilder {
 public:
  explicit EvidenceBuilder(lab::LaunchState from = lab::LaunchState::Milan())
      : state(std::move(from)), reference(ReferenceFor(state)), binding{report_data, std::nullopt} {}

  // What is changed for a spoilt case; each is what it was unless the test sets it.
  lab::LaunchState state;
  snp::ReportData report_data = lab::LaunchState::CountingUp<snp::ReportData>();
  snp::ReferenceValues reference;
  snp::Binding binding;
  const snp::EndorsementSource* endorsements = &CurrentLists();
  WallTime now = kEvidenceTime;

  /// Another certificate than the chip's own.
  EvidenceBuilder& WithLeaf(std::function<void(lab::LeafSpec&)> change) {
    leaf_change_ = std::move(change);
    return *this;
  }
  EvidenceBuilder& WithoutCertificates() {
    certificates_sent_ = false;
    return *this;
  }
  /// A byte of the report as firmware would have signed it.
  EvidenceBuilder& WithSignedByte(std::size_t offset, std::uint8_t value) {
    signed_bytes_.emplace_back(offset, static_cast<std::byte>(value));
    return *this;
  }
  /// A byte changed on the way.
  EvidenceBuilder& WithAlteredByte(std::size_t offset, std::uint8_t flip) {
    altered_bytes_.emplace_back(offset, static_cast<std::byte>(flip));
    return *this;
  }

  lab::LabLeaf Leaf() const {
    if (!leaf_change_) return lab::LabPki::Shared().LeafOf(state);
    lab::LeafSpec spec = lab::LeafSpecFor(state);
    leaf_change_(spec);
    return lab::LabPki::Shared().Issue(spec);
  }
  ByteBuffer Report(const lab::LabLeaf& leaf) const {
    ByteBuffer report = lab::EncodeReport(state, report_data);
    for (const auto& [offset, value] : signed_bytes_) report.at(offset) = value;
    lab::SignReport(report, leaf);
    for (const auto& [offset, flip] : altered_bytes_) report.at(offset) ^= flip;
    return report;
  }

  snp::Verification Verify(const snp::TrustAnchors& anchors) const {
    const lab::LabLeaf leaf = Leaf();
    std::vector<crypto::Certificate> certificates;
    if (certificates_sent_) certificates.push_back(leaf.certificate);
    return snp::VerifySnp(Report(leaf), certificates, endorsements, anchors, now, &reference, &binding);
  }
  snp::Verification Verify() const { return Verify(lab::LabPki::Shared().anchors()); }

 private:
  std::function<void(lab::LeafSpec&)> leaf_change_;
  bool certificates_sent_ = true;
  std::vector<std::pair<std::size_t, std::byte>> signed_bytes_, altered_bytes_;
};

/// The ids of failed findings, in order.
inline std::vector<std::string> Refusals(const evidence::ProofTree& tree) {
  std::vector<std::string> out;
  for (const evidence::Finding& finding : tree.findings)
    if (finding.outcome == evidence::Outcome::kFailed) out.emplace_back(finding.check_id);
  return out;
}

}  // namespace portcullis::test
