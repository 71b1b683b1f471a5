// portcullis-demo: the main job on a throw-away control plane, told as it goes. Exit code 0 where everything
// came out as it must. tests/e2e/demo.sh sets the folders up and cleans them away.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

#include "codec/text.h"
#include "kube/objects.h"
#include "tests/e2e/main_job.h"

namespace portcullis::e2e {
namespace {

using codec::Json;

const auto kStarted = std::chrono::steady_clock::now();
bool colour = false;

std::string Paint(const char* code, const std::string& text) {
  return colour ? std::string(code) + text + "\033[0m" : text;
}
std::string Green(const std::string& text) { return Paint("\033[32m", text); }
std::string Red(const std::string& text) { return Paint("\033[31m", text); }
std::string Bold(const std::string& text) { return Paint("\033[1m", text); }

void Say(const std::string& line) {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - kStarted).count();
  std::printf("[%6.1f s] %s\n", elapsed, line.c_str());
  std::fflush(stdout);
}

class Checklist {
 public:
  void Expect(bool holds, const std::string& claim) {
    Say("   " + (holds ? Green("ok   ") : Red("WRONG")) + " " + claim);
    all_hold_ = all_hold_ && holds;
  }
  bool all_hold() const { return all_hold_; }

 private:
  bool all_hold_ = true;
};

void Tell(const PodStory& story, MainJob& job, Checklist& checks) {
  Say(Bold("pod " + story.name) + ": " + story.about);
  if (!story.admitted) {
    Say("   admission: " + story.refusal);
    checks.Expect(story.as_expected(), "refused at admission, with the field to change");
    return;
  }
  Say("   event: " + story.event);
  if (story.agent_exit_code != 0)
    Say("   agent (exit " + std::to_string(story.agent_exit_code) + "): " + story.agent_line);
  checks.Expect(story.as_expected(),
                story.expected_reasons.empty() ? "released" : "denied with " + story.reason);
  checks.Expect(story.audit_sequence > 0, "audit row " + std::to_string(story.audit_sequence));
  if (!story.expected_reasons.empty()) {
    const auto release = job.KeyReleaseOf(story.name);
    const std::string name =
        "portcullis-" + (release ? std::string(release->TextAt({"spec", "releaseId"})) : "");
    const auto secret = job.SecretExists(name);
    checks.Expect(release && secret && !*secret && !job.SecretWasEverWritten(name),
                  "no Secret exists, and by the API server's audit log none ever did");
    return;
  }
  checks.Expect(story.unsealed == job.model_key(), "the agent's unsealed bytes equal the key owner's");
  checks.Expect(story.sealed_variable.starts_with("{\"protected\""),
                "the Secret holds a JWE and nothing else");
  const auto secret = job.installation().cluster().api().Get(kube::kSecrets, {kTeam, story.secret});
  checks.Expect(
      secret && secret->TextAt({"type"}) == kube::kSealedKeySecretType &&
          secret->Find("immutable") != nullptr && secret->Find("data")->if_object()->size() == 1 &&
          secret->At({"metadata", "ownerReferences"})->if_array()->front().TextAt({"kind"}) == "Pod",
      "Secret " + story.secret + " is immutable, of our type, owned by the pod");
  checks.Expect(story.main_started, "the main container started once the Secret was there, and not before");
}

std::int64_t CountOf(const std::string& exposition, const std::string& series) {
  const auto at = exposition.find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::atoll(exposition.c_str() + at + series.size() + 2);
}

Result<> CheckRecords(MainJob& job, const std::vector<PodStory>& stories, Checklist& checks) {
  Installation& installation = job.installation();
  Say(Bold("metrics and audit log"));
  const std::string exposition = installation.Ops("broker", "/metrics");
  for (const PodStory& story : stories) {
    if (!story.admitted) continue;
    const std::string series = "portcullis_decisions_total{reason=\"" + story.reason + "\",tee=\"" +
                               story.tee + "\",verdict=\"" + story.verdict + "\"}";
    checks.Expect(CountOf(exposition, series) >= 1, "metric " + series);
  }
  const auto database = installation.database().string();
  const auto identity = TRY(installation.Cli({"kbs", "status", "-o", "json"}));
  WriteText(installation.folder() / "identity.json", identity.output);
  const Json status = TRY(codec::ParseJson(identity.output));
  const std::string key(status.TextAt({"identity", "auditKey"}));
  const auto rows = TRY(installation.Cli({"audit", "tail", "-o", "json"}));
  for (const PodStory& story : stories)
    if (story.admitted)
      checks.Expect(rows.output.find("team-a/" + story.name) != std::string::npos,
                    "audit row of pod " + story.name);
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // a checkpoint is signed each second
  const auto intact = TRY(installation.Cli({"audit", "verify", database, "--key", key}));
  checks.Expect(intact.exit_code == 0, "portcullis audit verify: intact");

  const auto copy = (installation.folder() / "tampered.db").string();
  const auto sqlite = [&](const std::string& file, const std::string& statement) -> Result<> {
    const auto log = installation.logs() / "sqlite.log";
    if (TRY(RunCommand({"sqlite3", file, statement}, log)).exit_code != 0)
      return Error{ReasonCode::kInternalError, "sqlite3 failed", ReadText(log)};
    return Done{};
  };
  TRY(sqlite(database, ".backup '" + copy + "'"));
  // An attacker with the file is not held by the table's own guard.
  TRY(sqlite(copy,
             "DROP TRIGGER IF EXISTS audit_rows_keep; UPDATE audit_rows SET canonical = replace(canonical, "
             "'deny', 'denx') WHERE sequence = "
             "(SELECT min(sequence) FROM audit_rows WHERE canonical LIKE '%\"deny\"%')"));
  const auto broken = TRY(installation.Cli({"audit", "verify", copy, "--key", key}));
  Say("   " + broken.output.substr(0, broken.output.find('\n')));
  checks.Expect(broken.exit_code == 1, "and unhappy after one byte of the log is changed");
  return Done{};
}

void PrintTable(const std::vector<PodStory>& stories) {
  std::printf("\n%-20s %-5s %-8s %-9s %-24s %-46s %s\n", "POD", "TEE", "POLICY", "VERDICT", "REASON",
              "SECRET", "TIME TO KEY");
  for (const PodStory& story : stories) {
    char seconds[32] = "-";
    if (story.verdict == "allow") std::snprintf(seconds, sizeof seconds, "%.1f s", story.seconds_to_key);
    const std::string reason =
        story.admitted ? (story.reason.empty() ? "-" : story.reason) : "NotConfidential";
    std::printf("%-20s %-5s %-8s %-9s %-24s %-46s %s\n", story.name.c_str(),
                story.tee.empty() ? "none" : story.tee.c_str(), kPolicyName,
                story.admitted ? story.verdict.c_str() : "refused", reason.c_str(),
                story.secret.empty() ? "none" : story.secret.c_str(), seconds);
  }
  std::printf("\n");
}

Result<bool> Run(const std::filesystem::path& folder, const std::filesystem::path& volumes) {
  Checklist checks;
  Say("starting etcd, kube-apiserver and kube-controller-manager on loopback");
  const auto cluster = TRY(Cluster::Start(folder / "control-plane"));
  Say("making certificates and the lab's roots of trust");
  const auto installation = TRY(Installation::Prepare(*cluster, folder / "portcullis"));
  MainJob job(*installation, volumes, [](const std::string& line) { Say("   " + line); });
  Say("helm install portcullis");
  TRY(installation->InstallChart());
  TRY(job.PrepareCluster());
  Say("starting broker, webhook and controller with the chart's configuration and service accounts");
  TRY(installation->StartAll());
  Say(Bold("the key owner publishes a wrapped key and a signed policy"));
  TRY(job.PublishKeyAndPolicy());

  std::vector<PodStory> stories = MainJob::Pods();
  for (PodStory& story : stories) {
    TRY_AT(story.name, job.RunPod(story));
    Tell(story, job, checks);
  }
  TRY(CheckRecords(job, stories, checks));

  Say(Bold("pod a is deleted"));
  TRY(job.DeletePod("a-right"));
  checks.Expect(true, "the Secret is gone and the release is revoked");
  checks.Expect(CountOf(installation->Ops("broker", "/metrics"),
                        "portcullis_revocations_total{cause=\"PodDeleted\"}") >= 1,
                "metric portcullis_revocations_total{cause=\"PodDeleted\"}");
  checks.Expect(
      TRY(installation->Cli({"audit", "tail", "-o", "json"})).output.find("revocation") != std::string::npos,
      "audit row of the revocation");

  Say(Bold("the model key is searched for in etcd, logs, API objects, metrics and the broker's database"));
  const auto leaks = TRY(job.FindLeaks());
  for (const std::string& leak : leaks) Say("   found in " + leak);
  checks.Expect(leaks.empty(), "found nowhere");
  for (Process* process : {&installation->broker(), &installation->controller(), &installation->webhook()}) {
    const std::string limits = ReadText("/proc/" + std::to_string(process->pid()) + "/limits");
    checks.Expect(limits.find("Max core file size        0                    0") != std::string::npos,
                  "process " + std::to_string(process->pid()) + " leaves no core");
  }
  PrintTable(stories);
  return checks.all_hold();
}

}  // namespace
}  // namespace portcullis::e2e

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: portcullis-demo FOLDER MEMORY_FOLDER   (run it by make demo)\n";
    return 2;
  }
  portcullis::e2e::colour = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  signal(SIGPIPE, SIG_IGN);
  const auto good = portcullis::e2e::Run(argv[1], argv[2]);
  if (!good) {
    portcullis::e2e::Say(portcullis::e2e::Red("could not go on: " + good.error().ToString()));
    return 1;
  }
  portcullis::e2e::Say(*good ? portcullis::e2e::Green("everything came out as it must")
                             : portcullis::e2e::Red("something came out wrong; see the lines marked WRONG"));
  return *good ? 0 : 1;
}
