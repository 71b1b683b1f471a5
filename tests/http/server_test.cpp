#include "http/server.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/http/memory.h"
#include "tests/http/raw_connection.h"

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;

/// Holds handlers until it is opened.
class Gate {
 public:
  void Wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitWaiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }
  void Open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  void Start(std::function<void(ServerOptions&)> change = {}) {
    Router router;
    router.Add("GET", "/healthz", [](const Request&) { return Response::Text(200, "ok"); });
    router.Add("GET", "/throws", [](const Request&) -> Response { throw std::runtime_error("a bug\r\n"); });
    router.Add("GET", "/throws-odd", [](const Request&) -> Response { throw 7; });
    router.Add("GET", "/waits", [this](const Request&) {
      gate_.Wait();
      return Response::Text(200, "waited");
    });
    router.Add("GET", "/echo", [](const Request& request) {
      return Response::JsonBody(
          200, codec::Json::Object({{"peer", request.peer},
                                    {"id", request.id},
                                    {"q", request.query.contains("q") ? request.query.at("q") : ""},
                                    {"client", request.client.has_value()}}));
    });
    router.Add("POST", "/echo", [](const Request& request) { return Response::Text(200, request.body); });
    router.Add("POST", "/eightfold", [](const Request& request) {
      std::string body;
      for (int i = 0; i < 8; ++i) body += request.body;
      return Response::Text(200, std::move(body));
    });
    router.Add("GET", "/splits", [](const Request&) {
      Response response = Response::Text(200, "x");
      response.headers.Add("X-A", "b\r\nX-Injected: yes");
      response.headers.Add("Content-Length", "500");
      return response;
    });
    router.Add("GET", "/nothing", [](const Request&) { return Response::Empty(204); });
    router.Add("GET", "/huge",
               [](const Request&) { return Response::Text(200, std::string(32u << 20, 'x')); });
    ServerOptions options;
    options.name = "test";
    if (change) change(options);
    auto started = Server::Start(options, std::move(router), metrics_);
    ASSERT_TRUE(started) << started.error().ToString();
    server_ = std::move(*started);
  }
  void TearDown() override { gate_.Open(); }

  std::uint16_t port() const { return server_->port(); }
  int Ask(std::string_view path) { return StatusOf(port(), Get(path)); }
  double Count(const std::string& series) const {
    const std::string text = metrics_.Exposition();
    const std::size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
  }
  double Rejected(const std::string& cause) const {
    return Count("portcullis_http_rejected_total{cause=\"" + cause + "\",server=\"test\"}");
  }
  double Served(const std::string& status_class) const {
    return Count("portcullis_http_requests_total{class=\"" + status_class + "\",server=\"test\"}");
  }

  metrics::Metrics metrics_{"kbs"};
  Gate gate_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, MarksEveryAnswer) {
  Start();
  RawConnection connection(port());
  connection.Send(Get("/healthz"));
  const auto response = connection.Next();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "ok");
  EXPECT_TRUE(response->Has("Content-Type: text/plain; charset=utf-8"));
  EXPECT_TRUE(response->Has("Content-Length: 2"));
  EXPECT_TRUE(response->Has("Cache-Control: no-store"));
  EXPECT_TRUE(response->Has("X-Content-Type-Options: nosniff"));
  EXPECT_NE(response->head.find("X-Request-Id: "), std::string::npos);
  EXPECT_NE(response->head.find("Date: "), std::string::npos);
}

TEST_F(ServerTest, GivesHandlersPeerAndQueryAndAnIdOfItsOwn) {
  Start();
  RawConnection connection(port());
  connection.Send(
      "GET /echo?q=a%2Fb HTTP/1.1\r\nHost: h\r\nX-Request-Id: forged\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n");
  const auto response = connection.Next();
  ASSERT_TRUE(response);
  const auto body = codec::ParseJson(response->body);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->TextAt({"peer"}), "127.0.0.1");
  EXPECT_EQ(body->TextAt({"q"}), "a/b");
  EXPECT_EQ(body->TextAt({"id"}).size(), 16u);
  EXPECT_TRUE(response->Has("X-Request-Id: " + std::string(body->TextAt({"id"}))));
  EXPECT_FALSE(*body->Find("client")->if_bool());
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  RawConnection connection(port());
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += Post("/echo", std::to_string(i));
  connection.Send(requests);
  for (int i = 0; i < 50; ++i) {
    const auto response = connection.Next();
    ASSERT_TRUE(response);
    ASSERT_EQ(response->body, std::to_string(i));
  }
}

TEST_F(ServerTest, TakesABodyUpToTheLimit) {
  Start();
  RawConnection connection(port());
  const std::string body(Limits().max_body_bytes, 'b');
  connection.Send(Post("/echo", body));
  const auto response = connection.Next();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, body);
  EXPECT_EQ(StatusOf(port(), Post("/echo", body + "b")), 413);
}

