#include "http/client.h"

#include <gtest/gtest.h>

#include <thread>

#include "http/server.h"
#include "tests/http/pki.h"
#include "tests/http/raw_connection.h"

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;

ReasonCode CodeOf(const Result<Response>& result) {
  return result ? ReasonCode::kInternalError : result.error().code;
}

/// Speaks what a test tells it to the one client that connects.
class ScriptedServer {
 public:
  using Script = std::function<void(int descriptor)>;
  explicit ScriptedServer(Script script) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 5), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, script = std::move(script)] {
      const int descriptor = accept(listener_, nullptr, nullptr);
      if (descriptor < 0) return;
      ReadRequest(descriptor);
      script(descriptor);
      close(descriptor);
    });
  }
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  const std::string& request() const { return request_; }

  static void Say(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  static void SayChunk(int descriptor, const std::string& bytes) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    Say(descriptor, size + bytes + "\r\n");
  }
  /// Returns when the client has gone.
  static void AwaitEnd(int descriptor) {
    char piece[1024];
    while (recv(descriptor, piece, sizeof piece, 0) > 0) continue;
  }

 private:
  void ReadRequest(int descriptor) {
    char piece[1024];
    while (request_.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = recv(descriptor, piece, sizeof piece, 0);
      if (got <= 0) return;
      request_.append(piece, static_cast<std::size_t>(got));
    }
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

constexpr const char* kChunked =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

std::shared_ptr<Client> ClientOf(const ScriptedServer& server,
                                 std::function<void(ClientOptions&)> change = {}) {
  ClientOptions options;
  options.base_url = server.url();
  if (change) change(options);
  auto client = Client::Create(options);
  EXPECT_TRUE(client);
  return *client;
}

TEST(Client, RefusesConfigurationsThatAreNotSafe) {
  const Authority authority;
  const auto create = [&](const std::string& url, const std::string& ca) {
    ClientOptions options;
    options.base_url = url;
    options.ca_pem = ca;
    return Client::Create(options).has_value();
  };
  EXPECT_TRUE(create("https://kbs.example:8443/prefix", authority.pem()));
  EXPECT_TRUE(create("http://127.0.0.1:80", ""));
  EXPECT_TRUE(create("http://localhost:80", ""));
  EXPECT_TRUE(create("http://169.254.169.254", ""));  // a cloud's metadata service
  EXPECT_FALSE(create("http://169.254.169.253", ""));
  EXPECT_FALSE(create("http://169.254.169.254.evil.example", ""));
  EXPECT_FALSE(create("https://kbs.example:8443", ""));
  EXPECT_FALSE(create("http://kbs.example", authority.pem()));
  EXPECT_FALSE(create("http://127.0.0.1.evil.example", ""));
  EXPECT_FALSE(create("http://127.0.0.1@evil.example", ""));
  EXPECT_FALSE(create("https://user:secret@kbs.example", authority.pem()));
  EXPECT_FALSE(create("ftp://127.0.0.1", ""));
  EXPECT_FALSE(create("", authority.pem()));
  EXPECT_FALSE(
      create("https://kbs.example", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

TEST(Client, SendsWhatItIsGiven) {
  ScriptedServer server([](int out) {
    ScriptedServer::Say(out, "HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbody");
  });
  const auto client = ClientOf(server, [](ClientOptions& options) {
    options.base_url += "/prefix";
    options.authorization = [] { return std::string("Bearer token"); };
  });
  Headers headers;
  headers.Set("X-Mine", "yes");
  const auto response = client->Send("PUT", "/v1/keys/a/b?x=1&y=%2F", headers, "{}");
  ASSERT_TRUE(response) << response.error().ToString();
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "body");
  EXPECT_EQ(*response->headers.Find("x-a"), "b");
  const std::string& sent = server.request();
  EXPECT_TRUE(sent.starts_with("PUT /prefix/v1/keys/a/b?x=1&y=%2F HTTP/1.1\r\n")) << sent;
  for (const char* field : {"Authorization:Bearer token", "X-Mine:yes", "Content-Type:application/json",
                            "Content-Length:2", "User-Agent:portcullis/0.1"})
    EXPECT_NE(sent.find(std::string("\r\n") + field + "\r\n"), std::string::npos) << field << "\n" << sent;
}

TEST(Client, FollowsNoRedirect) {
  ScriptedServer server([](int out) {
    ScriptedServer::Say(out,
                        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  });
  const auto response = ClientOf(server)->Send("GET", "/", {}, "");
  ASSERT_TRUE(response) << response.error().ToString();
  EXPECT_EQ(response->status, 302);
}

TEST(Client, ReportsWhatCannotBeReached) {
  std::string url;
  {
    ScriptedServer gone([](int) {});
    url = gone.url();
    RawConnection(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  }
  ClientOptions options;
  options.base_url = url;
  EXPECT_EQ(CodeOf((*Client::Create(options))->Send("GET", "/", {}, "")), ReasonCode::kUnreachable);
}

TEST(Client, RefusesAnAnswerThatIsCutOrTooLargeOrTooSlow) {
  ScriptedServer cut(
      [](int out) { ScriptedServer::Say(out, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"); });
  EXPECT_EQ(CodeOf(ClientOf(cut)->Send("GET", "/", {}, "")), ReasonCode::kUnreachable);

  ScriptedServer large([](int out) {
    ScriptedServer::Say(out, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x'));
  });
  EXPECT_EQ(CodeOf(ClientOf(large, [](auto& options) { options.max_response_bytes = 1999; })
                       ->Send("GET", "/", {}, "")),
            ReasonCode::kUnreachable);

  ScriptedServer silent([](int out) { ScriptedServer::AwaitEnd(out); });
  EXPECT_EQ(CodeOf(ClientOf(silent, [](auto& options) { options.timeout = 1s; })->Send("GET", "/", {}, "")),
            ReasonCode::kUnreachable);
}

TEST(Client, GivesAWholeAnswerOnlyItsTime) {
  ScriptedServer silent([](int out) { ScriptedServer::AwaitEnd(out); });
  const auto client = ClientOf(silent, [](auto& options) {
    options.timeout = 60s;
    options.whole_answer = 1s;
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(CodeOf(client->Send("GET", "/", {}, "")), ReasonCode::kUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

TEST(Client, TakesAnAnswerOfExactlyTheLimit) {
  ScriptedServer server([](int out) {
    ScriptedServer::Say(out, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200000, 'x'));
  });
  const auto response =
      ClientOf(server, [](auto& options) { options.max_response_bytes = 200000; })->Send("GET", "/", {}, "");
  ASSERT_TRUE(response) << response.error().ToString();
  EXPECT_EQ(response->body.size(), 200000u);
}

TEST(ClientStream, JoinsLinesOverChunks) {
  ScriptedServer server([](int out) {
    ScriptedServer::Say(out, kChunked);
    for (const char* chunk : {"{\"a\":", "1}\n{\"b\"", ":2}\n", "\n", "{\"c\":3}"})
      ScriptedServer::SayChunk(out, chunk);
    ScriptedServer::Say(out, "0\r\n\r\n");
  });
  std::vector<std::string> lines;
  const std::atomic<bool> stop = false;
  const auto end = ClientOf(server)->Stream(
      "/watch", [&](std::string_view line) { return lines.emplace_back(line), true; }, stop);
  ASSERT_TRUE(end) << end.error().ToString();
  EXPECT_EQ(end->status, 200);
  EXPECT_EQ(lines, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "", "{\"c\":3}"}));
}

TEST(ClientStream, ReturnsOtherStatusesWithTheirBody) {
  ScriptedServer server(
      [](int out) { ScriptedServer::Say(out, "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone"); });
  const std::atomic<bool> stop = false;
  const auto end = ClientOf(server)->Stream(
      "/watch", [](std::string_view) { return ADD_FAILURE(), true; }, stop);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->status, 410);
  EXPECT_EQ(end->body, "gone");
}

TEST(ClientStream, StopsWhereTheReaderHasEnough) {
  ScriptedServer server([](int out) {
    ScriptedServer::Say(out, kChunked);
    ScriptedServer::SayChunk(out, "1\n2\n3\n");
    ScriptedServer::AwaitEnd(out);
  });
  int seen = 0;
  const std::atomic<bool> stop = false;
  EXPECT_TRUE(ClientOf(server)->Stream(
      "/watch", [&](std::string_view) { return ++seen < 2; }, stop));
  EXPECT_EQ(seen, 2);
}

TEST(ClientStream, StopsWhileNothingComes) {
  std::atomic<bool> stop = false;
  for (const bool answered : {true, false}) {
    stop = false;
    ScriptedServer server([&](int out) {
      if (answered) ScriptedServer::Say(out, kChunked);
      stop = true;
      ScriptedServer::AwaitEnd(out);
    });
    EXPECT_TRUE(ClientOf(server)->Stream(
        "/watch", [](std::string_view) { return true; }, stop));
  }
}

TEST(ClientStream, ReportsACutAndASilence) {
  const std::atomic<bool> stop = false;
  const auto any = [](std::string_view) { return true; };
  ScriptedServer cut([](int out) {
    ScriptedServer::Say(out, kChunked);
    ScriptedServer::SayChunk(out, "1\n2");
  });
  EXPECT_EQ(CodeOf(ClientOf(cut)->Stream("/watch", any, stop)), ReasonCode::kUnreachable);

  ScriptedServer silent([](int out) {
    ScriptedServer::Say(out, kChunked);
    ScriptedServer::SayChunk(out, "1\n");
    ScriptedServer::AwaitEnd(out);
  });
  EXPECT_EQ(
      CodeOf(ClientOf(silent, [](auto& options) { options.timeout = 1s; })->Stream("/watch", any, stop)),
      ReasonCode::kUnreachable);
}

TEST(ClientStream, RefusesALineWithoutEnd) {
  ScriptedServer server([](int out) {
    ScriptedServer::Say(out, kChunked);
    for (int i = 0; i < 5; ++i) ScriptedServer::SayChunk(out, std::string(1u << 20, 'x'));
    ScriptedServer::AwaitEnd(out);
  });
  const std::atomic<bool> stop = false;
  const auto end = ClientOf(server)->Stream(
      "/watch", [](std::string_view) { return true; }, stop);
  EXPECT_EQ(CodeOf(end), ReasonCode::kUnreachable);
}

/// Client and server of ours over TLS.
class ClientTlsTest : public ::testing::Test {
 protected:
  void Start(const Identity& identity, bool client_certificates, std::chrono::milliseconds idle = 15s) {
    Router router;
    router.Add("GET", "/who", [](const Request& request) {
      return Response::Text(200, request.client ? request.client->common_name : "nobody");
    });
    ServerOptions options;
    options.name = "test";
    options.limits.idle_timeout = idle;
    options.tls = TlsOptions{folder_.Write("tls.crt", identity.certificate_pem),
                             folder_.Write("tls.key", identity.KeyText()),
                             client_certificates ? folder_.Write("ca.crt", authority_.pem()) : ""};
    auto started = Server::Start(options, std::move(router), metrics_);
    ASSERT_TRUE(started) << started.error().ToString();
    server_ = std::move(*started);
  }
  ClientOptions Options(const std::string& host) const {
    ClientOptions options;
    options.base_url = "https://" + host + ":" + std::to_string(server_->port());
    options.ca_pem = authority_.pem();
    return options;
  }
  /// The body of GET /who, or the name of the error.
  static std::string Who(const ClientOptions& options) {
    const auto client = Client::Create(options);
    if (!client) return std::string(NameOf(client.error().code));
    const auto response = (*client)->Send("GET", "/who", {}, "");
    return response ? response->body : std::string(NameOf(response.error().code));
  }

  const Authority authority_;
  const TemporaryFolder folder_;
  metrics::Metrics metrics_{"kbs"};
  std::unique_ptr<Server> server_;
};

TEST_F(ClientTlsTest, ChecksNameAndAddress) {
  Start(authority_.Server(), false);
  EXPECT_EQ(Who(Options("localhost")), "nobody");
  EXPECT_EQ(Who(Options("127.0.0.1")), "nobody");
  server_.reset();
  Start(authority_.Server({"other.example"}, {}), false);
  EXPECT_EQ(Who(Options("localhost")), "Unreachable");
  EXPECT_EQ(Who(Options("127.0.0.1")), "Unreachable");
}

TEST_F(ClientTlsTest, ExpectsTheNameItIsTold) {
  Start(authority_.Server({"kbs.portcullis.svc"}, {}), false);
  auto options = Options("127.0.0.1");
  options.server_name = "kbs.portcullis.svc";
  EXPECT_EQ(Who(options), "nobody");
  options.server_name = "localhost";
  EXPECT_EQ(Who(options), "Unreachable");
}

TEST_F(ClientTlsTest, DoesNotTakeTheCommonNameForAName) {
  auto wanted = Wanted("localhost");
  wanted.server_auth = true;
  Start(authority_.Issue(wanted), false);
  EXPECT_EQ(Who(Options("localhost")), "Unreachable");
}

TEST_F(ClientTlsTest, TrustsItsOwnAuthorityOnly) {
  Start(authority_.Server(), false);
  auto options = Options("localhost");
  options.ca_pem = Authority().pem();
  EXPECT_EQ(Who(options), "Unreachable");
  options.ca_pem += authority_.pem();
  EXPECT_EQ(Who(options), "nobody");
}

TEST_F(ClientTlsTest, ShowsItsCertificate) {
  Start(authority_.Server(), true);
  auto options = Options("localhost");
  EXPECT_EQ(Who(options), "Unreachable");
  const Identity client = authority_.Client("operator"), other = authority_.Client("other");
  options.client_certificate_pem = client.certificate_pem;
  options.client_key_pem = client.key_pem;
  EXPECT_EQ(Who(options), "operator");
  options.client_key_pem = other.key_pem;
  EXPECT_EQ(Who(options), "ConfigurationInvalid");
  options.client_key_pem = nullptr;
  EXPECT_EQ(Who(options), "ConfigurationInvalid");
}

TEST_F(ClientTlsTest, GoesOnAfterTheServerHasClosedAnIdleConnection) {
  Start(authority_.Server(), false, 200ms);
  const auto client = Client::Create(Options("localhost"));
  ASSERT_TRUE(client);
  for (int i = 0; i < 3; ++i) {
    const auto response = (*client)->Send("GET", "/who", {}, "");
    ASSERT_TRUE(response) << response.error().ToString();
    std::this_thread::sleep_for(600ms);  // the server's idle timeout, and its tick
  }
}

TEST_F(ClientTlsTest, ServesManyThreadsAtOnce) {
  Start(authority_.Server(), false);
  const auto client = Client::Create(Options("localhost"));
  ASSERT_TRUE(client);
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i)
        if (const auto response = (*client)->Send("GET", "/who", {}, "");
            response && response->body == "nobody")
          ++good;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

}  // namespace
}  // namespace portcullis::http::test
