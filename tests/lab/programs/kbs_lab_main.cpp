// The broker with the lab's roots in place of the vendors'. Roots can be injected only here, in a main of the
// lab; the production executable has no such code.
#include <cstdlib>

#include "kbs/app.h"
#include "tests/lab/snp_lists.h"
#include "tests/lab/tdx_lab_collateral.h"

namespace {

using portcullis::Result;
namespace lab = portcullis::lab;

/// The roots of the lab's PKIs: of SNP, and of TDX where there is one in the folder "tdx" below. Lists and
/// collateral are made anew at each start, so that they are current for as long as a broker of the lab runs;
/// a configured directory takes their place.
Result<portcullis::kbs::Trust> LabTrust(const std::filesystem::path& folder) {
  const auto pki = TRY(lab::LabPki::Load(folder));
  const portcullis::WallTime now = portcullis::SystemClock().Now();
  portcullis::kbs::Trust trust{.anchors = pki.anchors(),
                               .endorsements = std::make_shared<lab::LabLists>(pki, now)};
  if (!std::filesystem::exists(folder / lab::kTdxFolder)) return trust;
  const auto tdx_pki = TRY(lab::TdxLabPki::Load(folder / lab::kTdxFolder));
  trust.tdx_anchors = tdx_pki.anchors();
  trust.collateral = std::make_shared<lab::LabCollateral>(tdx_pki, now);
  return trust;
}

}  // namespace

int main(int argc, char** argv) {
  return portcullis::kbs::BrokerMain(argc, argv, [] {
    const char* folder = std::getenv("PORTCULLIS_LAB_PKI");
    return LabTrust(folder == nullptr ? "" : folder);
  });
}
