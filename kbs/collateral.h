#pragma once

#include <memory>

#include "endorsement/refresher.h"
#include "kbs/options.h"

namespace portcullis::kbs {

/// A broker's collateral: the store, and where the configuration allows it the clients that fill it from a
/// thread of their own.
class Collateral {
 public:
  /// The references must outlive it. Error: ConfigurationInvalid.
  static Result<std::unique_ptr<Collateral>> Open(const CollateralOptions& options,
                                                  const endorsement::Anchors& anchors, const Clock& clock,
                                                  Random& random, metrics::Metrics& metrics);

  const endorsement::Store& store() const { return *store_; }
  void Start() { refresher_->Start(); }
  void Stop() { refresher_->Stop(); }

 private:
  std::unique_ptr<endorsement::Store> store_;
  std::unique_ptr<endorsement::HttpsFetcher> fetcher_;
  std::unique_ptr<endorsement::KdsClient> kds_;
  std::unique_ptr<endorsement::PcsClient> pcs_;
  std::unique_ptr<endorsement::Refresher> refresher_;
};

}  // namespace portcullis::kbs
