#pragma once

#include <set>
#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/tdx/collateral.h"
#include "tests/lab/crl_writer.h"
#include "tests/lab/tdx_state.h"

namespace portcullis::lab {

/// What collateral says, where it differs from that of a healthy fleet.
struct TdxCollateralOptions {
  WallTime issued;
  std::chrono::seconds window = std::chrono::hours(24 * 30);
  tdx::EvaluationSet set = tdx::EvaluationSet::kStandard;
  std::uint32_t evaluation_number = 0;  // 0: 18 in the standard set, 20 in the early one
  // Of the highest level of platform, TDX module and QE; any text, since unknown ones are a case too.
  std::string platform_status = "UpToDate", module_status = "UpToDate", qe_status = "UpToDate";
  std::set<std::string> advisories = {};                                   // of the platform's highest level
  std::vector<std::uint64_t> revoked_pcks = {}, revoked_authorities = {};  // serials
};

struct SignedList {
  std::string issuer_name;
  CrlSpec list;
  SharedKey signer;
};

/// Collateral before it is signed. The two JSON documents are objects of codec: members may be set, erased,
/// added. Every list and document has a signer of its own.
struct TdxCollateralSpec {
  codec::Json tcb_info, qe_identity;
  SharedKey tcb_info_signer, qe_identity_signer;
  std::string tcb_info_chain, qe_identity_chain, pck_crl_chain;  // PEM
  SignedList pck_crl, root_crl;
};
tdx::CollateralBytes SignCollateral(const TdxCollateralSpec& spec);

/// {"<member>": <object>, "signature": "…"}: `object` is signed as the text that it is.
std::string SignDocument(std::string_view member, std::string_view object, const SharedKey& signer);

/// The documents of a healthy fleet. Three TCBs are told apart: TdState's default is UpToDate in both sets;
/// components {3,3,2,2,4,1,0,5} with microcode SVN 3 are UpToDate in the standard set and OutOfDate in the
/// early one; TdState::Outdated() is OutOfDate in both; what is below is in no level.
codec::Json TcbInfoOf(const TdState& state, const TdxCollateralOptions& options);
codec::Json QeIdentityOf(const TdxCollateralOptions& options);

}  // namespace portcullis::lab
