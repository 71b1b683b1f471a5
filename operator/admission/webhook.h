#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "kube/informer.h"
#include "operator/admission/broker_identities.h"
#include "operator/admission/certificate.h"
#include "operator/admission/pod_rules.h"
#include "operator/broker.h"

namespace portcullis::control {

/// The admission webhook: /mutate and /validate over TLS with its own certificates, informed of policies and
/// keys. Serves on every replica; no leader is needed.
class Webhook {
 public:
  /// Starts informers, certificate refresh and the server. Waits for the API server until `stop_requested`;
  /// nullptr then. Errors: ConfigurationInvalid, Forbidden, Unreachable.
  static Result<std::unique_ptr<Webhook>> Start(const Options& options, kube::Api& api, Broker& broker,
                                                Random& random, const Clock& clock, metrics::Metrics& metrics,
                                                const std::atomic<bool>& stop_requested);
  ~Webhook();
  /// "" when ready; else the step that is missing.
  std::string NotReady() const;
  std::uint16_t port() const { return server_->port(); }

 private:
  Webhook(const Options& options, kube::Api& api, Broker& broker, Random& random, const Clock& clock,
          metrics::Metrics& metrics);
  http::Response Review(const http::Request& request, bool mutate);
  AdmissionContext Context() const;
  void RefreshLoop();
  void RefreshIdentity();
  /// Asks the broker now, unless somebody did within a second: a pod names an identity that we do not know,
  /// and another replica may have learnt of it before us.
  void RefreshIdentityForPod();

  const Options options_;
  kube::Api& api_;
  Broker& broker_;
  Random& random_;
  const Clock& clock_;
  metrics::Metrics& metrics_;
  WebhookCertificate certificate_;
  kube::Informer policies_, keys_;
  std::mutex refresh_mutex_;
  mutable std::mutex mutex_;
  BrokerIdentities identities_;
  SteadyTime identity_asked_{};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace portcullis::control
