#include "kbs/collateral.h"

#include "base/log.h"

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
  if (options.fetches()) {
    auto cas = TrustedCas(options.ca_file);
    if (cas)
      opened->fetcher_ =
          std::make_unique<endorsement::HttpsFetcher>(std::move(cas).value(), http::Client::Create);
    else if (!options.ca_file.empty())
      return std::move(cas).error().At("collateral.fetch.caFile");
    else  // an image without a trust store serves what is in the directory
      Log(LogLevel::kError, "collateral can't be fetched", {{"error", cas.error().ToString()}});
  }
  const bool may_ask = opened->fetcher_ != nullptr;
  if (may_ask && !options.amd_kds.empty())
    opened->kds_ = std::make_unique<endorsement::KdsClient>(options.amd_kds, *opened->fetcher_, clock);
  if (may_ask && !options.intel_pcs.empty())
    opened->pcs_ = std::make_unique<endorsement::PcsClient>(options.intel_pcs, options.intel_root_crl,
                                                            *opened->fetcher_, clock);
  const endorsement::Vendors vendors{opened->kds_.get(), opened->pcs_.get()};
  opened->refresher_ =
      std::make_unique<endorsement::Refresher>(*opened->store_, vendors, clock, random, metrics);
  return opened;
}

}  // namespace portcullis::kbs
