#include "operator/admission/webhook.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "http/client.h"
#include "tests/operator/admission.h"
#include "tests/operator/fake_broker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_kube.h"

namespace portcullis::control {
namespace {

using codec::Json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The webhook as it serves: a policy "llama" for the key "llama" in the namespace "demo".
class WebhookTest : public test::AdmissionTest {
 protected:
  WebhookTest() {
    for (const kube::Resource& resource : {kube::kMutatingWebhooks, kube::kValidatingWebhooks}) {
      Json configuration = kube::NewObject(resource, {"", "portcullis"});
      configuration.Set("webhooks", Json::Array({Json::Object({{"name", "pods.portcullis.dev"},
                                                               {"clientConfig", codec::JsonObject()}})}));
      api.Put(resource, configuration);
    }
    Json policy = kube::NewObject(kube::kReleasePolicies, {"demo", "llama"});
    policy.Set("spec", Json::Object({{"policy", policies.at("demo/llama")}}));
    api.Put(kube::kReleasePolicies, policy);
    Json key = kube::NewObject(kube::kModelKeys, {"demo", "llama"});
    key.Set("spec", keys.at("demo/llama"));
    api.Put(kube::kModelKeys, key);

    ca_file = std::filesystem::temp_directory_path() / ("portcullis-webhook-" + std::to_string(getpid()));
    std::ofstream(ca_file) << context.broker.ca_pem;
    options.namespace_name = "portcullis";
    options.guest_url = context.guest_url;
    options.guest_ca_file = ca_file.string();
    options.agent_image = context.agent_image;
    options.runtime_classes = context.runtime_classes;
    options.webhook.name = "webhook";
    options.webhook_service = "portcullis-webhook";
    options.webhook_secret = "webhook-ca";
    options.mutating_configuration = options.validating_configuration = "portcullis";
    broker.identity = [this]() -> Result<Json> {
      ++asked;
      return Json::Object({{"signingKey", Json::Object({{"x", generation.load()}})}});
    };
  }
  ~WebhookTest() override { std::filesystem::remove(ca_file); }

  Result<std::unique_ptr<Webhook>> Start() {
    return Webhook::Start(options, api, broker, random, clock, metrics, stop_requested);
  }
  std::unique_ptr<Webhook> Ready() {
    auto webhook = Start();
    if (!webhook || !*webhook) return nullptr;
    for (int i = 0; i < 1000 && !(*webhook)->NotReady().empty(); ++i)
      std::this_thread::sleep_for(milliseconds(10));
    EXPECT_EQ((*webhook)->NotReady(), "");
    return *std::move(webhook);
  }
  /// The response to one review, as the API server asks for it.
  Json Ask(const Webhook& webhook, const std::string& path, const Json& pod) {
    const auto configuration = api.Peek(kube::kMutatingWebhooks, {"", "portcullis"});
    const auto bundle = codec::DecodeBase64(
        configuration->Find("webhooks")->if_array()->at(0).TextAt({"clientConfig", "caBundle"}));
    http::ClientOptions to;
    to.base_url = "https://127.0.0.1:" + std::to_string(webhook.port());
    to.ca_pem = ToText(bundle.value());
    to.server_name = "portcullis-webhook.portcullis.svc";
    const Json review = Json::Object(
        {{"apiVersion", "admission.k8s.io/v1"},
         {"kind", "AdmissionReview"},
         {"request",
          Json::Object({{"uid", "u-1"}, {"operation", "CREATE"}, {"namespace", "demo"}, {"object", pod}})}});
    const auto response = http::Client::Create(to).value()->Send("POST", path, {}, codec::ToText(review));
    EXPECT_TRUE(response) << response.error().ToString();
    if (!response) return {};
    const auto answer = codec::ParseJson(response->body);
    EXPECT_TRUE(answer) << response->body;
    return answer ? *answer->Find("response") : Json();
  }
  Json Mutated(const Webhook& webhook, Json pod) {
    const Json response = Ask(webhook, "/mutate", pod);
    const auto patch = codec::DecodeBase64(response.TextAt({"patch"}));
    EXPECT_TRUE(test::ApplyJsonPatch(pod, *codec::ParseJson(AsText(patch.value()))->if_array()))
        << codec::ToText(response);
    return pod;
  }
  static bool Allowed(const Json& response) { return *response.Find("allowed") == Json(true); }

