#include <gtest/gtest.h>

#include <cstdlib>

#include "http/server.h"
#include "kube/kube.h"
#include "tests/kube/temporary_file.h"

namespace portcullis::kube {
namespace {

/// The environment of a pod, and back.
class PodEnvironment {
 public:
  PodEnvironment(const char* host, const char* port) {
    setenv("KUBERNETES_SERVICE_HOST", host, 1);
    setenv("KUBERNETES_SERVICE_PORT", port, 1);
  }
  ~PodEnvironment() {
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
  }
};

TEST(InClusterOptions, NamesTheServiceAndItsFiles) {
  const PodEnvironment pod("10.0.0.1", "443");
  const auto options = InClusterOptions();
  ASSERT_TRUE(options);
  EXPECT_EQ(options->url, "https://10.0.0.1:443");
  EXPECT_EQ(options->ca_file, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
  EXPECT_EQ(options->token_file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
}

TEST(InClusterOptions, PutsIpv6InBrackets) {
  const PodEnvironment pod("fd00::1", "443");
  EXPECT_EQ(InClusterOptions()->url, "https://[fd00::1]:443");
}

TEST(InClusterOptions, SaysThatThisIsNoPod) {
  EXPECT_EQ(InClusterOptions().error().code, ReasonCode::kConfigurationInvalid);
}

/// A server on loopback that knows one pod and one token.
class ConnectTest : public testing::Test {
 protected:
  void SetUp() override {
    http::Router router;
    router.Add("GET", "/api/v1/namespaces/{namespace}/pods/{name}", [this](const http::Request& request) {
      ++requests_;
      const std::string* authorization = request.headers.Find("Authorization");
      if (authorization == nullptr || *authorization != "Bearer new") return http::Response::Empty(401);
      const std::string& name = request.captures.at("name");
      return http::Response::JsonBody(
          200, codec::Json::Object({{"metadata", codec::Json::Object({{"name", name}})}}));
    });
    http::ServerOptions options;
    options.name = "ops";
    auto server = http::Server::Start(options, std::move(router), metrics_);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = std::move(server).value();
    options_.url = "http://127.0.0.1:" + std::to_string(server_->port());
    options_.token_file = token_.path();
    options_.ca_file = ca_.path();
  }

  metrics::Metrics metrics_{"controller"};
  const test::TemporaryFile token_{"old"};
  const test::TemporaryFile ca_{""};
  std::atomic<int> requests_{0};
  std::unique_ptr<http::Server> server_;
  ApiOptions options_;
};

TEST_F(ConnectTest, ReadsARotatedTokenAfterA401) {
  const auto api = Connect(options_, metrics_);
  ASSERT_TRUE(api) << api.error().ToString();
  EXPECT_EQ((*api)->Get(kPods, {"default", "web"}).error().code, ReasonCode::kUnauthorized);
  EXPECT_EQ(requests_, 2);  // once more with the token read again, which is the old one
  token_.Write("new");
  const auto pod = (*api)->Get(kPods, {"default", "web"});
  ASSERT_TRUE(pod) << pod.error().ToString();
  EXPECT_EQ(pod->TextAt({"metadata", "name"}), "web");
  EXPECT_EQ(requests_, 4);
}

TEST_F(ConnectTest, AServerThatIsAwayIsUnreachable) {
  const auto api = Connect(options_, metrics_);
  ASSERT_TRUE(api);
  server_->Stop(std::chrono::seconds(0));
  server_.reset();
  EXPECT_EQ((*api)->Get(kPods, {"default", "web"}).error().code, ReasonCode::kUnreachable);
}

TEST_F(ConnectTest, RefusesPlainHttpBeyondLoopback) {
  options_.url = "http://10.0.0.1:8080";
  EXPECT_EQ(Connect(options_, metrics_).error().code, ReasonCode::kConfigurationInvalid);
}

TEST_F(ConnectTest, RefusesToStartWithoutItsFiles) {
  ApiOptions without_token = options_;
  without_token.token_file = token_.path() + ".absent";
  EXPECT_FALSE(Connect(without_token, metrics_));
  ApiOptions without_ca = options_;
  without_ca.ca_file = ca_.path() + ".absent";
  EXPECT_FALSE(Connect(without_ca, metrics_));
}

}  // namespace
}  // namespace portcullis::kube
