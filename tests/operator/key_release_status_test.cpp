#include "operator/reconcilers/key_release_status.h"

#include <gtest/gtest.h>

#include "kube/objects.h"
#include "kube/status.h"

namespace portcullis::control {
namespace {

using codec::Json;

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

Json KeyRelease(Json status = {}) {
  Json object = kube::NewObject(kube::kKeyReleases, {"demo", "portcullis-1"});
  object.Member("metadata").Set("generation", 4);
  object.Set(
      "spec",
      Json::Object({{"podName", "llama-0"}, {"podUid", "u"}, {"keyName", "llama"}, {"policyName", "pol"}}));
  if (!status.is_null()) object.Set("status", std::move(status));
  return object;
}

Json Released(std::int64_t sequence = 7) {
  return Json::Object({{"phase", "Released"},
                       {"verdict", "allow"},
                       {"delivery", "Secret"},
                       {"auditSequence", sequence},
                       {"decidedAt", "2026-11-24T00:00:00Z"},
                       {"leaseExpires", "2026-11-25T00:00:00Z"},
                       {"jwe", Json::Object({{"ciphertext", "c"}})}});
}

Json Check(std::string_view id, std::string_view outcome, std::string_view reason = "MeasurementNotAllowed") {
  return Json::Object(
      {{"id", id}, {"outcome", outcome}, {"reason", reason}, {"expected", "aa"}, {"actual", "bb"}});
}

Json Denied(Json checks, Json reasons = Json::Array({"MeasurementNotAllowed"})) {
  return Json::Object({{"phase", "Denied"},
                       {"verdict", "deny"},
                       {"auditSequence", 7},
                       {"reasons", std::move(reasons)},
                       {"checks", std::move(checks)}});
}

std::string_view MessageOf(const Json& status, std::string_view type) {
  return kube::FindCondition(status, type)->TextAt({"message"});
}

TEST(StatusFor, IsStableWhenAppliedToItself) {
  const Json first = StatusFor(KeyRelease(), Released(), {"portcullis-1"}, kNow);
  EXPECT_EQ(StatusFor(KeyRelease(first), Released(), {"portcullis-1"}, kNow + std::chrono::hours(1)), first);
}

TEST(StatusFor, HoldsNoCiphertext) {
  const Json status = StatusFor(KeyRelease(), Released(), {"portcullis-1"}, kNow);
  EXPECT_EQ(status.Find("jwe"), nullptr);
  EXPECT_EQ(status.TextAt({"secretName"}), "portcullis-1");
}

TEST(StatusFor, IsReadyOnlyWhenTheSecretIsThere) {
  EXPECT_TRUE(kube::IsConditionTrue(StatusFor(KeyRelease(), Released(), {"portcullis-1"}, kNow), "Ready"));
  const Json pending = StatusFor(KeyRelease(), Released(), {}, kNow);
  EXPECT_FALSE(kube::IsConditionTrue(pending, "Ready"));
  EXPECT_TRUE(kube::IsConditionTrue(pending, "Released"));
}

TEST(StatusFor, NamesTheGenerationItIsOf) {
  const Json status = StatusFor(KeyRelease(), Released(), {"portcullis-1"}, kNow);
  EXPECT_EQ(*kube::FindCondition(status, "Ready")->Find("observedGeneration"), Json(4));
}

TEST(StatusFor, LeavesOutWhatIsEmpty) {
  Json release = Released();
  release.Set("revocationCause", "").Set("tee", nullptr);
  const Json status = StatusFor(KeyRelease(), release, {"portcullis-1"}, kNow);
  EXPECT_EQ(status.Find("revocationCause"), nullptr);
  EXPECT_EQ(status.Find("tee"), nullptr);
}

TEST(StatusFor, DropsWhatNoLongerHolds) {
  const Json before = StatusFor(KeyRelease(), Released(), {"portcullis-1"}, kNow);
  Json revoked = Released();
  revoked.Set("phase", "Revoked").Set("revocationCause", "KeyRevoked").Erase("leaseExpires");
  const Json status = StatusFor(KeyRelease(before), revoked, {}, kNow);
  EXPECT_EQ(status.Find("lease"), nullptr);
  EXPECT_EQ(status.Find("secretName"), nullptr);
  EXPECT_EQ(kube::FindCondition(status, "Ready")->TextAt({"reason"}), "Revoked");
}

TEST(StatusFor, SaysWhatStandsBetweenAKeyAndItsSecret) {
  const Json forbidden = StatusFor(KeyRelease(), Released(),
                                   {"", Error{ReasonCode::kForbidden, "no", "secrets is forbidden"}}, kNow);
  EXPECT_EQ(kube::FindCondition(forbidden, "Ready")->TextAt({"reason"}), "Forbidden");
  EXPECT_TRUE(kube::IsConditionTrue(forbidden, "Released"));
  EXPECT_NE(MessageOf(forbidden, "Ready").find("releaseNamespaces"), std::string_view::npos);
  EXPECT_NE(MessageOf(forbidden, "Ready").find("secrets is forbidden"), std::string_view::npos);
  const Json foreign = StatusFor(KeyRelease(), Released(),
                                 {"", Error{ReasonCode::kConflict, "not ours", "demo/portcullis-1"}}, kNow);
  EXPECT_EQ(kube::FindCondition(foreign, "Ready")->TextAt({"reason"}), "Conflict");
  for (const Error& passing : {Error{ReasonCode::kUnreachable, "down"},
                               Error{ReasonCode::kConflict, "changed", std::string(kube::kConflict)},
                               Error{ReasonCode::kConflict, "exists", std::string(kube::kAlreadyExists)}}) {
    const Json pending = StatusFor(KeyRelease(), Released(), {"", passing}, kNow);
    EXPECT_EQ(kube::FindCondition(pending, "Ready")->TextAt({"reason"}), "SecretPending");
  }
}

TEST(StatusFor, KeepsADenialWhenThePodEnds) {
  const Json denied = StatusFor(KeyRelease(), Denied(Json::Array({Check("snp.m", "failed")})), {}, kNow);
  Json ended = Denied(Json::Array({Check("snp.m", "failed")}));
  ended.Set("phase", "Revoked").Set("revocationCause", "PodFinished");
  const Json status = StatusFor(KeyRelease(denied), ended, {}, kNow);
  EXPECT_EQ(status.TextAt({"phase"}), "Denied");
  EXPECT_EQ(status.TextAt({"revocationCause"}), "PodFinished");
  for (const char* type : {"Attested", "Released", "Ready"}) {
    SCOPED_TRACE(type);
    EXPECT_EQ(kube::FindCondition(status, type)->TextAt({"status"}), "False");
    EXPECT_EQ(kube::FindCondition(status, type)->TextAt({"reason"}), "MeasurementNotAllowed");
    const std::string_view message = MessageOf(status, type);
    EXPECT_TRUE(message.starts_with(MessageOf(denied, type)));
    EXPECT_NE(message.find("PodFinished"), std::string_view::npos);
  }
}

TEST(StatusFor, ListsFailedChecksOnly) {
  const Json status = StatusFor(
      KeyRelease(), Denied(Json::Array({Check("a", "passed"), Check("b", "failed"), Check("c", "notRun")})),
      {}, kNow);
  const auto& failed = *status.Find("failedChecks")->if_array();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(
      failed[0],
      Json::Object({{"id", "b"}, {"reason", "MeasurementNotAllowed"}, {"expected", "aa"}, {"actual", "bb"}}));
}

TEST(StatusFor, KeepsToTheLimitsOfTheSchema) {
  codec::JsonArray checks;
  for (int i = 0; i < 200; ++i) {
    checks.push_back(Check("check-" + std::to_string(i), "failed"));
    checks.back().Set("actual", std::string(5000, 'x'));
  }
  const Json status = StatusFor(KeyRelease(), Denied(checks), {}, kNow);
  const auto& failed = *status.Find("failedChecks")->if_array();
  EXPECT_EQ(failed.size(), kube::kMaxFailedChecks);
  EXPECT_LE(failed[0].TextAt({"actual"}).size(), kube::kMaxCheckText);
  EXPECT_LE(MessageOf(status, "Ready").size(), 1024u);
}

TEST(StatusFor, ExplainsADenialWithCheckRemedyAndDocs) {
  const Json status = StatusFor(
      KeyRelease(), Denied(Json::Array({Check("other", "failed", "DebugEnabled"), Check("snp.m", "failed")})),
      {}, kNow);
  const std::string message(MessageOf(status, "Ready"));
  EXPECT_TRUE(message.starts_with("MeasurementNotAllowed: ")) << message;
  EXPECT_NE(message.find("Check snp.m: expected aa, actual bb."), std::string::npos) << message;
  EXPECT_NE(message.find(ReasonFor(ReasonCode::kMeasurementNotAllowed).remedy), std::string::npos);
  EXPECT_NE(message.find("reasons.md#measurementnotallowed"), std::string::npos);
}

TEST(StatusFor, AlwaysHasAReasonThatConditionsTake) {
  for (const Json& reasons : {Json(), Json::Array({}), Json::Array({"Unknown word"}), Json::Array({7})}) {
    const Json status = StatusFor(KeyRelease(), Denied(codec::JsonArray(), reasons), {}, kNow);
    EXPECT_EQ(kube::FindCondition(status, "Ready")->TextAt({"reason"}), "InternalError");
  }
}

TEST(StatusForUnregistered, KeepsWhatIsKnownOfALiveRelease) {
  const Json before = StatusFor(KeyRelease(), Released(), {"portcullis-1"}, kNow);
  const Json status = StatusForUnregistered(KeyRelease(before), {ReasonCode::kUnreachable, "down"}, kNow);
  EXPECT_EQ(status.TextAt({"phase"}), "Released");
  EXPECT_TRUE(kube::IsConditionTrue(status, "Ready"));
  EXPECT_EQ(kube::FindCondition(status, "Registered")->TextAt({"reason"}), "Unreachable");
}

TEST(StatusForUnregistered, SaysWhyANewReleaseIsNotReady) {
  const Json status = StatusForUnregistered(KeyRelease(), {ReasonCode::kPolicyMissing, "no policy"}, kNow);
  EXPECT_EQ(status.TextAt({"phase"}), "Pending");
  EXPECT_EQ(kube::FindCondition(status, "Ready")->TextAt({"reason"}), "PolicyMissing");
}

TEST(StatusForUnregistered, ShowsNothingOfAnotherPodsRelease) {
  const Json before = StatusFor(KeyRelease(), Released(), {"portcullis-1"}, kNow);
  const Json status =
      StatusForUnregistered(KeyRelease(before), {ReasonCode::kConflict, "another's", "pod demo/other"}, kNow);
  EXPECT_EQ(status.TextAt({"phase"}), "Pending");
  EXPECT_EQ(status.Find("verdict"), nullptr);
  EXPECT_EQ(status.TextAt({"secretName"}), "portcullis-1") << "it was not taken away";
  for (const char* type : {"Registered", "Attested", "Released", "Ready"}) {
    EXPECT_FALSE(kube::IsConditionTrue(status, type));
    EXPECT_EQ(kube::FindCondition(status, type)->TextAt({"reason"}), "Conflict");
    EXPECT_NE(MessageOf(status, type).find("pod demo/other"), std::string_view::npos);
  }
}

class EventsForTest : public ::testing::Test {
 protected:
  static std::vector<std::string> Reasons(const Json& before, const Json& after) {
    std::vector<std::string> out;
    for (const kube::Event& event : EventsFor(before, after, KeyRelease())) out.push_back(event.reason);
    return out;
  }
  using Words = std::vector<std::string>;
  const Json none = codec::JsonObject();
  const Json released = StatusFor(KeyRelease(), Released(7), {"portcullis-1"}, kNow);
  const Json denied = StatusFor(KeyRelease(), Denied(Json::Array({Check("snp.m", "failed")})), {}, kNow);
  static Json WithDenial(Json release, std::int64_t sequence) {
    return release.Set("lastDenial", Json::Object({{"reasons", Json::Array({"DebugEnabled"})},
                                                   {"checks", codec::JsonArray()},
                                                   {"time", "2026-11-24T00:00:00Z"},
                                                   {"auditSequence", sequence}}));
  }
};

TEST_F(EventsForTest, TellDecisionsOnce) {
  EXPECT_EQ(Reasons(none, released), Words{"Released"});
  EXPECT_EQ(Reasons(released, released), Words{});
  EXPECT_EQ(Reasons(none, denied), Words{"Denied"});
  EXPECT_EQ(Reasons(denied, denied), Words{});
  EXPECT_EQ(Reasons(released, StatusFor(KeyRelease(), Released(9), {"portcullis-1"}, kNow)),
            Words{"Released"});
}

TEST_F(EventsForTest, TellARegistrationNothing) {
  const Json registered =
      StatusFor(KeyRelease(), Json::Object({{"phase", "Registered"}, {"auditSequence", 3}}), {}, kNow);
  EXPECT_EQ(Reasons(none, registered), Words{});
}

TEST_F(EventsForTest, TellOfARevocationOnce) {
  Json revoked = Released(7);
  revoked.Set("phase", "Revoked").Set("revocationCause", "PodDeleted");
  const Json status = StatusFor(KeyRelease(), revoked, {}, kNow);
  EXPECT_EQ(Reasons(released, status), Words{"Revoked"});
  EXPECT_EQ(Reasons(status, status), Words{});
}

TEST_F(EventsForTest, TellNoRevocationOfAKeyThatWasNeverHeld) {
  Json ended = Denied(Json::Array({Check("snp.m", "failed")}));
  ended.Set("phase", "Revoked").Set("revocationCause", "PodFinished");
  const Json after_denial = StatusFor(KeyRelease(), ended, {}, kNow);
  EXPECT_EQ(Reasons(denied, after_denial), Words{});
  EXPECT_EQ(Reasons(none, after_denial), Words{"Denied"});
  const Json never_attested = StatusFor(
      KeyRelease(), Json::Object({{"phase", "Revoked"}, {"revocationCause", "PodDeleted"}, {"verdict", ""}}),
      {}, kNow);
  EXPECT_EQ(Reasons(none, never_attested), Words{});
}

TEST_F(EventsForTest, TellOnceOfWhatSomeoneMustPutRight) {
  const Json forbidden =
      StatusFor(KeyRelease(released), Released(), {"", Error{ReasonCode::kForbidden, "no"}}, kNow);
  EXPECT_EQ(Reasons(released, forbidden), Words{"Forbidden"});
  EXPECT_EQ(Reasons(forbidden, forbidden), Words{});
  EXPECT_EQ(Reasons(none, forbidden), (Words{"Released", "Forbidden"}));
}

TEST_F(EventsForTest, TellOfADenialBesideALiveRelease) {
  const Json beside = StatusFor(KeyRelease(), WithDenial(Released(7), 9), {"portcullis-1"}, kNow);
  EXPECT_EQ(Reasons(released, beside), Words{"Denied"});
  EXPECT_EQ(Reasons(beside, beside), Words{});
  EXPECT_EQ(Reasons(none, beside), (Words{"Released", "Denied"})) << "neither hides the other";
}

TEST_F(EventsForTest, AreOnThePodAndSayWhatToDo) {
  const auto events = EventsFor(none, denied, KeyRelease());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].resource.plural, "pods");
  EXPECT_EQ(events[0].object, (kube::ObjectKey{"demo", "llama-0"}));
  EXPECT_EQ(events[0].uid, "u");
  EXPECT_EQ(events[0].action, "ReleaseKey");
  EXPECT_NE(events[0].note.find(ReasonFor(ReasonCode::kMeasurementNotAllowed).remedy), std::string::npos);
}

}  // namespace
}  // namespace portcullis::control
