#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "kube/kube.h"
#include "metrics/metrics.h"
#include "tests/e2e/process.h"

namespace portcullis::e2e {

/// A throw-away control plane on loopback (tests/controlplane), with an administrator's connection to it.
/// Stopped and removed when the object goes.
class Cluster {
 public:
  /// `folder` is made. Error: InternalError, naming the log.
  static Result<std::unique_ptr<Cluster>> Start(const std::filesystem::path& folder);
  ~Cluster();

  kube::Api& api() { return *api_; }
  std::string kubectl() const { return (bin_ / "kubectl").string(); }
  std::string helm() const { return (bin_ / "helm").string(); }
  std::filesystem::path kubeconfig() const { return folder_ / "admin.kubeconfig"; }
  const std::filesystem::path& folder() const { return folder_; }
  std::string Variable(const std::string& name) const;  // of DIR/env

  /// kubectl as administrator; stdout. Error where it exits non-zero.
  Result<std::string> Kubectl(std::vector<std::string> arguments, std::string_view input = "");
  /// A kubeconfig with a fresh token of a service account, bound to nothing else.
  Result<std::filesystem::path> KubeconfigFor(const std::string& namespace_name,
                                              const std::string& service_account);

 private:
  explicit Cluster(std::filesystem::path folder) : folder_(std::move(folder)), metrics_("controller") {}
  std::filesystem::path folder_, bin_;
  metrics::Metrics metrics_;
  std::unique_ptr<kube::Api> api_;
};

/// The root of the source tree, from the environment (PORTCULLIS_SOURCE) or as built.
std::filesystem::path SourceRoot();
/// Where this executable's siblings are.
std::filesystem::path BinFolder();

}  // namespace portcullis::e2e
