#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kube/objects.h"
#include "operator/broker.h"

namespace portcullis::test {

inline constexpr std::string_view kReleaseId = "00112233445566778899aabbccddeeff";

/// The broker's control-plane side in memory, as the cluster "production" sees it: remembers registrations
/// and what is mirrored; a test sets what becomes of them. Its calls are thread-safe; its members are for
/// tests without other threads.
class FakeBroker final : public control::Broker {
 public:
  using Json = codec::Json;
  const std::string cluster = "production";
  std::map<std::string, Json> releases;        // what GetRelease says
  std::set<kube::ObjectKey> keys, policies;    // what this cluster mirrors
  std::vector<std::string> calls;              // "PUT release", "DELETE release PodDeleted", ...
  std::optional<Error> failure;                // of every call while it is set
  Json last_body;                              // of the last PUT
  Result<Json> put_answer = Json::Object({});  // to PUTs of keys and policies
  bool policies_need_keys = false;             // a policy is refused until its namespace has a key
  std::deque<Json> decision_pages;             // what Decisions says, one after the other
  std::function<Result<Json>()> identity = [] { return Json::Object({}); };

  Result<Json> PutKey(const std::string& ns, const std::string& name, const Json& spec) override {
    const std::lock_guard lock(mutex_);
    auto answer = Put("PUT key " + ns + "/" + name, spec);
    if (answer) keys.insert({ns, name});
    return answer;
  }
  Result<> DeleteKey(const std::string& ns, const std::string& name) override {
    const std::lock_guard lock(mutex_);
    return Withdraw("DELETE key ", keys, {ns, name});
  }
  Result<Json> ListKeys(const std::string& after) override {
    const std::lock_guard lock(mutex_);
    return PageOf("keys", keys, after);
  }
  Result<Json> PutPolicy(const std::string& ns, const std::string& name, const Json& body) override {
    const std::lock_guard lock(mutex_);
    auto answer = Put("PUT policy " + ns + "/" + name, body);
    if (answer && policies_need_keys &&
        std::none_of(keys.begin(), keys.end(), [&](const auto& key) { return key.namespace_name == ns; }))
      return Error{ReasonCode::kKeyUnavailable, "no such key"};
    if (answer) policies.insert({ns, name});
    return answer;
  }
  Result<> DeletePolicy(const std::string& ns, const std::string& name) override {
    const std::lock_guard lock(mutex_);
    return Withdraw("DELETE policy ", policies, {ns, name});
  }
  Result<Json> ListPolicies(const std::string& after) override {
    const std::lock_guard lock(mutex_);
    return PageOf("policies", policies, after);
  }
  Result<Json> PutRelease(const std::string& id, const Json& registration) override {
    const std::lock_guard lock(mutex_);
    calls.push_back("PUT release");
    last_body = registration;
    if (failure) return *failure;
    if (releases.contains(id)) return Error{ReasonCode::kConflict, "registered with other content"};
    Json release = registration;
    release.Set("id", id).Set("phase", "Registered").Set("verdict", "").Set("auditSequence", 3);
    return releases[id] = release;
  }
  Result<Json> GetRelease(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    calls.push_back("GET release");
    if (failure) return *failure;
    const auto found = releases.find(id);
    if (found == releases.end()) return Error{ReasonCode::kNotFound, "no such release"};
    return found->second;
  }
  Result<Json> RevokeRelease(const std::string& id, std::string_view cause,
                             const control::ReleaseOwner& owner) override {
    const std::lock_guard lock(mutex_);
    calls.push_back("DELETE release " + std::string(cause));
    if (failure) return *failure;
    const auto found = releases.find(id);
    if (found == releases.end()) return Error{ReasonCode::kNotFound, "no such release"};
    Json& release = found->second;
    if (release.TextAt({"cluster"}) != cluster || release.TextAt({"namespace"}) != owner.namespace_name ||
        (!owner.pod_uid.empty() && release.TextAt({"podUid"}) != owner.pod_uid))
      return Error{ReasonCode::kConflict, "the release is another's"};
    return TakeBack(release, cause);
  }
  Result<Json> ListReleases(const std::string& after) override {
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    // One to a page, so that paging is walked.
    for (const auto& [id, release] : releases)
      if (id > after && release.TextAt({"cluster"}) == cluster && release.TextAt({"phase"}) != "Revoked")
        return Json::Object({{"releases", Json::Array({release})}, {"next", id}});
    return Json::Object({{"releases", codec::JsonArray()}, {"next", ""}});
  }
  Result<Json> Decisions(std::int64_t after, std::chrono::seconds) override {
    std::unique_lock lock(mutex_);
    if (decision_pages.empty()) changed_.wait_for(lock, std::chrono::milliseconds(20));
    if (decision_pages.empty()) return Json::Object({{"decisions", codec::JsonArray()}, {"next", after}});
    const Json page = decision_pages.front();
    decision_pages.pop_front();
    return page;
  }
  Result<Json> Identity() override { return identity(); }

