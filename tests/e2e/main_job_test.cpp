#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "codec/text.h"
#include "kube/objects.h"
#include "tests/e2e/fixture.h"

namespace portcullis::e2e {
namespace {

using codec::Json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The nine pods of the main job, run once for all tests.
std::vector<PodStory>& Stories() {
  static std::vector<PodStory> stories = [] {
    auto pods = MainJob::Pods();
    for (PodStory& story : pods) {
      const auto ran = World::Get().job().RunPod(story);
      EXPECT_TRUE(ran) << (ran ? "" : ran.error().ToString());
    }
    return pods;
  }();
  return stories;
}

class MainJobPod : public ::testing::TestWithParam<std::size_t> {
 protected:
  PodStory& story() { return Stories()[GetParam()]; }
};

TEST_P(MainJobPod, EndsAsItMust) {
  EXPECT_TRUE(story().as_expected()) << "verdict " << story().verdict << ", reason " << story().reason
                                     << ", agent said " << story().agent_line << ", refusal "
                                     << story().refusal;
}

TEST_P(MainJobPod, ShowsInEventKeyReleaseMetricAndAuditRow) {
  if (!story().admitted) {
    EXPECT_THAT(World::Get().installation().Ops("webhook", "/metrics"),
                HasSubstr("portcullis_webhook_admissions_total{reason=\"NotConfidential\""));
    return;
  }
  const auto release = World::Get().job().KeyReleaseOf(story().name);
  ASSERT_TRUE(release);
  for (const char* condition : {"Registered", "Attested", "Released", "Ready"})
    EXPECT_NE(kube::FindCondition(*release->Find("status"), condition), nullptr) << condition;
  const bool denied = !story().expected_reasons.empty();
  EXPECT_EQ(kube::IsConditionTrue(*release->Find("status"), "Ready"), !denied);
  EXPECT_THAT(story().event, HasSubstr(denied ? "Denied: " + story().reason : "Released: "));
  if (denied) {
    const Json* checks = release->At({"status", "failedChecks"});
    ASSERT_NE(checks, nullptr);
    EXPECT_FALSE(checks->if_array()->front().TextAt({"expected"}).empty());
    EXPECT_FALSE(checks->if_array()->front().TextAt({"actual"}).empty());
  }
  EXPECT_THAT(World::Get().installation().Ops("broker", "/metrics"),
              HasSubstr("portcullis_decisions_total{reason=\"" + story().reason + "\",tee=\"" + story().tee +
                        "\",verdict=\"" + story().verdict + "\"}"));
  EXPECT_EQ(release->TextAt({"status", "tee"}), story().tee);
  EXPECT_GT(story().audit_sequence, 0);
  const auto rows = World::Get().installation().Cli({"audit", "tail", "-o", "json"});
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->output, HasSubstr("team-a/" + story().name));
}

TEST_P(MainJobPod, HasASecretOnlyWhereTheKeyWasReleased) {
  if (!story().admitted) return;
  const auto release = World::Get().job().KeyReleaseOf(story().name);
  ASSERT_TRUE(release);
  const std::string name = "portcullis-" + std::string(release->TextAt({"spec", "releaseId"}));
  const auto exists = World::Get().job().SecretExists(name);
  ASSERT_TRUE(exists);
  EXPECT_EQ(*exists, story().expected_reasons.empty());
  EXPECT_EQ(World::Get().job().SecretWasEverWritten(name), story().expected_reasons.empty());
  EXPECT_EQ(story().main_started, story().expected_reasons.empty());
}

INSTANTIATE_TEST_SUITE_P(All, MainJobPod, ::testing::Range<std::size_t>(0, 9), [](const auto& instance) {
  std::string name = MainJob::Pods()[instance.param].name;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(MainJob, UnsealsExactlyTheOwnersKeyInEachGuest) {
  std::set<std::string> tees;
  for (const PodStory& story : Stories()) {
    if (!story.expected_reasons.empty()) continue;
    EXPECT_EQ(story.unsealed, World::Get().job().model_key()) << story.name;
    tees.insert(story.tee);
  }
  EXPECT_EQ(tees, (std::set<std::string>{"snp", "tdx"}));
}

TEST(MainJob, KeepsAnImmutableSecretOwnedByThePodThatHoldsOnlyAJwe) {
  const auto secret = World::Get().cluster().api().Get(kube::kSecrets, {kTeam, Stories()[0].secret});
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->TextAt({"type"}), "portcullis.dev/sealed-key");
  EXPECT_EQ(*secret->Find("immutable"), Json(true));
  ASSERT_EQ(secret->Find("data")->if_object()->size(), 1u);
  EXPECT_EQ(secret->At({"metadata", "ownerReferences"})->if_array()->front().TextAt({"name"}), "a-right");
  const auto jwe = codec::ParseJson(Stories()[0].sealed_variable);
  ASSERT_TRUE(jwe);
  for (const char* member : {"protected", "encrypted_key", "iv", "ciphertext", "tag"})
    EXPECT_FALSE(jwe->TextAt({member}).empty()) << member;
  EXPECT_EQ(jwe->if_object()->size(), 5u);
}

TEST(MainJob, RefusesChangesOfWhatTheWebhookWrote) {
  Stories();
  for (const char* patch :
       {R"({"metadata":{"labels":{"portcullis.dev/release-id":"00000000000000000000000000000000"}}})",
        R"({"metadata":{"annotations":{"io.katacontainers.config.hypervisor.cc_init_data":"x"}}})",
        R"({"metadata":{"labels":{"portcullis.dev/policy":"other"}}})"}) {
    const auto change = codec::ParseJson(patch);
    const auto patched = World::Get().cluster().api().Patch(kube::kPods, {kTeam, "a-right"}, "",
                                                            kube::PatchType::kMerge, *change);
    ASSERT_FALSE(patched) << patch;
    EXPECT_THAT(patched.error().ToString(), HasSubstr("ImmutableField"));
  }
}

TEST(MainJob, ExposesMetricsThatPromtoolFindsNothingWrongWith) {
  Stories();
  for (const char* component : {"broker", "controller", "webhook"}) {
    const std::string exposition = World::Get().installation().Ops(component, "/metrics");
    const auto log = World::Get().installation().logs() / "promtool.log";
    const auto checked = RunCommand({"promtool", "check", "metrics"}, log, {}, exposition.substr(0, 60'000));
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->exit_code, 0) << component << ": " << checked->output << ReadText(log);
  }
}

TEST(MainJob, VerifiesItsAuditLogAndFindsOneChangedByte) {
  Stories();
  Installation& installation = World::Get().installation();
  const auto status = installation.Cli({"kbs", "status", "-o", "json"});
  ASSERT_TRUE(status);
  const auto identity = codec::ParseJson(status->output);
  ASSERT_TRUE(identity) << status->output;
  const std::string key(identity->TextAt({"identity", "auditKey"}));
  EXPECT_TRUE(Eventually(std::chrono::seconds(10), [&] {
    const auto verified =
        installation.Cli({"audit", "verify", installation.database().string(), "--key", key});
    return verified && verified->exit_code == 0;
  }));
  const std::string copy = (installation.folder() / "tampered.db").string();
  const auto log = installation.logs() / "sqlite.log";
  ASSERT_EQ(
      RunCommand({"sqlite3", installation.database().string(), ".backup '" + copy + "'"}, log)->exit_code, 0)
      << ReadText(log);
  ASSERT_EQ(RunCommand({"sqlite3", copy,
                        "DROP TRIGGER audit_rows_keep; UPDATE audit_rows SET canonical = "
                        "replace(canonical, 'allow', 'alloW') WHERE canonical LIKE '%\"allow\"%'"},
                       log)
                ->exit_code,
            0)
      << ReadText(log);
  const auto broken = installation.Cli({"audit", "verify", copy, "--key", key});
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->exit_code, 1) << broken->output;
}

TEST(MainJob, LeavesNoCore) {
  Installation& installation = World::Get().installation();
  for (const Process* process : {&installation.broker(), &installation.controller(), &installation.webhook()})
    EXPECT_THAT(ReadText("/proc/" + std::to_string(process->pid()) + "/limits"),
                HasSubstr("Max core file size        0                    0"));
}

TEST(MainJob, UsesNoRightThatTheChartDoesNotGive) {
  Stories();
  // What the API server denied to the chart's own accounts, from its audit log.
  std::istringstream lines(ReadText(World::Get().cluster().Variable("AUDIT_LOG")));
  int seen = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("system:serviceaccount:portcullis:portcullis-") == std::string::npos) continue;
    ++seen;
    EXPECT_THAT(line, Not(HasSubstr("\"code\":403"))) << line;
    const auto event = codec::ParseJson(line);
    ASSERT_TRUE(event);
    if (event->TextAt({"objectRef", "resource"}) == "secrets") {
      EXPECT_NE(event->TextAt({"verb"}), "list");
      EXPECT_NE(event->TextAt({"verb"}), "watch");
    }
  }
  EXPECT_GT(seen, 20);
}

