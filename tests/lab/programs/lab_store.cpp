#include "tests/lab/programs/lab_store.h"

#include "endorsement/store.h"
#include "tests/lab/lab_files.h"

namespace portcullis::lab {
namespace {

constexpr auto kAge = std::chrono::hours(1), kYear = std::chrono::hours(24 * 365);

Result<> FillAmd(endorsement::Store& store, const LabPki& pki, WallTime now) {
  for (const snp::Product product : {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin}) {
    const crypto::Crl list = pki.CrlOf(product, {}, now - kAge, now + kYear);
    TRY(store.Install({endorsement::AmdCrlId{product}, ToBuffer(list.der()), ""}));
  }
  return Done{};
}

Result<> FillIntel(endorsement::Store& store, const TdxLabPki& pki, tdx::EvaluationSet set, WallTime now) {
  for (const tdx::PckCa ca : {tdx::PckCa::kProcessor, tdx::PckCa::kPlatform}) {
    TdState state;
    state.ca = ca;
    const tdx::CollateralBytes bytes = pki.CollateralFor(state, {.issued = now - kAge, .set = set});
    TRY(store.Install({endorsement::TcbInfoId{state.fmspc, set}, bytes.tcb_info, bytes.tcb_info_chain}));
    TRY(store.Install({endorsement::QeIdentityId{set}, bytes.qe_identity, bytes.qe_identity_chain}));
    TRY(store.Install({endorsement::PckCrlId{ca}, bytes.pck_crl, bytes.pck_crl_chain}));
    TRY(store.Install({endorsement::RootCrlId{}, bytes.root_crl, bytes.pck_crl_chain}));
  }
  return Done{};
}

}  // namespace

Result<> FillStore(const std::string& directory, const LabPki& pki, const TdxLabPki& tdx_pki,
                   const Clock& clock) {
  TRY(MakeFolder(directory));
  const snp::TrustAnchors anchors = pki.anchors();
  const tdx::TrustAnchors tdx_anchors = tdx_pki.anchors();
  const endorsement::Anchors both{anchors, tdx_anchors};
  const auto store = TRY(endorsement::Store::Open(directory, both, clock));
  TRY(FillAmd(*store, pki, clock.Now()));
  TRY(FillIntel(*store, tdx_pki, tdx::EvaluationSet::kStandard, clock.Now()));
  return FillIntel(*store, tdx_pki, tdx::EvaluationSet::kEarly, clock.Now());
}

}  // namespace portcullis::lab