  /// For tests beside a running controller.
  template <typename Change>
  auto Locked(Change change) {
    const std::lock_guard lock(mutex_);
    return change();
  }
  bool Called(const std::string& call) {
    return Locked([&] { return Count(call) > 0; });
  }
  std::size_t Count(std::string_view call) const {
    return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
  }

  // What becomes of the release.
  void Revoke(std::string_view cause) { TakeBack(releases.at(std::string(kReleaseId)), cause); }
  void Release(const Json& jwe, std::int64_t sequence, std::string_view delivery = "Secret") {
    Json& release = releases.at(std::string(kReleaseId));
    release.Set("phase", "Released")
        .Set("verdict", "allow")
        .Set("delivery", delivery)
        .Set("tee", "snp")
        .Set("auditSequence", sequence)
        .Set("decidedAt", "2026-11-24T21:53:01Z")
        .Set("leaseExpires", "2026-11-25T21:53:01Z")
        .Set("reasons", codec::JsonArray())
        .Set("checks", codec::JsonArray())
        .Set("jwe", jwe);
  }
  static Json FailedCheck() {
    return Json::Object({{"id", "snp.measurement-allowed"},
                         {"reason", "MeasurementNotAllowed"},
                         {"outcome", "failed"},
                         {"expected", "aa"},
                         {"actual", "bb"},
                         {"source", "RFC 9334"}});
  }
  void Deny(std::int64_t sequence) {
    releases.at(std::string(kReleaseId))
        .Set("phase", "Denied")
        .Set("verdict", "deny")
        .Set("auditSequence", sequence)
        .Set("decidedAt", "2026-11-24T21:53:01Z")
        .Set("reasons", Json::Array({"MeasurementNotAllowed"}))
        .Set("checks",
             Json::Array({FailedCheck(), Json::Object({{"id", "snp.debug-off"}, {"outcome", "passed"}})}));
  }
  void DenyBeside(std::int64_t sequence) {
    releases.at(std::string(kReleaseId))
        .Set("lastDenial", Json::Object({{"reasons", Json::Array({"ReportDataMismatch"})},
                                         {"checks", codec::JsonArray()},
                                         {"time", "2026-11-24T21:54:00Z"},
                                         {"auditSequence", sequence}}));
  }

 private:
  Result<Json> Put(std::string call, const Json& body) {
    calls.push_back(std::move(call));
    last_body = body;
    if (failure) return *failure;
    return put_answer;
  }
  Result<> Withdraw(const std::string& call, std::set<kube::ObjectKey>& from, const kube::ObjectKey& key) {
    calls.push_back(call + key.ToString());
    if (failure) return *failure;
    from.erase(key);
    return Done{};
  }
  Result<Json> PageOf(std::string_view member, const std::set<kube::ObjectKey>& all,
                      const std::string& after) const {
    if (failure) return *failure;
    for (const kube::ObjectKey& key : all)
      if (key.ToString() > after)
        return Json::Object(
            {{std::string(member),
              Json::Array({Json::Object({{"namespace", key.namespace_name}, {"name", key.name}})})},
             {"next", key.ToString()}});
    return Json::Object({{std::string(member), codec::JsonArray()}, {"next", ""}});
  }
  static Json TakeBack(Json& release, std::string_view cause) {
    if (release.TextAt({"phase"}) != "Revoked")
      release.Set("phase", "Revoked").Set("revocationCause", cause).Erase("jwe");
    return release;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace portcullis::test
