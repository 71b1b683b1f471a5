#include "operator/admission/agent_user.h"

#include <gtest/gtest.h>

#include "tests/operator/admission.h"

namespace portcullis::control {
namespace {

using codec::Json;

class AgentUserTest : public test::AdmissionTest {
 protected:
  /// A pod with one main container for each securityContext; "" for none.
  static Json PodOf(std::string_view pod_context, std::initializer_list<std::string_view> containers) {
    Json pod = Pod();
    if (!pod_context.empty()) pod.Member("spec").Set("securityContext", Parsed(pod_context));
    codec::JsonArray list;
    for (const std::string_view context : containers) {
      Json container = Json::Object({{"name", "c" + std::to_string(list.size())}, {"image", "i:1"}});
      if (!context.empty()) container.Set("securityContext", Parsed(context));
      list.push_back(std::move(container));
    }
    pod.Member("spec").Set("containers", list);
    return pod;
  }
  /// The injected agent; its pod passes validation, and nothing but what was asked for is warned of.
  Json AgentOf(const Json& pod, std::vector<std::string> warned = {}) {
    const auto admission = Mutate(pod);
    EXPECT_EQ(admission.warnings.size(), warned.size());
    for (std::size_t i = 0; i < warned.size() && i < admission.warnings.size(); ++i) {
      EXPECT_NE(admission.warnings[i].find(warned[i]), std::string::npos) << admission.warnings[i];
      EXPECT_LE(admission.warnings[i].size(), 256u) << "the API server cuts it";
    }
    Json admitted = Admitted(pod);
    ExpectAdmitted(Validate(admitted));
    return Item(admitted, "initContainers", 0);
  }
  static std::vector<std::string> ExtraArguments(const Json& agent) {
    std::vector<std::string> out;
    const auto& arguments = *agent.Find("args")->if_array();
    for (std::size_t i = 3; i < arguments.size(); ++i) out.push_back(*arguments[i].if_string());
    return out;
  }
  static void ExpectRoot(const Json& agent) {
    EXPECT_EQ(*agent.At({"securityContext", "runAsUser"}), Json(0));
    EXPECT_EQ(*agent.At({"securityContext", "runAsNonRoot"}), Json(false));
    EXPECT_EQ(agent.At({"securityContext", "runAsGroup"}), nullptr);
  }
  static bool MayChown(const Json& agent) {
    return agent.At({"securityContext", "capabilities", "add"}) != nullptr;
  }
  using Words = std::vector<std::string>;