TEST_F(ServerTest, SendsALargeAnswerWholeToAClientThatReadsLate) {
  Start([](ServerOptions& options) { options.limits.write_timeout = 60s; });
  std::string body;
  while (body.size() < Limits().max_body_bytes - 8) body += std::to_string(body.size()) + "\n";
  RawConnection late(port());
  late.Send(Post("/eightfold", body), false);  // more than the buffers on the way take
  late.Send(Get("/healthz"), false);
  while (Served("2xx") < 1) std::this_thread::sleep_for(10ms);
  late.CollectUntil([&] { return !late.responses().empty(); }, 50s);
  const auto response = late.Next();
  ASSERT_TRUE(response);
  ASSERT_EQ(response->body.size(), 8 * body.size());
  for (std::size_t at = 0; at < response->body.size(); at += body.size())
    ASSERT_EQ(response->body.compare(at, body.size(), body), 0) << at;
  const auto next = late.Next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->body, "ok");
}

TEST_F(ServerTest, SurvivesHandlersThatThrow) {
  Start();
  RawConnection connection(port());
  for (const char* path : {"/throws", "/throws-odd", "/healthz"}) connection.Send(Get(path));
  EXPECT_EQ(connection.Next()->status, 500);
  EXPECT_EQ(connection.Next()->status, 500);
  EXPECT_EQ(connection.Next()->status, 200);
  EXPECT_EQ(connection.received().find("a bug"), std::string::npos);
  EXPECT_EQ(Served("5xx"), 2);
}

TEST_F(ServerTest, LeavesOutHeadersThatWouldBreakTheFraming) {
  Start();
  RawConnection connection(port());
  connection.Send(Get("/splits") + Get("/healthz"));
  const auto response = connection.Next();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->head.find("X-Injected"), std::string::npos);
  EXPECT_TRUE(response->Has("Content-Length: 1"));
  EXPECT_EQ(connection.Next()->status, 200);
}

TEST_F(ServerTest, SendsNoBodyWhereThereIsNone) {
  Start();
  RawConnection connection(port());
  connection.Send(Get("/nothing") + Get("/healthz"));
  const auto response = connection.Next();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->head.find("Content-Length"), std::string::npos);
  EXPECT_EQ(connection.Next()->status, 200);
}

TEST_F(ServerTest, CountsEachRequestOnce) {
  Start();
  EXPECT_EQ(Ask("/healthz"), 200);
  EXPECT_EQ(Ask("/no"), 404);
  EXPECT_EQ(Ask("//"), 400);
  EXPECT_EQ(Served("2xx"), 1);
  EXPECT_EQ(Served("4xx"), 1);
  EXPECT_EQ(Rejected("malformed"), 1);
}

TEST_F(ServerTest, TurnsAwayWhatTheQueueCannotHold) {
  Start([](ServerOptions& options) {
    options.workers = 1;
    options.limits.max_queued_requests = 1;
  });
  RawConnection running(port()), queued(port()), third(port());
  running.Send(Get("/waits"));
  gate_.AwaitWaiting(1);
  // The queue takes one of these two; which one is the network's choice.
  queued.Send(Get("/healthz"));
  third.Send(Get("/healthz"));
  const auto refused_at = [&] {
    queued.Collect(50ms);
    third.Collect(50ms);
    return !queued.responses().empty() || !third.responses().empty();
  };
  while (!refused_at()) continue;
  RawConnection& refused = queued.responses().empty() ? third : queued;
  RawConnection& waiting = queued.responses().empty() ? queued : third;
  const auto response = refused.Next();
  EXPECT_EQ(response->status, 503);
  EXPECT_TRUE(response->Has("Retry-After: 1"));
  EXPECT_EQ(Rejected("queue"), 1);
  gate_.Open();
  EXPECT_EQ(running.Next()->status, 200);
  EXPECT_EQ(waiting.Next()->status, 200);
  refused.Send(Get("/healthz"));  // the connection was kept
  EXPECT_EQ(refused.Next()->status, 200);
}

TEST_F(ServerTest, MakesRoomByClosingWhoKeptItWaitingLongest) {
  Start([](ServerOptions& options) { options.limits.max_connections = 3; });
  std::vector<RawConnection> slow;
  for (int i = 0; i < 3; ++i) {
    slow.emplace_back(port());
    slow.back().Send("GET /healthz HTTP/1.1\r\n");
    std::this_thread::sleep_for(20ms);  // so that one is the oldest
  }
  EXPECT_EQ(Ask("/healthz"), 200);
  EXPECT_TRUE(slow[0].ClosesWithin(5s));
  EXPECT_EQ(Rejected("evicted"), 1);
  slow[2].Send("Host: h\r\n\r\n");  // the youngest is still there
  EXPECT_EQ(slow[2].Next()->status, 200);
}

TEST_F(ServerTest, LimitsTheConnectionsOfOnePeer) {
  Start([](ServerOptions& options) { options.limits.max_connections_per_peer = 2; });
  std::vector<RawConnection> all;
  for (int i = 0; i < 4; ++i) {
    all.emplace_back(port());
    all.back().Send(Get("/healthz"));
    ASSERT_TRUE(all.back().Next());
  }
  EXPECT_EQ(Rejected("evicted"), 2);
}