/// Runs after the pods' own tests, since it takes one of them away. (Parameterised suites run after plain
/// ones.)
class MainJobEnd : public ::testing::TestWithParam<int> {};

TEST_P(MainJobEnd, LeavesTheKeyNowhereOutsideTheGuest) {
  Stories();
  const auto leaks = World::Get().job().FindLeaks();
  ASSERT_TRUE(leaks) << leaks.error().ToString();
  EXPECT_THAT(*leaks, IsEmpty());
}

TEST_P(MainJobEnd, FindsAKeyThatWasLeaked) {
  // The search itself: a key planted in a log must be found, raw and encoded.
  MainJob& job = World::Get().job();
  for (const std::string& form : {job.model_key(), codec::EncodeHex(AsBytes(job.model_key())),
                                  codec::EncodeBase64(AsBytes("y" + job.model_key())),
                                  codec::EncodeBase64Url(AsBytes(job.model_key()))}) {
    const auto planted = World::Get().installation().logs() / "planted.log";
    WriteText(planted, "noise " + form + " noise");
    const auto leaks = job.FindLeaks();
    std::filesystem::remove(planted);
    ASSERT_TRUE(leaks);
    EXPECT_FALSE(leaks->empty());
  }
}

TEST_P(MainJobEnd, RevokesWhenThePodIsDeleted) {
  Stories();
  const auto revoked = World::Get().job().DeletePod("a-right");
  EXPECT_TRUE(revoked) << revoked.error().ToString();
  EXPECT_THAT(World::Get().installation().Ops("broker", "/metrics"),
              HasSubstr("portcullis_revocations_total{cause=\"PodDeleted\"}"));
  const auto rows = World::Get().installation().Cli({"audit", "tail", "-o", "json"});
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->output, HasSubstr("revocation"));
}

