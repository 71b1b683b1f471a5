#include "operator/broker.h"

#include <mutex>

#include "kube/file.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::size_t kMaxPemBytes = 256 * 1024;

Result<std::shared_ptr<http::Client>> MakeClient(const Options& options) {
  http::ClientOptions client;
  client.base_url = options.broker_url;
  client.ca_pem = TRY_AT("broker.caFile", kube::ReadFile(options.broker_ca_file, kMaxPemBytes));
  client.client_certificate_pem =
      TRY_AT("broker.certificateFile", kube::ReadFile(options.broker_certificate_file, kMaxPemBytes));
  client.client_key_pem = std::make_shared<const SecretBytes>(
      TRY_AT("broker.keyFile", kube::ReadSecretFile(options.broker_key_file, kMaxPemBytes)));
  client.timeout = std::chrono::seconds(45);  // a long poll waits 30
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
  HttpBroker(Options options, std::shared_ptr<http::Client> client)
      : options_(std::move(options)), client_(std::move(client)) {}

  Result<Json> PutKey(const std::string& ns, const std::string& name, const Json& spec) override {
    return Call("PUT", "/v1/keys/" + ns + "/" + name, codec::ToText(spec));
  }
  Result<> DeleteKey(const std::string& ns, const std::string& name) override {
    TRY(Call("DELETE", "/v1/keys/" + ns + "/" + name, ""));
    return Done{};
  }
  Result<Json> PutPolicy(const std::string& ns, const std::string& name, const Json& body) override {
    return Call("PUT", "/v1/policies/" + ns + "/" + name, codec::ToText(body));
  }
  Result<> DeletePolicy(const std::string& ns, const std::string& name) override {
    TRY(Call("DELETE", "/v1/policies/" + ns + "/" + name, ""));
    return Done{};
  }
  Result<Json> PutRelease(const std::string& id, const Json& registration) override {
    return Call("PUT", "/v1/releases/" + id, codec::ToText(registration));
  }
  Result<Json> GetRelease(const std::string& id) override { return Call("GET", "/v1/releases/" + id, ""); }
  Result<Json> RevokeRelease(const std::string& id, std::string_view cause) override {
    return Call("DELETE", "/v1/releases/" + id + "?cause=" + std::string(cause), "");
  }
  Result<Json> ListReleases(const std::string& after) override {
    return Call("GET", "/v1/releases?view=summary&limit=200" + (after.empty() ? "" : "&after=" + after), "");
  }
  Result<Json> Decisions(std::int64_t after, std::chrono::seconds wait) override {
    return Call("GET",
                "/v1/decisions?after=" + std::to_string(after) + "&wait=" + std::to_string(wait.count()), "");
  }
  Result<Json> Identity() override { return Call("GET", "/v1/identity", ""); }

 private:
  std::shared_ptr<http::Client> Current() {
    const std::lock_guard lock(mutex_);
    return client_;
  }
  void Reconnect() {
    if (auto fresh = MakeClient(options_)) {
      const std::lock_guard lock(mutex_);
      client_ = std::move(*fresh);
    }
  }
  Result<Json> Call(const std::string& method, const std::string& target, const std::string& body) {
    http::Headers headers;
    if (!body.empty()) headers.Set("Content-Type", "application/json");
    const auto response = Current()->Send(method, target, headers, body);
    if (!response) {
      Reconnect();  // the certificates may have been rotated
      return response.error();
    }
    if (response->status == 204) return Json();
    if (response->status >= 300) return FromProblem(*response);
    return codec::ParseJson(response->body);
  }

  const Options options_;
  std::mutex mutex_;
  std::shared_ptr<http::Client> client_;
};

}  // namespace

Result<std::unique_ptr<Broker>> ConnectBroker(const Options& options) {
  return std::unique_ptr<Broker>(std::make_unique<HttpBroker>(options, TRY(MakeClient(options))));
}

}  // namespace portcullis::control
