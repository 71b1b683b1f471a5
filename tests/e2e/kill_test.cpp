// The controller killed between any two steps: nothing is released without an audit row, and nothing stays
// stuck.
#include <gmock/gmock.h>
#include <signal.h>

#include <sstream>

#include "kube/objects.h"
#include "tests/e2e/fixture.h"

namespace portcullis::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ControllerKilledAt : public ::testing::TestWithParam<const char*> {};

std::string PodNameFor(const std::string& fail_point) {
  std::string name = "k-" + fail_point;
  std::ranges::replace(name, '.', '-');
  return name;
}

TEST_P(ControllerKilledAt, ThePodStillGetsItsKeyAfterARestart) {
  World& world = World::Get();
  Installation& installation = world.installation();
  const std::string fail_point = GetParam(), pod_name = PodNameFor(fail_point);
  installation.controller().Stop();
  ASSERT_TRUE(installation.StartDoomedController(fail_point));

  const auto pod = world.job().CreatePod(pod_name);
  ASSERT_TRUE(pod) << pod.error().ToString();
  HostConduct conduct;
  conduct.launch = lab::LaunchState::Milan();
  conduct.agent_timeout = std::chrono::seconds(60);
  auto agent = world.job().kubelet().StartAgent(*pod, conduct, installation.logs() / (pod_name + ".log"));
  ASSERT_TRUE(agent);
  const auto died = installation.controller().Wait(std::chrono::seconds(40));
  ASSERT_TRUE(died) << "the controller did not reach " << fail_point;
  EXPECT_EQ(*died, 128 + SIGKILL);

  // What exists now is covered: a Secret has its allow row.
  const std::string release_id(kube::LabelOf(*pod, kube::kReleaseIdLabel));
  const auto secret = world.job().SecretExists("portcullis-" + release_id);
  ASSERT_TRUE(secret);
  const auto rows = installation.Cli({"audit", "tail", "-o", "json"});
  ASSERT_TRUE(rows);
  if (*secret) {
    EXPECT_THAT(rows->output, HasSubstr("team-a/" + pod_name));
  }

  ASSERT_TRUE(installation.DropLease());
  ASSERT_TRUE(installation.StartController());
  EXPECT_EQ(agent->Wait(std::chrono::seconds(60)).value_or(-1), 0)
      << ReadText(installation.logs() / (pod_name + ".log"));
  EXPECT_TRUE(Eventually(std::chrono::seconds(30), [&] {
    const auto release = world.job().KeyReleaseOf(pod_name);
    const auto exists = world.job().SecretExists("portcullis-" + release_id);
    return release && release->Find("status") != nullptr &&
           kube::IsConditionTrue(*release->Find("status"), "Ready") && exists && *exists;
  })) << "stuck after the restart";
}

