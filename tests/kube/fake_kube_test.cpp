#include "tests/support/fake_kube.h"

#include <gtest/gtest.h>

#include "kube/objects.h"
#include "tests/support/json_patch.h"

namespace portcullis::test {
namespace {

using kube::kKeyReleases;
using kube::kPods;
using kube::kSecrets;
using kube::PatchType;

const kube::ObjectKey kWeb{"default", "web"};

// What other tests rely on the fake to refuse, held to what the real API server does.
class FakeKubeTest : public testing::Test {
 protected:
  static codec::Json Json(std::string_view text) { return codec::ParseJson(text).value(); }
  FakeKube kube_;
};

TEST_F(FakeKubeTest, RefusesASecondObjectOfTheSameName) {
  ASSERT_TRUE(kube_.Create(kPods, "default", NewObject(kPods, kWeb)));
  const auto second = kube_.Create(kPods, "default", NewObject(kPods, kWeb));
  EXPECT_EQ(second.error().code, ReasonCode::kConflict);
  EXPECT_EQ(second.error().where, "AlreadyExists");
}

TEST_F(FakeKubeTest, RefusesAWriteFromAnOldVersion) {
  const codec::Json old = kube_.Put(kPods, NewObject(kPods, kWeb));
  codec::Json next = old;
  next.Member("metadata").Set("labels", Json(R"({"a":"b"})"));
  ASSERT_TRUE(kube_.Replace(kPods, kWeb, next));
  next.Member("metadata").Set("labels", Json(R"({"a":"c"})"));
  EXPECT_EQ(kube_.Replace(kPods, kWeb, next).error().where, "Conflict");
  EXPECT_EQ(kube_
                .Patch(kPods, kWeb, "", PatchType::kJson,
                       Json(R"([{"op":"test","path":"/metadata/resourceVersion","value":"1"}])"))
                .error()
                .code,
            ReasonCode::kRequestMalformed);
}

TEST_F(FakeKubeTest, KeepsStatusAndSpecApart) {
  kube_.Put(kKeyReleases, NewObject(kKeyReleases, kWeb).Set("spec", Json(R"({"podName":"p"})")));
  ASSERT_TRUE(kube_.Patch(kKeyReleases, kWeb, "status", PatchType::kMerge,
                          Json(R"({"status":{"phase":"Pending"},"spec":{"podName":"q"}})")));
  ASSERT_TRUE(
      kube_.Patch(kKeyReleases, kWeb, "", PatchType::kMerge, Json(R"({"status":{"phase":"Released"}})")));
  const auto stored = kube_.Peek(kKeyReleases, kWeb);
  EXPECT_EQ(stored->TextAt({"status", "phase"}), "Pending");
  EXPECT_EQ(stored->TextAt({"spec", "podName"}), "p");
  EXPECT_EQ(kube::GenerationOf(*stored), 1);
}

TEST_F(FakeKubeTest, AWriteThatChangesNothingKeepsTheVersion) {
  const codec::Json stored = kube_.Put(kPods, NewObject(kPods, kWeb));
  const auto patched = kube_.Patch(kPods, kWeb, "", PatchType::kMerge, Json("{}"));
  EXPECT_EQ(kube::ResourceVersionOf(*patched), kube::ResourceVersionOf(stored));
}

TEST_F(FakeKubeTest, DeletesOnlyTheUidThatWasMeant) {
  const codec::Json stored = kube_.Put(kPods, NewObject(kPods, kWeb));
  EXPECT_EQ(kube_.Delete(kPods, kWeb, "another").error().code, ReasonCode::kConflict);
  EXPECT_TRUE(kube_.Delete(kPods, kWeb, std::string(kube::UidOf(stored))));
  EXPECT_EQ(kube_.Delete(kPods, kWeb, "").error().code, ReasonCode::kNotFound);
}

TEST_F(FakeKubeTest, CollectsWhatHasNoLivingOwner) {
  const codec::Json pod = kube_.Put(kPods, NewObject(kPods, kWeb));
  codec::Json release = NewObject(kKeyReleases, {"default", "kr"});
  release.Member("metadata").Set("ownerReferences", codec::Json::Array({OwnerReferenceTo(kPods, pod)}));
  const codec::Json stored = kube_.Put(kKeyReleases, release);
  codec::Json secret = NewObject(kSecrets, {"default", "s"});
  secret.Member("metadata")
      .Set("ownerReferences", codec::Json::Array({OwnerReferenceTo(kKeyReleases, stored)}));
  kube_.Put(kSecrets, secret);
  kube_.CollectGarbage();
  EXPECT_EQ(kube_.All(kSecrets).size(), 1u);
  kube_.Remove(kPods, kWeb);
  kube_.CollectGarbage();
  EXPECT_TRUE(kube_.All(kKeyReleases).empty());
  EXPECT_TRUE(kube_.All(kSecrets).empty());
}

TEST_F(FakeKubeTest, ALostAnswerHasItsEffect) {
  kube_.LoseAnswer("create", "pods");
  EXPECT_EQ(kube_.Create(kPods, "default", NewObject(kPods, kWeb)).error().code, ReasonCode::kUnreachable);
  EXPECT_TRUE(kube_.Peek(kPods, kWeb));
  kube_.FailNext("delete", "pods", Error{ReasonCode::kForbidden, "no"});
  EXPECT_FALSE(kube_.Delete(kPods, kWeb, ""));
  EXPECT_TRUE(kube_.Peek(kPods, kWeb));
}

TEST_F(FakeKubeTest, PagesGoOnInOrderAcrossNamespaces) {
  for (const char* name : {"a", "a-b", "a.b"})
    for (const char* object : {"x", "y"}) kube_.Put(kPods, NewObject(kPods, {name, object}));
  std::vector<std::string> seen;
  std::string token;
  do {
    const auto page = kube_.List(kPods, "", {{"limit", "1"}, {"continue", token}});
    ASSERT_TRUE(page);
    for (const codec::Json& item : page->items) seen.push_back(kube::KeyOf(item).ToString());
    token = page->continue_token;
  } while (!token.empty());
  EXPECT_EQ(seen.size(), 6u);
}

TEST(Selects, EqualityAndExistence) {
  const codec::Json object = codec::ParseJson(R"({"metadata":{"labels":{"a":"1","x/y":"2"}}})").value();
  for (const char* yes : {"", "a", "a=1", "a==1", "a!=2", "!b", "b!=1", "a=1,x/y=2,!b"})
    EXPECT_TRUE(Selects(yes, object)) << yes;
  for (const char* no : {"b", "a=2", "a!=1", "!a", "a=1,b"}) EXPECT_FALSE(Selects(no, object)) << no;
}

TEST(ApplyJsonPatch, AddsReplacesAndRemovesOrLeavesAllAsItWas) {
  codec::Json target = codec::ParseJson(R"({"a":[1,2],"m":{"x/y":1}})").value();
  const auto patch = [&](std::string_view text) {
    return bool(ApplyJsonPatch(target, codec::ParseJson(text).value()));
  };
  EXPECT_TRUE(patch(R"([{"op":"add","path":"/a/-","value":3},{"op":"add","path":"/a/0","value":0},
                        {"op":"replace","path":"/m/x~1y","value":2},{"op":"remove","path":"/a/1"}])"));
  EXPECT_EQ(codec::ToText(target), R"({"a":[0,2,3],"m":{"x/y":2}})");
  const codec::Json before = target;
  EXPECT_FALSE(patch(R"([{"op":"remove","path":"/a/0"},{"op":"replace","path":"/none","value":1}])"));
  EXPECT_FALSE(patch(R"([{"op":"test","path":"/a/0","value":9}])"));
  EXPECT_FALSE(patch(R"([{"op":"add","path":"/none/x","value":1}])"));
  EXPECT_FALSE(patch(R"([{"op":"move","path":"/a","from":"/m"}])"));
  EXPECT_EQ(target, before);
}

}  // namespace
}  // namespace portcullis::test
