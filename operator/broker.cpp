#include "operator/broker.h"

#include <mutex>

#include "kube/api_path.h"
#include "kube/file.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::size_t kMaxPemBytes = 256 * 1024;
constexpr std::string_view kPageSize = "200";

Result<std::shared_ptr<http::Client>> MakeClient(const Options& options, std::chrono::seconds timeout) {
  http::ClientOptions client;
  client.base_url = options.broker_url;
  client.ca_pem = TRY_AT("broker.caFile", kube::ReadFile(options.broker_ca_file, kMaxPemBytes));
  client.client_certificate_pem =
      TRY_AT("broker.certificateFile", kube::ReadFile(options.broker_certificate_file, kMaxPemBytes));
  client.client_key_pem = std::make_shared<const SecretBytes>(
      TRY_AT("broker.keyFile", kube::ReadSecretFile(options.broker_key_file, kMaxPemBytes)));
  client.timeout = client.whole_answer = timeout;
  client.user_agent = "portcullis-operator/0.1";
  return http::Client::Create(client);
}

/// The broker's own code from a problem body; the text stays here, the detail goes into the place.
Error FromProblem(const http::Response& response) {
  const auto body = codec::ParseJson(response.body);
  const auto code = body ? ReasonNamed(body->TextAt({"code"})) : std::nullopt;
  if (!code)
    return {response.status >= 500 ? ReasonCode::kUnreachable : ReasonCode::kRequestMalformed,
            "the broker gave an answer without a reason", "status " + std::to_string(response.status)};
  return {*code, "the broker refused", Quoted(body->TextAt({"detail"}))};
}

class HttpBroker final : public Broker {
 public:
  HttpBroker(Options options, std::shared_ptr<http::Client> client, std::function<bool()> may_write,
             std::chrono::seconds timeout)
      : options_(std::move(options)),
        may_write_(std::move(may_write)),
        timeout_(timeout),
        client_(std::move(client)) {}

  Result<Json> PutKey(const std::string& ns, const std::string& name, const Json& spec) override {
    return Call("PUT", Mirrored("keys", ns, name), codec::ToText(spec));
  }
  Result<> DeleteKey(const std::string& ns, const std::string& name) override {
    TRY(Call("DELETE", Mirrored("keys", ns, name), ""));
    return Done{};
  }
  Result<Json> ListKeys(const std::string& after) override { return ListMirrored("keys", after); }
  Result<Json> PutPolicy(const std::string& ns, const std::string& name, const Json& body) override {
    return Call("PUT", Mirrored("policies", ns, name), codec::ToText(body));
  }
  Result<> DeletePolicy(const std::string& ns, const std::string& name) override {
    TRY(Call("DELETE", Mirrored("policies", ns, name), ""));
    return Done{};
  }
  Result<Json> ListPolicies(const std::string& after) override { return ListMirrored("policies", after); }
  Result<Json> PutRelease(const std::string& id, const Json& registration) override {
    return Call("PUT", "/v1/releases/" + id, codec::ToText(registration));
  }
  Result<Json> GetRelease(const std::string& id) override { return Call("GET", "/v1/releases/" + id, ""); }
  Result<Json> RevokeRelease(const std::string& id, std::string_view cause,
                             const ReleaseOwner& owner) override {
    kube::Query query = {
        {"cause", std::string(cause)}, {"cluster", options_.cluster}, {"namespace", owner.namespace_name}};
    if (!owner.pod_uid.empty()) query.emplace_back("podUid", owner.pod_uid);
    return Call("DELETE", "/v1/releases/" + id + kube::QueryText(query), "");
  }
  Result<Json> ListReleases(const std::string& after) override {
    return List("/v1/releases", {{"view", "summary"}, {"revoked", "false"}}, after);
  }
  Result<Json> Decisions(std::int64_t after, std::chrono::seconds wait) override {
    return Call("GET",
                "/v1/decisions?after=" + std::to_string(after) + "&wait=" + std::to_string(wait.count()), "");
  }
  Result<Json> Identity() override { return Call("GET", "/v1/identity", ""); }

 private:
  std::string Mirrored(const std::string& plural, const std::string& ns, const std::string& name) const {
    return "/v1/" + plural + "/" + ns + "/" + name + kube::QueryText({{"cluster", options_.cluster}});
  }
  Result<Json> ListMirrored(const std::string& plural, const std::string& after) {
    return List("/v1/" + plural, {}, after);
  }
  Result<Json> List(const std::string& path, kube::Query query, const std::string& after) {
    query.emplace_back("cluster", options_.cluster);
    query.emplace_back("limit", kPageSize);
    if (!after.empty()) query.emplace_back("after", after);
    return Call("GET", path + kube::QueryText(query), "");
  }
  std::shared_ptr<http::Client> Current() {
    const std::lock_guard lock(mutex_);
    return client_;
  }
  void Reconnect() {
    if (auto fresh = MakeClient(options_, timeout_)) {
      const std::lock_guard lock(mutex_);
      client_ = std::move(*fresh);
    }
  }
  Result<Json> Call(const std::string& method, const std::string& target, const std::string& body) {
    if (method != "GET" && may_write_ && !may_write_())
      return Error{ReasonCode::kUnreachable, "nothing is written without leadership"};
    http::Headers headers;
    if (!body.empty()) headers.Set("Content-Type", "application/json");
    auto response = Current()->Send(method, target, headers, body);
    if (!response || response->status == 401) Reconnect();  // the certificates may have been rotated
    // A kept connection's certificate is no longer accepted; nothing was done, so that asking again is safe.
    if (response && response->status == 401) response = Current()->Send(method, target, headers, body);
    if (!response) return response.error();
    if (response->status == 204) return Json();
    if (response->status >= 300) return FromProblem(*response);
    return codec::ParseJson(response->body);
  }

  const Options options_;
  const std::function<bool()> may_write_;
  const std::chrono::seconds timeout_;
  std::mutex mutex_;
  std::shared_ptr<http::Client> client_;
};

}  // namespace

Result<std::unique_ptr<Broker>> ConnectBroker(const Options& options, std::function<bool()> may_write,
                                              std::chrono::seconds timeout) {
  return std::unique_ptr<Broker>(std::make_unique<HttpBroker>(options, TRY(MakeClient(options, timeout)),
                                                              std::move(may_write), timeout));
}

}  // namespace portcullis::control