TEST_P(MainJobEnd, SaysWhichRightIsMissingWhereTheNamespaceIsNotBound) {
  Stories();
  const std::string binding = "portcullis-release-secrets", pod_name = "z-unbound";
  MainJob& job = World::Get().job();
  Cluster& cluster = World::Get().cluster();
  ASSERT_TRUE(cluster.Kubectl({"delete", "rolebinding", binding, "-n", kTeam}));
  const auto pod = job.CreatePod(pod_name);
  ASSERT_TRUE(pod) << pod.error().ToString();
  HostConduct conduct;
  conduct.launch = lab::LaunchState::Milan();
  auto agent =
      job.kubelet().StartAgent(*pod, conduct, World::Get().installation().logs() / (pod_name + ".log"));
  ASSERT_TRUE(agent);
  const auto ready_reason = [&] {
    const auto release = job.KeyReleaseOf(pod_name);
    const Json* status = release ? release->Find("status") : nullptr;
    const Json* ready = status == nullptr ? nullptr : kube::FindCondition(*status, "Ready");
    return ready == nullptr ? "" : std::string(ready->TextAt({"reason"}));
  };
  EXPECT_TRUE(Eventually(std::chrono::seconds(20), [&] { return ready_reason() == "Forbidden"; }))
      << ready_reason();
  EXPECT_TRUE(Eventually(std::chrono::seconds(10), [&] {
    const auto events = cluster.api().List(kube::kEvents, kTeam, {});
    return events && std::ranges::any_of(events->items, [&](const Json& event) {
             return event.TextAt({"regarding", "uid"}) == kube::UidOf(*pod) &&
                    event.TextAt({"reason"}) == "Forbidden" &&
                    event.TextAt({"note"}).find("releaseNamespaces") != std::string_view::npos;
           });
  }));
  ASSERT_TRUE(cluster.Kubectl({"create", "rolebinding", binding, "-n", kTeam, "--clusterrole=" + binding,
                               "--serviceaccount=portcullis:portcullis-controller"}));
  EXPECT_TRUE(Eventually(std::chrono::seconds(60), [&] { return ready_reason() == "Released"; }))
      << "the right came: " << ready_reason();
}

INSTANTIATE_TEST_SUITE_P(Last, MainJobEnd, ::testing::Values(0));

}  // namespace
}  // namespace portcullis::e2e
