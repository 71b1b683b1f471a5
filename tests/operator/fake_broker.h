#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kube/objects.h"
#include "operator/broker.h"

namespace portcullis::test {

inline constexpr std::string_view kReleaseId = "00112233445566778899aabbccddeeff";

/// The broker's control-plane side in memory: remembers registrations; a test sets what becomes of them.
class FakeBroker final : public control::Broker {
 public:
  using Json = codec::Json;
  std::map<std::string, Json> releases;        // what GetRelease says
  std::vector<std::string> calls;              // "PUT release", "DELETE release PodDeleted", ...
  std::optional<Error> failure;                // of every call while it is set
  Json last_body;                              // of the last PUT
  Result<Json> put_answer = Json::Object({});  // to PUTs of keys and policies

  Result<Json> PutKey(const std::string& ns, const std::string& name, const Json& spec) override {
    return Put("PUT key " + ns + "/" + name, spec);
  }
  Result<> DeleteKey(const std::string& ns, const std::string& name) override {
    return Done("DELETE key " + ns + "/" + name);
  }
  Result<Json> PutPolicy(const std::string& ns, const std::string& name, const Json& body) override {
    return Put("PUT policy " + ns + "/" + name, body);
  }
  Result<> DeletePolicy(const std::string& ns, const std::string& name) override {
    return Done("DELETE policy " + ns + "/" + name);
  }
  Result<Json> PutRelease(const std::string& id, const Json& registration) override {
    calls.push_back("PUT release");
    last_body = registration;
    if (failure) return *failure;
    Json release = registration;
    release.Set("id", id).Set("phase", "Registered").Set("verdict", "").Set("auditSequence", 3);
    return releases[id] = release;
  }
  Result<Json> GetRelease(const std::string& id) override {
    calls.push_back("GET release");
    if (failure) return *failure;
    const auto found = releases.find(id);
    if (found == releases.end()) return Error{ReasonCode::kNotFound, "no such release"};
    return found->second;
  }
  Result<Json> RevokeRelease(const std::string& id, std::string_view cause) override {
    calls.push_back("DELETE release " + std::string(cause));
    if (failure) return *failure;
    const auto found = releases.find(id);
    if (found == releases.end()) return Error{ReasonCode::kNotFound, "no such release"};
    if (found->second.TextAt({"phase"}) == "Revoked") return found->second;
    found->second.Set("phase", "Revoked").Set("revocationCause", cause).Erase("jwe");
    return found->second;
  }
  Result<Json> ListReleases(const std::string&) override {
    return Json::Object({{"releases", codec::JsonArray()}});
  }
  Result<Json> Decisions(std::int64_t, std::chrono::seconds) override { return Json::Object({}); }
  Result<Json> Identity() override { return Json::Object({}); }

  std::size_t Count(std::string_view call) const {
    return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
  }

  // What becomes of the release.
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
  Result<> Done(std::string call) {
    calls.push_back(std::move(call));
    if (failure) return *failure;
    return portcullis::Done{};
  }
};

}  // namespace portcullis::test
