#include "operator/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "codec/json.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr std::string_view kComplete = R"(
logLevel: debug
cluster: production
namespace: portcullis
kubernetes: {kubeconfig: ""}
broker: {url: "https://broker:8444", caFile: /ca, certificateFile: /crt, keyFile: /key}
guest: {url: "https://kbs:8443", caFile: /guest-ca}
agent: {image: "registry.example/agent:1"}
webhook: {address: 0.0.0.0, port: 9443, serviceName: hook, certificateSecret: hook-ca, mutatingConfiguration: m, validatingConfiguration: v}
ops: {address: 127.0.0.1, port: 9091}
leaderElection: {name: lease}
confidential: {runtimeClasses: ["kata-qemu-snp"], nodeSelectorLabels: ["example.com/attested"]}
)";

Json Complete() { return codec::ParseYaml(kComplete).value(); }
Result<Options> Parse(const Json& value) { return ParseOptions(codec::ToYaml(value)); }

void ExpectRefused(const Json& value, std::string_view place) {
  const auto options = Parse(value);
  ASSERT_FALSE(options) << place;
  EXPECT_EQ(options.error().code, ReasonCode::kConfigurationInvalid) << options.error().ToString();
  EXPECT_EQ(options.error().where, place) << options.error().ToString();
}

TEST(ParseOptions, ReadsEveryField) {
  const auto options = ParseOptions(kComplete);
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_EQ(options->log_level, LogLevel::kDebug);
  EXPECT_EQ(options->cluster, "production");
  EXPECT_EQ(options->namespace_name, "portcullis");
  EXPECT_EQ(options->kubeconfig, "");
  EXPECT_EQ(options->broker_url, "https://broker:8444");
  EXPECT_EQ(options->broker_ca_file, "/ca");
  EXPECT_EQ(options->broker_certificate_file, "/crt");
  EXPECT_EQ(options->broker_key_file, "/key");
  EXPECT_EQ(options->guest_url, "https://kbs:8443");
  EXPECT_EQ(options->guest_ca_file, "/guest-ca");
  EXPECT_EQ(options->agent_image, "registry.example/agent:1");
  EXPECT_EQ(options->webhook.address, "0.0.0.0");
  EXPECT_EQ(options->webhook.port, 9443);
  EXPECT_EQ(options->webhook_service, "hook");
  EXPECT_EQ(options->webhook_secret, "hook-ca");
  EXPECT_EQ(options->mutating_configuration, "m");
  EXPECT_EQ(options->validating_configuration, "v");
  EXPECT_EQ(options->ops.address, "127.0.0.1");
  EXPECT_EQ(options->ops.port, 9091);
  EXPECT_EQ(options->lease_name, "lease");
  EXPECT_EQ(options->runtime_classes, std::vector<std::string>{"kata-qemu-snp"});
  EXPECT_EQ(options->node_selector_labels, std::vector<std::string>{"example.com/attested"});
}

TEST(ParseOptions, LogsAtInfoUnlessTold) {
  Json value = Complete();
  value.Erase("logLevel");
  EXPECT_EQ(Parse(value)->log_level, LogLevel::kInfo);
  value.Set("logLevel", "loud");
  ExpectRefused(value, "logLevel." + Quoted("loud"));
}

TEST(ParseOptions, RefusesEachMissingFieldByItsName) {
  const Json complete = Complete();
  int fields = 0;
  for (const auto& [section, content] : *complete.if_object()) {
    if (section == "logLevel") continue;
    SCOPED_TRACE(section);
    Json value = complete;
    value.Erase(section);
    ExpectRefused(value, section);
    if (!content.is_object()) continue;
    for (const auto& [field, unused] : *content.if_object()) {
      ++fields;
      value = complete;
      value.Member(section).Erase(field);
      ExpectRefused(value, section + "." + field);
    }
  }
  EXPECT_EQ(fields, 19);
}

TEST(ParseOptions, RefusesEachEmptyTextButTheKubeconfig) {
  const Json complete = Complete();
  for (const auto& [section, content] : *complete.if_object()) {
    if (section == "logLevel") continue;
    Json value = complete;
    if (content.is_string()) {
      value.Set(section, "");
      ExpectRefused(value, section);
    }
    if (!content.is_object()) continue;
    for (const auto& [field, text] : *content.if_object()) {
      if (!text.is_string() || field == "kubeconfig") continue;
      value = complete;
      value.Member(section).Set(field, "");
      ExpectRefused(value, section + "." + field);
    }
  }
}

TEST(ParseOptions, RefusesUnknownFieldsEverywhere) {
  const Json complete = Complete();
  Json value = complete;
  value.Set("surplus", 1);
  ExpectRefused(value, Quoted("surplus"));
  for (const auto& [section, content] : *complete.if_object()) {
    if (!content.is_object()) continue;
    value = complete;
    value.Member(section).Set("surplus", 1);
    ExpectRefused(value, section + "." + Quoted("surplus"));
  }
}

TEST(ParseOptions, RefusesPortsThatAreNone) {
  for (const Json& port : {Json(-1), Json(65536), Json("9443")}) {
    Json value = Complete();
    value.Member("webhook").Set("port", port);
    ExpectRefused(value, "webhook.port");
  }
}

TEST(ParseOptions, RefusesToCallNothingConfidential) {
  Json value = Complete();
  value.Member("confidential").Set("runtimeClasses", codec::JsonArray());
  EXPECT_TRUE(Parse(value));
  value.Member("confidential").Set("nodeSelectorLabels", codec::JsonArray());
  ExpectRefused(value, "confidential");
}

TEST(ParseOptions, RefusesWhatIsNoYamlMap) {
  for (const char* text : {"", "text", "[1]", "{", "a: &x 1\nb: *x"}) {
    const auto options = ParseOptions(text);
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().code, ReasonCode::kConfigurationInvalid);
  }
}

TEST(LoadOptions, NamesTheFile) {
  const auto path =
      std::filesystem::temp_directory_path() / ("portcullis-options-" + std::to_string(getpid()));
  std::ofstream(path) << kComplete;
  EXPECT_TRUE(LoadOptions(path.string()));
  std::ofstream(path) << "cluster: 1";
  const auto options = LoadOptions(path.string());
  ASSERT_FALSE(options);
  EXPECT_TRUE(options.error().where.starts_with(path.string())) << options.error().ToString();
  std::filesystem::remove(path);
  EXPECT_FALSE(LoadOptions(path.string()));
}

}  // namespace
}  // namespace portcullis::control
