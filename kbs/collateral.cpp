#include "kbs/collateral.h"

namespace portcullis::kbs {
namespace {

constexpr std::size_t kMaxCaFileBytes = 4u << 20;

Result<std::string> TrustedCas(const std::string& file) {
  if (file.empty()) return endorsement::SystemTrustStore();
  return ToText(TRY(endorsement::ReadBounded(file, kMaxCaFileBytes)));
}

}  // namespace

Result<std::unique_ptr<Collateral>> Collateral::Open(const CollateralOptions& options,
                                                     const endorsement::Anchors& anchors, const Clock& clock,
                                                     Random& random, metrics::Metrics& metrics) {
  auto opened = std::make_unique<Collateral>();
  opened->store_ = TRY(endorsement::Store::Open(options.directory, anchors, clock));
  if (options.fetches())
    opened->fetcher_ =
        std::make_unique<endorsement::HttpsFetcher>(TRY(TrustedCas(options.ca_file)), http::Client::Create);
  if (!options.amd_kds.empty())
    opened->kds_ = std::make_unique<endorsement::KdsClient>(options.amd_kds, *opened->fetcher_, clock);
  if (!options.intel_pcs.empty())
    opened->pcs_ = std::make_unique<endorsement::PcsClient>(options.intel_pcs, options.intel_root_crl,
                                                            *opened->fetcher_, clock);
  const endorsement::Vendors vendors{opened->kds_.get(), opened->pcs_.get()};
  opened->refresher_ =
      std::make_unique<endorsement::Refresher>(*opened->store_, vendors, clock, random, metrics);
  return opened;
}

}  // namespace portcullis::kbs
