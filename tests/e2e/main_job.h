#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/e2e/installation.h"
#include "tests/e2e/kubelet.h"

namespace portcullis::e2e {

inline constexpr const char* kPolicyName = "llama";
inline constexpr const char* kKeyName = "llama-70b";
inline constexpr const char* kSnpRuntimeClass = "kata-qemu-snp";
inline constexpr const char* kTdxRuntimeClass = "kata-qemu-tdx";

/// One pod of the main job, and what became of it everywhere that it shows.
struct PodStory {
  std::string name;                           // "a-right-measurement"
  std::string about;                          // for people
  std::vector<std::string> expected_reasons;  // one of these must be the reason; empty: released
  std::string tee = "snp";                    // what the pod's RuntimeClass starts it in
  // What was seen.
  bool admitted = false;
  std::string refusal;  // admission's message, where refused
  std::string verdict, reason;
  std::vector<std::string> all_reasons;
  std::string secret;  // its name, "" where there is none
  std::string agent_line;
  int agent_exit_code = -1;
  bool main_started = false;
  std::string unsealed, sealed_variable;
  std::string event;  // "Denied: …"
  std::int64_t audit_sequence = 0;
  double seconds_to_key = 0;
  bool as_expected() const;
};

/// Says a line of progress.
using Narrator = std::function<void(const std::string&)>;

/// The main job, step by step, on an Installation. Each step is an Error where it could not be done; whether
/// what came of it is right is for the caller to judge.
class MainJob {
 public:
  MainJob(Installation& installation, std::filesystem::path volumes, Narrator narrate)
      : installation_(installation),
        kubelet_(installation, std::move(volumes)),
        narrate_(std::move(narrate)) {}

  /// RuntimeClass, Node, service account: what a cluster has before Portcullis.
  Result<> PrepareCluster();
  /// The key owner's part, with the CLI alone: authority key, wrapped model key, signed policy; both applied
  /// and accepted.
  Result<> PublishKeyAndPolicy();
  /// The nine pods, in order.
  static std::vector<PodStory> Pods();
  Result<> RunPod(PodStory& story);
  /// Deletes the pod and waits until its Secret is gone and the broker says Revoked.
  Result<> DeletePod(const std::string& name);

  /// The model key's bytes: what must be found in the guest alone.
  const std::string& model_key() const { return model_key_; }
  /// Where the model key's bytes were found outside the guest, raw, in hex or base64; empty is right.
  Result<std::vector<std::string>> FindLeaks();
  Kubelet& kubelet() { return kubelet_; }
  Installation& installation() { return installation_; }

  /// The pod's KeyRelease.
  Result<codec::Json> KeyReleaseOf(const std::string& pod);
  Result<bool> SecretExists(const std::string& name);
  /// The phase of a release, as the CLI shows it.
  Result<std::string> PhaseAtBroker(const std::string& id);
  /// Whether any of our accounts ever wrote a Secret of this name, by the API server's own audit log.
  bool SecretWasEverWritten(const std::string& name) const;
  /// Creates a pod through the real admission webhook; Error with its message where refused.
  Result<codec::Json> CreatePod(const std::string& name, const std::string& runtime_class = kSnpRuntimeClass);

 private:
  HostConduct ConductFor(const PodStory& story, const codec::Json& pod) const;
  Result<> AwaitDecision(PodStory& story);
  Result<> AwaitAccepted(const kube::Resource& resource, const std::string& name);
  Installation& installation_;
  Kubelet kubelet_;
  Narrator narrate_;
  std::string model_key_;
};

}  // namespace portcullis::e2e