  test::FakeKube api;
  test::FakeBroker broker;
  test::FakeClock clock{SystemClock().Now()};  // certificates are looked at by OpenSSL's clock too
  metrics::Metrics metrics{"webhook"};
  std::atomic<bool> stop_requested{false};
  std::atomic<int> generation{1}, asked{0};
  std::filesystem::path ca_file;
  Options options;
};

TEST_F(WebhookTest, StopsWhenToldToThoughTheApiServerIsAway) {
  const Error away{ReasonCode::kUnreachable, "connection refused"};
  for (const char* plural : {"secrets", "releasepolicies", "modelkeys"})
    for (const char* verb : {"get", "list"}) api.FailNext(verb, plural, away, 1'000'000);
  std::atomic<bool> returned{false};
  std::thread starting([&] {
    const auto webhook = Start();
    EXPECT_TRUE(webhook && *webhook == nullptr);
    returned = true;
  });
  EXPECT_TRUE(api.WaitUntil([&] { return api.CountCalls("get", "secrets") > 1; }));
  EXPECT_FALSE(returned) << "it goes on trying";
  stop_requested = true;
  const auto deadline = std::chrono::steady_clock::now() + seconds(10);
  while (!returned && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_TRUE(returned);
  api.StopFailing();
  starting.join();
}

TEST_F(WebhookTest, AdmitsWhatItWrote) {
  const auto webhook = Ready();
  ASSERT_TRUE(webhook);
  const Json pod = Mutated(*webhook, Pod());
  EXPECT_TRUE(Allowed(Ask(*webhook, "/validate", pod)));
  EXPECT_FALSE(Allowed(Ask(*webhook, "/mutate", pod))) << "a pod that brings a release";
}

TEST_F(WebhookTest, WarnsOfAKeyThatOneContainerAloneCanRead) {
  const auto webhook = Ready();
  ASSERT_TRUE(webhook);
  Json pod = Pod();
  pod.Member("spec")
      .Member("containers")
      .Push(Json::Object({{"name", "other"}, {"securityContext", Json::Object({{"runAsUser", 7}})}}));
  const Json response = Ask(*webhook, "/mutate", pod);
  EXPECT_TRUE(Allowed(response));
  ASSERT_NE(response.Find("warnings"), nullptr);
  EXPECT_EQ(response.Find("warnings")->if_array()->size(), 1u);
}

TEST_F(WebhookTest, TakesWhatAReplicaWroteThatKnowsMoreOrLess) {
  const auto webhook = Ready();
  ASSERT_TRUE(webhook);
  const Json by_old = Mutated(*webhook, Pod());
  generation = 2;
  clock.Advance(seconds(30));
  const auto newer = Ready();
  ASSERT_TRUE(newer);
  const Json by_new = Mutated(*newer, Pod());
  EXPECT_TRUE(Allowed(Ask(*webhook, "/validate", by_new))) << "it asks the broker before it refuses";
  EXPECT_TRUE(Allowed(Ask(*webhook, "/validate", by_old))) << "it remembers what it knew";
  clock.Advance(std::chrono::minutes(10));
  EXPECT_FALSE(Allowed(Ask(*webhook, "/validate", by_old)));
  EXPECT_TRUE(Allowed(Ask(*webhook, "/validate", by_new)));
}

TEST_F(WebhookTest, AsksTheBrokerOnceASecondForPodsThatItDoesNotKnow) {
  const auto webhook = Ready();
  ASSERT_TRUE(webhook);
  Json pod = Mutated(*webhook, Pod());
  SetLabel(pod, kube::kReleaseIdLabel, std::string(32, 'a'));
  clock.Advance(seconds(2));
  const int before = asked;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Allowed(Ask(*webhook, "/validate", pod)));
  EXPECT_EQ(asked, before + 1);
}

}  // namespace
}  // namespace portcullis::control