INSTANTIATE_TEST_SUITE_P(Steps, ControllerKilledAt,
                         ::testing::Values("keyrelease.create", "release.register", "secret.write",
                                           "secret.written", "status.patch", "event.emit"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(ControllerKilledAtSecretDelete, TheSecretIsStillTakenAway) {
  World& world = World::Get();
  Installation& installation = world.installation();
  PodStory story = MainJob::Pods().front();
  story.name = "a-finished";
  ASSERT_TRUE(world.job().RunPod(story));
  ASSERT_TRUE(story.as_expected()) << story.agent_line;
  installation.controller().Stop();
  ASSERT_TRUE(installation.StartDoomedController("secret.delete"));
  // A pod that ends and stays: the garbage collector takes nothing of it.
  ASSERT_TRUE(world.cluster().api().Patch(
      kube::kPods, {kTeam, story.name}, "status", kube::PatchType::kMerge,
      codec::Json::Object({{"status", codec::Json::Object({{"phase", "Succeeded"}})}})));
  const auto died = installation.controller().Wait(std::chrono::seconds(40));
  ASSERT_TRUE(died) << "the controller did not reach secret.delete";
  EXPECT_EQ(*died, 128 + SIGKILL);

  // Revoked first, with its row: the Secret that is still there opens nothing anew.
  EXPECT_TRUE(world.job().SecretExists(story.secret).value());
  const auto rows = installation.Cli({"audit", "tail", "-o", "json"});
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->output, HasSubstr("PodFinished"));

  ASSERT_TRUE(installation.DropLease());
  ASSERT_TRUE(installation.StartController());
  EXPECT_TRUE(Eventually(std::chrono::seconds(30), [&] {
    const auto release = world.job().KeyReleaseOf(story.name);
    const auto exists = world.job().SecretExists(story.secret);
    return release && release->TextAt({"status", "phase"}) == "Revoked" &&
           release->TextAt({"status", "secretName"}).empty() && exists && !*exists;
  })) << "stuck after the restart";
}

TEST(ControllerAway, HearsOfADeletionWhenItIsBack) {
  World& world = World::Get();
  Installation& installation = world.installation();
  PodStory story = MainJob::Pods().front();
  story.name = "a-revoked";
  ASSERT_TRUE(world.job().RunPod(story));
  ASSERT_TRUE(story.as_expected());
  installation.controller().Stop();
  // Deleted while nobody watches: the garbage collector takes the objects, the broker must still hear of it.
  ASSERT_TRUE(world.cluster().Kubectl(
      {"delete", "pod", "a-revoked", "-n", kTeam, "--grace-period=0", "--force", "--wait=false"}));
  ASSERT_TRUE(installation.StartController());
  EXPECT_TRUE(Eventually(std::chrono::seconds(60), [&] {
    const auto exists = world.job().SecretExists(story.secret);
    const auto rows = installation.Cli({"audit", "tail", "-o", "json"});
    return exists && !*exists && rows && rows->output.find("PodDeleted") != std::string::npos;
  }));
}

TEST(ControllerAway, TakesBackAKeyThatWasDeletedMeanwhile) {
  World& world = World::Get();
  Installation& installation = world.installation();
  const auto desk = installation.folder() / "key-owner";
  const auto wrapped = installation.Cli({"key", "wrap", "--key", desk / "model.key", "--authority",
                                         desk / "authority.key", "--namespace", kTeam, "--name", "spare",
                                         "--resource", "team-a/model-key/spare", "--version", "1"});
  ASSERT_TRUE(wrapped);
  ASSERT_EQ(wrapped->exit_code, 0) << ReadText(installation.logs() / "cli.log");
  ASSERT_TRUE(world.cluster().Kubectl({"apply", "-f", "-"}, wrapped->output));
  ASSERT_TRUE(Eventually(std::chrono::seconds(20), [&] {
    const auto key = world.cluster().api().Get(kube::kModelKeys, {kTeam, "spare"});
    return key && key->Find("status") != nullptr && kube::IsConditionTrue(*key->Find("status"), "Accepted");
  }));
  installation.controller().Stop();
  ASSERT_TRUE(world.cluster().Kubectl({"delete", "modelkey", "spare", "-n", kTeam}));
  ASSERT_TRUE(installation.StartController());
  EXPECT_TRUE(Eventually(std::chrono::seconds(60), [&] {
    const auto tail = installation.Cli({"audit", "tail", "-o", "json"});
    if (!tail) return false;
    std::istringstream rows(tail->output);
    for (std::string row; std::getline(rows, row);)
      if (row.find("team-a/spare") != std::string::npos && row.find("\"deleted\"") != std::string::npos)
        return true;
    return false;
  })) << "the key stayed in force";
}

TEST(BrokerRestarted, ReleasesGoOn) {
  World& world = World::Get();
  Installation& installation = world.installation();
  installation.broker().Signal(SIGKILL);
  ASSERT_TRUE(installation.broker().Wait(std::chrono::seconds(10)));
  ASSERT_TRUE(installation.StartBroker());
  PodStory story = MainJob::Pods().front();
  story.name = "a-after-restart";
  const auto ran = world.job().RunPod(story);
  ASSERT_TRUE(ran) << ran.error().ToString();
  EXPECT_TRUE(story.as_expected()) << story.agent_line;
}

pid_t ApiServer() { return std::atoi(World::Get().cluster().Variable("APISERVER_PID").c_str()); }

TEST(ApiServerUnreachable, APodThatCouldNotBeRegisteredIsDeniedUntilItCan) {
  World& world = World::Get();
  Installation& installation = world.installation();
  ASSERT_GT(ApiServer(), 0);
  installation.controller().Stop();
  const auto pod = world.job().CreatePod("a-in-outage");
  ASSERT_TRUE(pod) << pod.error().ToString();
  HostConduct conduct;
  conduct.launch = lab::LaunchState::Milan();
  conduct.agent_timeout = std::chrono::seconds(5);
  const auto log = installation.logs() / "a-in-outage.log";
  kill(ApiServer(), SIGSTOP);
  auto agent = world.job().kubelet().StartAgent(*pod, conduct, log);
  const auto refused = agent ? agent->Wait(std::chrono::seconds(60)) : std::nullopt;
  const auto rows = installation.Cli({"audit", "tail", "-o", "json"});
  kill(ApiServer(), SIGCONT);
  ASSERT_TRUE(agent && rows);
  EXPECT_NE(refused.value_or(0), 0);
  EXPECT_THAT(ReadText(log), HasSubstr("ReleaseUnknown"));
  EXPECT_THAT(rows->output, Not(HasSubstr("team-a/a-in-outage")));

  ASSERT_TRUE(installation.DropLease());
  ASSERT_TRUE(installation.StartController());
  conduct.agent_timeout = std::chrono::seconds(30);
  agent = world.job().kubelet().StartAgent(*pod, conduct, log);
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->Wait(std::chrono::seconds(60)).value_or(-1), 0) << ReadText(log);
}

TEST(ApiServerUnreachable, TheLeaderStepsDownAndAllGoesOnAfterwards) {
  World& world = World::Get();
  Installation& installation = world.installation();
  const pid_t api_server = ApiServer();
  ASSERT_GT(api_server, 0);
  kill(api_server, SIGSTOP);
  // Without renewals the leader must step down before anyone else could lead, and its process ends.
  const auto ended = installation.controller().Wait(std::chrono::seconds(120));
  kill(api_server, SIGCONT);
  ASSERT_TRUE(ended);
  EXPECT_NE(*ended, 0);
  ASSERT_TRUE(installation.StartController());
  PodStory story = MainJob::Pods().front();
  story.name = "a-after-outage";
  const auto ran = world.job().RunPod(story);
  ASSERT_TRUE(ran) << ran.error().ToString();
  EXPECT_TRUE(story.as_expected()) << story.agent_line;
}

}  // namespace
}  // namespace portcullis::e2e