 private:
  static Json Parsed(std::string_view text) { return codec::ParseYaml(text).value(); }
};

TEST_F(AgentUserTest, IsRootWhichConfigfsTsmNeeds) {
  const Json agent = AgentOf(PodOf("", {""}));
  ExpectRoot(agent);
  EXPECT_EQ(ExtraArguments(agent), Words{});
  EXPECT_FALSE(MayChown(agent));
  ExpectRoot(AgentOf(PodOf("{runAsUser: 0}", {""})));
}

TEST_F(AgentUserTest, GivesTheFileToTheUserOfTheContainers) {
  for (const Json& pod :
       {PodOf("{runAsUser: 1000}", {"", ""}), PodOf("", {"{runAsUser: 1000}", "{runAsUser: 1000}"}),
        PodOf("{runAsUser: 7}", {"{runAsUser: 1000}", "{runAsUser: 1000}"}),
        PodOf("{runAsUser: 1000}", {"{runAsUser: null}", "{runAsGroup: 5}"})}) {
    const Json agent = AgentOf(pod);
    ExpectRoot(agent);
    EXPECT_EQ(ExtraArguments(agent), (Words{"--owner", "1000"}));
    EXPECT_EQ(*agent.At({"securityContext", "capabilities", "add"}), Json::Array({"CHOWN"}));
    EXPECT_EQ(*agent.At({"securityContext", "capabilities", "drop"}), Json::Array({"ALL"}));
  }
}

TEST_F(AgentUserTest, KeepsTheFileToOneUserThoughThereIsAGroup) {
  EXPECT_EQ(ExtraArguments(AgentOf(PodOf("{runAsUser: 1000, fsGroup: 2000}", {"", ""}))),
            (Words{"--owner", "1000"}));
}

TEST_F(AgentUserTest, LetsTheGroupReadWhereUsersDiffer) {
  EXPECT_EQ(ExtraArguments(AgentOf(PodOf("{fsGroup: 2000}", {"{runAsUser: 1000}", "{runAsUser: 1337}"}))),
            (Words{"--owner", "1000", "--group-readable"}));
}

TEST_F(AgentUserTest, LetsTheGroupReadWhereUsersAreTheImages) {
  EXPECT_EQ(ExtraArguments(AgentOf(PodOf("{fsGroup: 2000}", {""}))), Words{"--group-readable"});
  EXPECT_EQ(ExtraArguments(AgentOf(PodOf("{fsGroup: 2000}", {"", "{runAsUser: 1337}"}))),
            Words{"--group-readable"});
}

TEST_F(AgentUserTest, WarnsWhereOneUserAloneCanRead) {
  EXPECT_EQ(ExtraArguments(AgentOf(PodOf("", {"{runAsUser: 1000}", "{runAsUser: 1337}"}),
                                   {"spec.securityContext.runAsUser: not all containers are known to run as "
                                    "one user, and only user 1000 can read"})),
            (Words{"--owner", "1000"}));
  AgentOf(PodOf("", {"{runAsUser: 1000}", ""}), {"only user 1000 can read"});
  const Json agent = AgentOf(PodOf("", {"", "{runAsUser: 1000}"}), {"only root can read"});
  EXPECT_EQ(ExtraArguments(agent), Words{});
}

TEST_F(AgentUserTest, IsTheContainersUserWhereNoneMayBeRoot) {
  const Json pod = PodOf("", {"{runAsNonRoot: true, runAsUser: 1000, runAsGroup: 3000}",
                              "{runAsNonRoot: true, runAsUser: 1000, runAsGroup: 3000}"});
  const Json agent = AgentOf(pod, {"spec.securityContext.runAsNonRoot"});
  EXPECT_EQ(*agent.At({"securityContext", "runAsNonRoot"}), Json(true));
  EXPECT_EQ(*agent.At({"securityContext", "runAsUser"}), Json(1000));
  EXPECT_EQ(*agent.At({"securityContext", "runAsGroup"}), Json(3000));
  EXPECT_EQ(ExtraArguments(agent), Words{});
  EXPECT_FALSE(MayChown(agent)) << "\"restricted\" takes no such capability";
}

TEST_F(AgentUserTest, IsAUserOfItsOwnWhereTheImagesSayWhichButNotRoot) {
  const Json agent = AgentOf(PodOf("{runAsNonRoot: true, fsGroup: 2000}", {""}), {"runAsNonRoot"});
  EXPECT_EQ(*agent.At({"securityContext", "runAsUser"}), Json(65532));
  EXPECT_EQ(ExtraArguments(agent), Words{"--group-readable"});
}

TEST_F(AgentUserTest, IsRootWhereAnyContainerMayBe) {
  const Json agent = AgentOf(PodOf("{runAsNonRoot: true, runAsUser: 1000}", {"", "{runAsNonRoot: false}"}));
  ExpectRoot(agent);
  EXPECT_EQ(ExtraArguments(agent), (Words{"--owner", "1000"}));
}

TEST_F(AgentUserTest, TakesIdsForUnknownThatTheApiServerRefuses) {
  for (const char* id : {"{runAsUser: -1}", "{runAsUser: 2147483648}", "{runAsUser: root}"})
    EXPECT_EQ(ExtraArguments(AgentOf(PodOf("", {id}))), Words{});
  EXPECT_EQ(ExtraArguments(AgentOf(PodOf("", {"{runAsUser: 2147483647}"}))),
            (Words{"--owner", "2147483647"}));
}

TEST_F(AgentUserTest, HoldsTheAgentToTheFormOfItsArguments) {
  Json pod = Admitted(PodOf("{runAsUser: 1000}", {""}));
  Json& arguments = Item(pod, "initContainers", 0).Member("args");
  const auto with = [&](std::initializer_list<const char*> last) {
    arguments = Json::Array({"fetch", "--out", "/run/portcullis"});
    for (const char* argument : last) arguments.Push(argument);
    return Validate(pod);
  };
  for (const auto& last : std::initializer_list<std::initializer_list<const char*>>{
           {"--owner"},
           {"--owner", "0"},
           {"--owner", "01"},
           {"--owner", "-1"},
           {"--owner", "12345678901"},
           {"--owner", "root"},
           {"--group-readable", "--owner", "1000"},
           {"--group-readable", "--group-readable"},
           {"--owner", "1000", "--kbs", "https://elsewhere"},
           {"--timeout", "1"}})
    ExpectDenied(with(last), ReasonCode::kImmutableField, "spec.initContainers[0]");
  arguments = Json::Array({"fetch", "--out", "/elsewhere"});
  ExpectDenied(Validate(pod), ReasonCode::kImmutableField, "spec.initContainers[0]");
  // A webhook after ours may have added a container of another user, or one have written for the release
  // before.
  for (const auto& last : std::initializer_list<std::initializer_list<const char*>>{
           {}, {"--owner", "1000"}, {"--owner", "1001", "--group-readable"}, {"--group-readable"}})
    EXPECT_FALSE(with(last).denial);
}

}  // namespace
}  // namespace portcullis::control
