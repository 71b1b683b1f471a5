#include "operator/reconcilers/mirror.h"

#include <gtest/gtest.h>

#include "tests/operator/fake_broker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::control {
namespace {

using codec::Json;

class MirrorTest : public ::testing::Test {
 protected:
  explicit MirrorTest(const kube::Resource& kind, Json spec) : resource(kind) {
    Json object = kube::NewObject(resource, key);
    object.Set("spec", std::move(spec));
    object.Member("metadata").Set("generation", 2);
    api.Put(resource, object);
  }
  Json Status() const {
    const auto object = api.Peek(resource, key);
    const Json* status = object->Find("status");
    return status == nullptr ? Json() : *status;
  }
  std::string ReasonOf(std::string_view condition) const {
    const Json status = Status();
    const Json* found = kube::FindCondition(status, condition);
    return found == nullptr
               ? ""
               : std::string(found->TextAt({"status"})) + " " + std::string(found->TextAt({"reason"}));
  }
  void MarkDeleted() {
    Json object = *api.Peek(resource, key);
    object.Member("metadata").Set("deletionTimestamp", "2026-11-24T21:53:00Z");
    api.Put(resource, object);
  }
  const kube::Resource& resource;
  const kube::ObjectKey key{"demo", "llama"};
  test::FakeKube api;
  test::FakeBroker broker;
  test::FakeClock clock;
};

class ModelKeyTest : public MirrorTest {
 protected:
  ModelKeyTest() : MirrorTest(kube::kModelKeys, Json::Object({{"resource", "demo/model/llama"}})) {
    broker.put_answer = Json::Object({{"currentVersion", 3}});
  }
  std::vector<std::string> accepted_in;
  ModelKeyReconciler reconciler{api, broker, clock,
                                [this](const std::string& ns) { accepted_in.push_back(ns); }};
};

TEST_F(ModelKeyTest, CarriesTheSpecAndSaysThatItWasAccepted) {
  const auto next = reconciler.Reconcile(key);
  ASSERT_TRUE(next) << next.error().ToString();
  EXPECT_TRUE(next->after) << "a broker restored from a backup gets it back";
  EXPECT_EQ(broker.calls, std::vector<std::string>{"PUT key demo/llama"});
  EXPECT_EQ(broker.last_body, Json::Object({{"resource", "demo/model/llama"}}));
  EXPECT_EQ(ReasonOf("Accepted"), "True Accepted");
  EXPECT_EQ(ReasonOf("Ready"), "True Accepted");
  EXPECT_EQ(*Status().Find("acceptedVersions"), Json::Array({3}));
}

TEST_F(ModelKeyTest, WritesNothingTheSecondTime) {
  ASSERT_TRUE(reconciler.Reconcile(key));
  const auto version = api.resource_version();
  clock.Advance(std::chrono::hours(1));
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(api.resource_version(), version);
  EXPECT_EQ(api.CountCalls("patch", "modelkeys"), 1u);
}

TEST_F(ModelKeyTest, SaysWhyTheBrokerRefused) {
  broker.put_answer = Error{ReasonCode::kRequestMalformed, "the broker refused", "spec.wrapped"};
  const auto next = reconciler.Reconcile(key);
  ASSERT_TRUE(next) << "a finding, not a failure";
  EXPECT_EQ(ReasonOf("Accepted"), "False RequestMalformed");
  EXPECT_EQ(ReasonOf("Ready"), "False RequestMalformed");
  const Json status = Status();
  EXPECT_NE(kube::FindCondition(status, "Ready")->TextAt({"message"}).find("spec.wrapped"),
            std::string_view::npos);
}

TEST_F(ModelKeyTest, TriesARefusalThatTimeCanCureAgainWithBackoff) {
  for (const ReasonCode code :
       {ReasonCode::kKeyUnavailable, ReasonCode::kConflict, ReasonCode::kOverloaded}) {
    broker.put_answer = Error{code, "not yet"};
    EXPECT_FALSE(reconciler.Reconcile(key)) << NameOf(code);
    EXPECT_EQ(ReasonOf("Accepted"), "False " + std::string(NameOf(code)))
        << "the status says so all the same";
  }
  broker.put_answer = Error{ReasonCode::kRequestMalformed, "never"};
  EXPECT_TRUE(reconciler.Reconcile(key));
}

TEST_F(ModelKeyTest, TellsOfAKeyThatIsNewToTheBroker) {
  broker.failure = Error{ReasonCode::kUnreachable, "down"};
  EXPECT_FALSE(reconciler.Reconcile(key));
  EXPECT_TRUE(accepted_in.empty());
  broker.failure.reset();
  ASSERT_TRUE(reconciler.Reconcile(key));
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(accepted_in, std::vector<std::string>{"demo"}) << "once";
  Json object = *api.Peek(resource, key);
  object.Set("spec", Json::Object({{"resource", "demo/model/other"}}));
  api.Put(resource, object);
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(accepted_in.size(), 2u) << "and for each change of it";
}

TEST_F(ModelKeyTest, TellsOfANewKeyThoughItsStatusCouldNotBeWritten) {
  api.LoseAnswer("patch", "modelkeys");
  EXPECT_FALSE(reconciler.Reconcile(key));
  EXPECT_EQ(accepted_in.size(), 1u);
}

TEST_F(ModelKeyTest, SaysThatTheBrokerCanNotBeReachedAndTriesAgain) {
  broker.failure = Error{ReasonCode::kUnreachable, "down"};
  EXPECT_FALSE(reconciler.Reconcile(key));
  EXPECT_EQ(ReasonOf("Accepted"), "False Unreachable");
  broker.failure.reset();
  EXPECT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(ReasonOf("Accepted"), "True Accepted");
}

TEST_F(ModelKeyTest, DeletesAtTheBrokerWhatIsDeletedHere) {
  api.Remove(resource, key);
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(broker.calls, std::vector<std::string>{"DELETE key demo/llama"});
  broker.failure = Error{ReasonCode::kUnreachable, "down"};
  EXPECT_FALSE(reconciler.Reconcile(key)) << "or the key would stay in force";
}

TEST_F(ModelKeyTest, DoesNotBringBackWhatIsBeingDeleted) {
  MarkDeleted();
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_TRUE(broker.calls.empty());
}

TEST_F(ModelKeyTest, TakesNothingAwayWhileTheApiServerCanNotBeReached) {
  api.FailNext("get", "modelkeys", {ReasonCode::kUnreachable, "down"});
  EXPECT_FALSE(reconciler.Reconcile(key));
  EXPECT_TRUE(broker.calls.empty());
}

class ReleasePolicyTest : public MirrorTest {
 protected:
  ReleasePolicyTest()
      : MirrorTest(kube::kReleasePolicies, Json::Object({{"policy", Json::Object({{"revision", 5}})},
                                                         {"signatures", Json::Array({"h..s"})}})) {
    broker.put_answer = Json::Object({{"revision", 5}, {"digest", "sha256:aa"}});
  }
  ReleasePolicyReconciler reconciler{api, broker, clock};
};

TEST_F(ReleasePolicyTest, CarriesDocumentAndSignaturesAndSaysWhatWasAccepted) {
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(broker.calls, std::vector<std::string>{"PUT policy demo/llama"});
  EXPECT_EQ(broker.last_body, Json::Object({{"policy", Json::Object({{"revision", 5}})},
                                            {"signatures", Json::Array({"h..s"})}}));
  EXPECT_EQ(ReasonOf("Ready"), "True Accepted");
  EXPECT_EQ(*Status().Find("acceptedRevision"), Json(5));
  EXPECT_EQ(Status().TextAt({"digest"}), "sha256:aa");
}

TEST_F(ReleasePolicyTest, KeepsTheAcceptedRevisionBesideARefusal) {
  ASSERT_TRUE(reconciler.Reconcile(key));
  broker.put_answer = Error{ReasonCode::kPolicySignatureInvalid, "the broker refused"};
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(ReasonOf("Accepted"), "False PolicySignatureInvalid");
  EXPECT_EQ(*Status().Find("acceptedRevision"), Json(5)) << "which is still in force";
}

TEST_F(ReleasePolicyTest, DeletesAtTheBrokerWhatIsDeletedHere) {
  api.Remove(resource, key);
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_EQ(broker.calls, std::vector<std::string>{"DELETE policy demo/llama"});
}

TEST_F(ReleasePolicyTest, DoesNotBringBackWhatIsBeingDeleted) {
  MarkDeleted();
  ASSERT_TRUE(reconciler.Reconcile(key));
  EXPECT_TRUE(broker.calls.empty());
}

}  // namespace
}  // namespace portcullis::control
