// The server's side of the battery and of the crowds.

#include <gtest/gtest.h>

#include <atomic>

#include "codec/json.h"
#include "http/server.h"
#include "tests/http/battery_player.h"
#include "tests/http/server_process.h"

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;

TEST(BatteryServer, DISABLED_Serves) {
  const char* port_file = std::getenv(kPortFile);
  ASSERT_NE(port_file, nullptr) << "started by the battery only";
  static metrics::Metrics metrics("kbs");
  static std::atomic<int> smuggled = 0;
  Router router;
  router.Add("GET", "/healthz", [](const Request&) { return Response::Text(200, "ok"); });
  router.Add("GET", "/big", [](const Request&) { return Response::Text(200, std::string(1u << 20, 'x')); });
  router.Add("GET", "/metrics", [](const Request&) { return Response::Text(200, metrics.Exposition()); });
  router.Add("POST", "/json", [](const Request& request) {
    const auto parsed = codec::ParseJson(request.body);
    return parsed ? Response::JsonBody(200, codec::Json::Object({})) : Response::Empty(400);
  });
  router.Add("GET", "/smuggled", [](const Request&) { return ++smuggled, Response::Text(200, "smuggled"); });
  router.Add("GET", "/smuggled-count",
             [](const Request&) { return Response::Text(200, std::to_string(smuggled)); });

  Limits limits = ShortLimits();
  limits.max_connections_per_peer = kConnectionsPerPeer;
  auto server = Server::Start({.name = "battery", .tls = {}, .certificate_source = {}, .limits = limits},
                              std::move(router), metrics);
  ASSERT_TRUE(server);
  const std::string unfinished = std::string(port_file) + ".new";
  std::ofstream(unfinished) << (*server)->port();
  std::filesystem::rename(unfinished, port_file);
  for (;;) pause();  // until the battery ends us
}

}  // namespace
}  // namespace portcullis::http::test
