#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "kube/kube.h"
#include "tests/e2e/installation.h"
#include "tests/lab/launch_state.h"
#include "tests/lab/tdx_state.h"

namespace portcullis::e2e {

/// What a pretended host does to a pod; by default it launches what was admitted.
struct HostConduct {
  lab::LaunchState launch;               // HOST_DATA is set from the init-data that is launched
  std::optional<lab::TdState> td;        // in place of it: a TD, with MRCONFIGID likewise
  std::optional<std::string> init_data;  // another annotation than the pod's: changed after admission
  std::filesystem::path record,
      replay;  // of the attestation request, see tests/lab/programs/agent_lab_main.cpp
  std::chrono::seconds agent_timeout{30};
};

/// Plays kubelet and host for pods: runs the injected agent as a process with the pod's own arguments,
/// environment and memory volume, holds the main container while a Secret that its environment needs is
/// missing, reports status.
class Kubelet {
 public:
  Kubelet(Installation& installation, std::filesystem::path volumes)
      : installation_(installation), volumes_(std::move(volumes)) {}

  struct Outcome {
    int agent_exit_code = -1;
    std::string agent_line;  // what the agent said last
    bool main_started = false;
    std::string unsealed;         // the key file's content, as the workload would read it
    std::string sealed_variable;  // PORTCULLIS_SEALED_KEY as the main container gets it
  };
  /// Runs a pod's start to its end: init container, then the main container as far as it may start.
  Result<Outcome> RunPod(const kube::ObjectKey& pod, const HostConduct& conduct);
  /// Starts the init container only.
  Result<Process> StartAgent(const codec::Json& pod, const HostConduct& conduct,
                             const std::filesystem::path& log);
  std::filesystem::path VolumeOf(const codec::Json& pod) const;

 private:
  Result<> Report(const kube::ObjectKey& pod, const codec::Json& status);
  /// The value of a secretKeyRef; "" while the Secret is missing.
  Result<std::string> SecretValue(const codec::Json& pod, const codec::Json& variable);
  Installation& installation_;
  const std::filesystem::path volumes_;
};

}  // namespace portcullis::e2e
