#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "kube/kube.h"
#include "metrics/metrics.h"

namespace portcullis::control {

/// The webhook's own certificates: a CA of a year kept in one Secret that the first replica creates, a leaf
/// of a week that each replica makes in memory, both renewed at two thirds of their life. The webhook
/// configurations' caBundle holds the new CA and, while it is valid, the one before, so that replicas can
/// rotate apart.
class WebhookCertificate {
 public:
  struct Target {
    std::string namespace_name, secret, service;
    std::string mutating_configuration, validating_configuration;
  };
  WebhookCertificate(kube::Api& api, Target target, const Clock& clock, metrics::Metrics& metrics)
      : api_(api), target_(std::move(target)), clock_(clock), metrics_(metrics) {}

  /// Makes all of it so; called at start and every minute. Errors: those of the API server.
  Result<> Refresh();
  /// PEM chain and key of the current leaf; empty before the first Refresh().
  std::pair<std::string, std::shared_ptr<const SecretBytes>> Current() const;
  /// True once both configurations trust our CA.
  bool trusted() const;

 private:
  struct Authority {
    std::string certificate_pem, previous_pem;
    SecretBytes key_pem;
  };
  Result<Authority> LoadAuthority();
  Result<Authority> MakeAuthority(const codec::Json* existing);
  Result<> RenewLeaf(const Authority& authority);
  Result<> PublishBundle(const kube::Resource& resource, const std::string& name,
                         const std::string& bundle_pem);

  kube::Api& api_;
  const Target target_;
  const Clock& clock_;
  metrics::Metrics& metrics_;
  mutable std::mutex mutex_;
  std::string leaf_pem_, leaf_authority_pem_;
  std::shared_ptr<const SecretBytes> leaf_key_pem_;
  WallTime leaf_renewal_{};
  bool trusted_ = false;
};

}  // namespace portcullis::control
