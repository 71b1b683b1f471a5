#include "operator/broker.h"

#include <gmock/gmock.h>

#include <mutex>

#include "http/server.h"
#include "tests/kube/temporary_file.h"

namespace portcullis::control {
namespace {

using codec::Json;
using testing::ElementsAre;
using testing::IsEmpty;

/// A broker that answers {} to whatever is sent, and what was sent.
class BrokerTest : public testing::Test {
 protected:
  BrokerTest() {
    http::Router router;
    for (const char* method : {"GET", "PUT", "DELETE"})
      for (const char* path : {"/v1/keys/{ns}/{name}", "/v1/policies/{ns}/{name}", "/v1/releases/{id}",
                               "/v1/keys", "/v1/policies", "/v1/releases", "/v1/decisions"})
        router.Add(method, path, [this](const http::Request& request) {
          std::string line = request.method + " " + request.path;
          char separator = '?';
          for (const auto& [name, value] : request.query) {
            line += separator + name + "=" + value;
            separator = '&';
          }
          const std::lock_guard lock(mutex_);
          asked_.push_back(line);
          if (std::exchange(refuses_certificate_, false)) {
            http::Response refused = http::Response::Empty(401);
            refused.headers.Set("Connection", "close");
            return refused;
          }
          return http::Response::JsonBody(200, codec::JsonObject());
        });
    http::ServerOptions options;
    options.address = "127.0.0.1";
    options.port = 0;
    server_ = http::Server::Start(options, std::move(router), metrics_).value();
  }
  std::unique_ptr<Broker> Connect(std::function<bool()> may_write = {}) {
    Options options;
    options.cluster = "east & west";
    options.broker_url = "http://127.0.0.1:" + std::to_string(server_->port());
    options.broker_ca_file = options.broker_certificate_file = options.broker_key_file = nothing_.path();
    return ConnectBroker(options, std::move(may_write)).value();
  }
  std::vector<std::string> Asked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

  metrics::Metrics metrics_{"controller"};
  const test::TemporaryFile nothing_{""};
  std::mutex mutex_;
  std::vector<std::string> asked_;
  bool refuses_certificate_ = false;  // of the next request
  std::unique_ptr<http::Server> server_;
};

TEST_F(BrokerTest, SaysWhichClusterMirrors) {
  const auto broker = Connect();
  ASSERT_TRUE(broker->PutKey("demo", "llama", codec::JsonObject()));
  ASSERT_TRUE(broker->DeleteKey("demo", "llama"));
  ASSERT_TRUE(broker->PutPolicy("demo", "llama", codec::JsonObject()));
  ASSERT_TRUE(broker->DeletePolicy("demo", "llama"));
  EXPECT_THAT(Asked(), ElementsAre("PUT /v1/keys/demo/llama?cluster=east & west",
                                   "DELETE /v1/keys/demo/llama?cluster=east & west",
                                   "PUT /v1/policies/demo/llama?cluster=east & west",
                                   "DELETE /v1/policies/demo/llama?cluster=east & west"));
}

TEST_F(BrokerTest, ListsWhatIsThisClusters) {
  const auto broker = Connect();
  ASSERT_TRUE(broker->ListKeys(""));
  ASSERT_TRUE(broker->ListPolicies("demo/llama"));
  ASSERT_TRUE(broker->ListReleases("00"));
  EXPECT_THAT(Asked(), ElementsAre("GET /v1/keys?cluster=east & west&limit=200",
                                   "GET /v1/policies?after=demo/llama&cluster=east & west&limit=200",
                                   "GET /v1/releases?after=00&cluster=east & west&limit=200&revoked=false"
                                   "&view=summary"));
}

TEST_F(BrokerTest, TakesBackOnlyWhatIsTheOwners) {
  const auto broker = Connect();
  ASSERT_TRUE(broker->RevokeRelease("00", "PodFinished", {"demo", "u-1"}));
  ASSERT_TRUE(broker->RevokeRelease("00", "PodDeleted", {"demo"}));
  EXPECT_THAT(
      Asked(),
      ElementsAre("DELETE /v1/releases/00?cause=PodFinished&cluster=east & west&namespace=demo&podUid=u-1",
                  "DELETE /v1/releases/00?cause=PodDeleted&cluster=east & west&namespace=demo"));
}

TEST_F(BrokerTest, ChangesNothingWhereItMayNotWrite) {
  bool may_write = false;
  const auto broker = Connect([&] { return may_write; });
  const Json body = codec::JsonObject();
  EXPECT_EQ(broker->PutKey("demo", "llama", body).error().code, ReasonCode::kUnreachable);
  EXPECT_FALSE(broker->DeleteKey("demo", "llama"));
  EXPECT_FALSE(broker->PutPolicy("demo", "llama", body));
  EXPECT_FALSE(broker->DeletePolicy("demo", "llama"));
  EXPECT_FALSE(broker->PutRelease("00", body));
  EXPECT_FALSE(broker->RevokeRelease("00", "PodDeleted", {"demo"}));
  EXPECT_THAT(Asked(), IsEmpty());
  EXPECT_TRUE(broker->GetRelease("00"));
  EXPECT_TRUE(broker->Decisions(0, std::chrono::seconds(0)));
  may_write = true;
  EXPECT_TRUE(broker->PutRelease("00", body));
}

TEST_F(BrokerTest, AsksAgainWithItsCertificateReadAnewWhereTheOldOneIsRefused) {
  const auto broker = Connect();
  refuses_certificate_ = true;
  const auto listed = broker->ListKeys("");
  EXPECT_TRUE(listed) << listed.error().ToString();
  EXPECT_EQ(Asked().size(), 2u);
}

}  // namespace
}  // namespace portcullis::control
