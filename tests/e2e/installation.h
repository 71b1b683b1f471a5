#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/e2e/cluster.h"
#include "tests/lab/snp_lab.h"

namespace portcullis::e2e {

inline constexpr const char* kSystemNamespace = "portcullis";
inline constexpr const char* kTeam = "team-a";

/// Portcullis on a Cluster: certificates made, chart installed by helm, broker, controller and webhook run as
/// local processes with the chart's configuration and the tokens of the chart's service accounts.
class Installation {
 public:
  /// `folder` gets certificates, keys, database and logs.
  static Result<std::unique_ptr<Installation>> Prepare(Cluster& cluster, const std::filesystem::path& folder);

  Result<> InstallChart();
  Result<> StartBroker(const std::map<std::string, std::string>& environment = {});
  Result<> StartController();
  /// A controller that is to die at a fail point, maybe before it is ready.
  Result<> StartDoomedController(const std::string& fail_point);
  /// A killed leader leaves its Lease behind for 15 s; without it the next one need not wait.
  Result<> DropLease();
  Result<> StartWebhook();
  Result<> StartAll();

  Process& broker() { return *broker_; }
  Process& controller() { return *controller_; }
  Process& webhook() { return *webhook_; }
  Cluster& cluster() { return cluster_; }
  const lab::LabPki& pki() const { return *pki_; }

  /// The portcullis CLI with the broker's address and an auditor's certificate; stdout and exit code.
  Result<Finished> Cli(std::vector<std::string> arguments, std::string_view input = "");
  /// The body of an ops port's path: "broker", "controller" or "webhook". "" where it does not answer.
  std::string Ops(const std::string& component, const std::string& path) const;
  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path logs() const { return folder_ / "log"; }
  std::filesystem::path database() const { return folder_ / "kbs.db"; }
  std::filesystem::path pki_folder() const { return folder_ / "lab-pki"; }

 private:
  Installation(Cluster& cluster, std::filesystem::path folder)
      : cluster_(cluster), folder_(std::move(folder)) {}
  Result<> MakeRoots();
  Result<> MakeCertificates();
  std::string Values() const;
  Result<> ExtractConfiguration(const std::string& config_map, const std::string& entry);
  Result<Process> LaunchController(const std::map<std::string, std::string>& environment);
  Result<> AwaitReady(Process& process, const std::string& component);

  Cluster& cluster_;
  const std::filesystem::path folder_;
  std::optional<lab::LabPki> pki_;
  std::uint16_t guest_port_ = 0, broker_port_ = 0, webhook_port_ = 0;
  std::map<std::string, std::uint16_t> ops_ports_;
  std::optional<Process> broker_, controller_, webhook_;
};

}  // namespace portcullis::e2e
