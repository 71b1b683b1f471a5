#include "tests/bench/lab_kbs.h"

#include <sys/stat.h>

namespace portcullis::bench {
namespace {

using codec::Json;

constexpr std::chrono::seconds kReadyLimit{60};

Error Answered(const http::Response& response) {
  return {ReasonCode::kInternalError, "the broker's control API refused",
          std::to_string(response.status) + " " + response.body.substr(0, 500)};
}

}  // namespace

Result<std::unique_ptr<LabKbs>> LabKbs::Start(const std::string& program) {
  std::unique_ptr<LabKbs> kbs(new LabKbs());
  TRY(kbs->Launch(program));
  TRY(kbs->Provision());
  return kbs;
}

Result<> LabKbs::Launch(const std::string& program) {
  TRY(lab::LabPki::Shared().Save(folder_.path() + "/lab-pki"));
  const auto server = authority_.Server(), client = authority_.Client("portcullis-operator");
  const std::string ca = folder_.Write("ca.crt", authority_.pem());
  const std::string certificate = folder_.Write("tls.crt", server.certificate_pem);
  const std::string key = folder_.Write("tls.key", server.KeyText());
  const std::string kek = folder_.Write("kek", std::string(32, 'k'));
  for (const std::string& secret : {key, kek}) chmod(secret.c_str(), 0600);
  const auto listen = [&](std::uint16_t port) {
    return Json::Object(
        {{"address", "127.0.0.1"}, {"port", port}, {"certificateFile", certificate}, {"keyFile", key}});
  };
  Json guest = listen(guest_port_), broker = listen(broker_port_);
  guest.Set("url", "https://127.0.0.1:" + std::to_string(guest_port_));
  broker.Set("clientCaFile", ca)
      .Set("clients", Json::Array({Json::Object(
                          {{"commonName", "portcullis-operator"}, {"roles", Json::Array({"operator"})}})}));
  const std::string configuration = folder_.Write(
      "kbs.yaml",
      codec::ToYaml(Json::Object({{"logLevel", "warning"},
                                  {"guest", guest},
                                  {"broker", broker},
                                  {"ops", Json::Object({{"address", "127.0.0.1"}, {"port", ops_port_}})},
                                  {"store", Json::Object({{"path", folder_.path() + "/kbs.db"}})},
                                  {"kek", Json::Object({{"file", kek}})},
                                  {"audit", Json::Object({{"origin", "portcullis.test/bench"}})}})));
  process_ = TRY(e2e::Process::Start({.arguments = {program, "--config", configuration},
                                      .environment = {{"PORTCULLIS_LAB_PKI", folder_.path() + "/lab-pki"}},
                                      .log = folder_.path() + "/kbs.log"}));
  http::ClientOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(ops_port_);
  const auto ops = TRY(http::Client::Create(options));
  const bool ready = e2e::Eventually(kReadyLimit, [&] {
    const auto answer = ops->Send("GET", "/readyz", {}, "");
    return (answer && answer->status == 200) || !process_->running();
  });
  if (!ready || !process_->running())
    return Error{ReasonCode::kInternalError, "the broker did not start",
                 e2e::ReadText(folder_.path() + "/kbs.log")};

  options.base_url = "https://localhost:" + std::to_string(broker_port_);
  options.ca_pem = authority_.pem();
  options.client_certificate_pem = client.certificate_pem;
  options.client_key_pem = client.key_pem;
  control_ = TRY(http::Client::Create(options));
  return Done{};
}

Result<> LabKbs::Provision() {
  const auto answer = TRY(control_->Send("GET", "/v1/identity", {}, ""));
  if (answer.status != 200) return Answered(answer);
  const Json identity = TRY(codec::ParseJson(answer.body));
  const Json* wrapping = identity.Find("wrappingKey");
  if (wrapping == nullptr) return Error{ReasonCode::kInternalError, "the broker has no wrapping key"};
  const auto broker = TRY(crypto::EcPublicKey::FromJwk(*wrapping));
  const std::string team = test::kNamespace;
  TRY(Put("/v1/keys/" + team + "/" + test::kKeyName, owner_.KeySpec(broker)));
  TRY(Put("/v1/policies/" + team + "/" + test::kPolicyName, owner_.Signed(test::PolicyDocument())));
  return Done{};
}

Result<> LabKbs::Register(const test::LabGuest& guest) {
  TRY(Put("/v1/releases/" + guest.release_id, test::RegistrationFor(guest.release_id, guest.init_data)));
  return Done{};
}

Result<Json> LabKbs::Put(const std::string& path, const Json& body) {
  http::Headers headers;
  headers.Set("Content-Type", "application/json");
  const auto answer = TRY(control_->Send("PUT", path, headers, codec::ToText(body)));
  if (answer.status / 100 != 2) return Answered(answer);
  return codec::ParseJson(answer.body);
}

}  // namespace portcullis::bench