TEST_F(ServerTest, NeverClosesAConnectionThatAHandlerWorksFor) {
  Start([](ServerOptions& options) { options.limits.max_connections = 1; });
  RawConnection busy(port());
  busy.Send(Get("/waits"));
  gate_.AwaitWaiting(1);
  RawConnection newcomer(port());
  newcomer.Send(Get("/healthz"));
  EXPECT_TRUE(newcomer.ClosesWithin(5s));
  EXPECT_EQ(Rejected("connections"), 1);
  gate_.Open();
  EXPECT_EQ(busy.Next()->status, 200);
}

TEST_F(ServerTest, BoundsTheMemoryOfUnfinishedBodies) {
  constexpr std::size_t kLimit = 4u << 20;
  Start([](ServerOptions& options) { options.limits.max_buffered_bytes = kLimit; });
  std::string unfinished = Post("/echo", std::string(1u << 20, 'x'));
  unfinished.pop_back();
  const std::size_t before = BytesAllocated();
  std::vector<RawConnection> hoarders;
  for (int i = 0; i < 40; ++i) {
    hoarders.emplace_back(port());
    hoarders.back().Send(unfinished);
  }
  while (Rejected("evicted") < 36) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(HoldsAtMost(before, kLimit + (4u << 20))) << "of 40 MiB: " << BytesAllocated() - before;
  EXPECT_EQ(StatusOf(port(), Post("/echo", std::string(30000, 'y'))), 200);
}

TEST_F(ServerTest, BoundsTheMemoryOfUnsentAnswers) {
  Start([](ServerOptions& options) { options.limits.max_buffered_bytes = 1u << 20; });
  RawConnection first(port()), second(port());
  first.Send(Get("/huge"), false);
  second.Send(Get("/huge"), false);
  while (Rejected("evicted") < 1) std::this_thread::sleep_for(10ms);
  first.Collect(5s);
  second.Collect(5s);
  EXPECT_EQ(first.responses().size() + second.responses().size(), 1u);  // one of them made room for the other
}

TEST_F(ServerTest, ClosesOnClientsThatDoNotRead) {
  Start([](ServerOptions& options) { options.limits.write_timeout = 300ms; });
  RawConnection connection(port());
  connection.Send(Get("/huge"), false);
  std::this_thread::sleep_for(700ms);  // longer than the server waits; nothing to wait for on this side
  EXPECT_TRUE(connection.ClosesWithin(10s));
  EXPECT_TRUE(connection.responses().empty());  // cut short
}

TEST_F(ServerTest, StopsAfterWhatIsUnderWay) {
  Start();
  RawConnection busy(port()), idle(port());
  idle.Send(Get("/healthz"));
  ASSERT_TRUE(idle.Next());
  busy.Send(Get("/waits"));
  gate_.AwaitWaiting(1);
  std::thread stopping([this] { server_->Stop(30s); });
  EXPECT_TRUE(idle.ClosesWithin(10s));
  EXPECT_FALSE(RawConnection(port()).connected());
  gate_.Open();
  const auto response = busy.Next();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_TRUE(response->Has("Connection: close"));
  stopping.join();
}

TEST_F(ServerTest, StopsAfterAnAnswerThatIsBeingWritten) {
  Start([](ServerOptions& options) { options.limits.idle_timeout = options.limits.write_timeout = 60s; });
  RawConnection reading(port());
  reading.Send(Get("/huge"), false);
  while (Served("2xx") < 1) std::this_thread::sleep_for(10ms);
  const std::jthread stopping([this] { server_->Stop(60s); });
  while (RawConnection(port()).connected()) std::this_thread::sleep_for(10ms);
  reading.CollectUntil([&] { return !reading.responses().empty(); }, 50s);
  const auto response = reading.Next();  // its head was made before
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_FALSE(response->Has("Connection: close"));
  EXPECT_TRUE(reading.ClosesWithin(10s));
}

TEST_F(ServerTest, StopsTwiceAndWithoutGrace) {
  Start();
  RawConnection connection(port());
  connection.Send(Get("/healthz"));
  ASSERT_TRUE(connection.Next());
  server_->Stop(0s);
  server_->Stop(0s);
  EXPECT_TRUE(connection.ClosesWithin(5s));
}

TEST_F(ServerTest, RefusesToListenWithoutTlsBeyondLoopback) {
  ServerOptions options;
  options.name = "guest";
  options.address = "0.0.0.0";
  const auto refused = Server::Start(options, Router(), metrics_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ReasonCode::kConfigurationInvalid);
  options.name = "ops";
  EXPECT_TRUE(Server::Start(options, Router(), metrics_));
  options.address = "localhost";
  EXPECT_FALSE(Server::Start(options, Router(), metrics_));
}

TEST_F(ServerTest, SaysThatAPortIsTaken) {
  Start();
  ServerOptions options;
  options.name = "test";
  options.port = port();
  const auto second = Server::Start(options, Router(), metrics_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ReasonCode::kUnreachable);
}

}  // namespace
}  // namespace portcullis::http::test
