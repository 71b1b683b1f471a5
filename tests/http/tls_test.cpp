// The TLS side of the server: H192 to H215 of the battery, as far as one peer can show them.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <thread>
#include <vector>

#include "http/server.h"
#include "tests/http/memory.h"
#include "tests/http/pki.h"
#include "tests/http/tls_floods.h"
#include "tests/http/tls_peer.h"
#include "tests/support/fake_clock.h"

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;

class TlsTest : public ::testing::Test {
 protected:
  void Start(bool client_certificates, std::function<void(ServerOptions&)> change = {}) {
    Router router;
    router.Add("GET", "/who", [](const Request& request) {
      if (!request.client) return Response::Text(200, "nobody");
      const ClientIdentity& client = *request.client;
      return Response::Text(200, client.common_name + "|" + (client.uris.empty() ? "" : client.uris[0]) +
                                     "|" + codec::EncodeHex(client.spki_fingerprint.bytes()));
    });
    router.Add("GET", "/big", [](const Request&) { return Response::Text(200, std::string(4u << 20, 'x')); });
    router.Add("POST", "/body", [this](const Request&) { return ++bodies_, Response::Text(200, "read"); });
    const Identity server = authority_.Server();
    ServerOptions options;
    options.name = "test";
    options.limits.handshake_timeout = 500ms;
    options.tls =
        TlsOptions{.certificate_file = folder_.Write("tls.crt", server.certificate_pem),
                   .key_file = folder_.Write("tls.key", server.KeyText()),
                   .client_ca_file = client_certificates ? folder_.Write("ca.crt", authority_.pem()) : ""};
    if (change) change(options);
    auto started = Server::Start(options, std::move(router), metrics_, clock_);
    ASSERT_TRUE(started) << started.error().ToString();
    server_ = std::move(*started);
  }

  TlsPeer::Options Peer() const {
    TlsPeer::Options options;
    options.ca_pem = authority_.pem();
    return options;
  }
  TlsPeer::Options Peer(const Identity& identity) const {
    TlsPeer::Options options = Peer();
    options.identity = &identity;
    return options;
  }
  /// The answer to GET /who; "" where the connection is refused.
  std::string Who(const TlsPeer::Options& options) {
    TlsPeer peer(server_->port(), options);
    return peer.Ask(Get("/who"));
  }

  double Rejected(const std::string& cause) const {
    const std::string series = "\nportcullis_http_rejected_total{cause=\"" + cause + "\",server=\"test\"} ";
    const std::string text = metrics_.Exposition();
    const std::size_t at = text.find(series);
    return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size()));
  }

  /// Asks until the server has looked at its files again, as it does every two seconds, or 10 s went by.
  std::optional<RawResponse> AskUntil(TlsPeer& peer, int status) const {
    std::optional<RawResponse> response;
    for (int i = 0; i < 100; ++i) {
      if (!peer.Write(Get("/who"))) break;
      response = peer.Next();
      if (!response || response->status == status) break;
      std::this_thread::sleep_for(100ms);
    }
    return response;
  }

  const Authority authority_;
  const TemporaryFolder folder_;
  portcullis::test::FakeClock clock_{SystemClock().Now()};
  metrics::Metrics metrics_{"kbs"};
  std::atomic<int> bodies_ = 0;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, ServesTls12And13) {
  Start(false);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto options = Peer();
    options.min_version = options.max_version = version;
    EXPECT_EQ(Who(options), "nobody") << version;
  }
}

TEST_F(TlsTest, TellsHandlersWhoTheClientIs) {
  Start(true);
  const Identity client = authority_.Client("operator");
  const auto certificate = crypto::Certificate::Parse(client.der);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(Who(Peer(client)), "operator|spiffe://cluster/operator|" +
                                   codec::EncodeHex(certificate->spki_fingerprint().bytes()));
}

TEST_F(TlsTest, RefusesClientsWithoutACertificateOfItsAuthority) {
  Start(true);
  EXPECT_EQ(Who(Peer()), "");
  const Authority other;
  const Identity stranger = other.Client();
  EXPECT_EQ(Who(Peer(stranger)), "");
}

TEST_F(TlsTest, RefusesClientCertificatesThatAreNotInForce) {
  Start(true);
  const auto issue = [this](auto change) {
    auto wanted = Wanted("operator");
    wanted.client_auth = true;
    change(wanted);
    return authority_.Issue(wanted);
  };
  const Identity good = issue([](auto&) {});
  const Identity expired = issue([](auto& wanted) { wanted.not_after = wanted.not_before + 1s; });
  const Identity early = issue([](auto& wanted) { wanted.not_before = wanted.not_after - 1s; });
  const Identity wrong_use = issue([](auto& wanted) {
    wanted.client_auth = false;
    wanted.server_auth = true;
  });
  EXPECT_NE(Who(Peer(good)), "");
  EXPECT_EQ(Who(Peer(expired)), "");
  EXPECT_EQ(Who(Peer(early)), "");
  EXPECT_EQ(Who(Peer(wrong_use)), "");
}

TEST_F(TlsTest, KeepsNoConnectionBeyondItsClientsCertificate) {
  Start(true);
  auto wanted = Wanted("operator");
  wanted.client_auth = true;
  wanted.not_after = clock_.Now() + 10min;
  const Identity brief = authority_.Issue(wanted), lasting = authority_.Client();
  TlsPeer first(server_->port(), Peer(brief)), second(server_->port(), Peer(lasting));
  EXPECT_NE(first.Ask(Get("/who")), "");
  EXPECT_NE(second.Ask(Get("/who")), "");

  clock_.Advance(11min);
  ASSERT_TRUE(first.Write(Get("/who")));
  const auto refused = first.Next();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_TRUE(refused->Has("Connection: close"));
  EXPECT_NE(refused->body.find("Unauthorized"), std::string::npos);
  EXPECT_EQ(first.Ask(Get("/who")), "");
  EXPECT_NE(second.Ask(Get("/who")), "");
  EXPECT_EQ(Who(Peer(brief)), "");
  EXPECT_EQ(Rejected("unauthorized"), 1);
}

TEST_F(TlsTest, KeepsNoConnectionBeyondItsClientsAuthority) {
  Start(true);
  auto wanted = Wanted("operator");
  wanted.client_auth = true;
  wanted.not_after = clock_.Now() + 3h;
  const Identity outliving = authority_.Issue(wanted);
  TlsPeer peer(server_->port(), Peer(outliving));
  EXPECT_NE(peer.Ask(Get("/who")), "");
  clock_.Advance(61min);  // the authority's hour is over
  ASSERT_TRUE(peer.Write(Get("/who")));
  const auto refused = peer.Next();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
}

TEST_F(TlsTest, KeepsNoConnectionOfAnAuthorityThatIsNoLongerTrusted) {
  Start(true);
  const Identity client = authority_.Client();
  TlsPeer peer(server_->port(), Peer(client));
  EXPECT_NE(peer.Ask(Get("/who")), "");
  folder_.Write("ca.crt", Authority().pem());
  const auto refused = AskUntil(peer, 401);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(peer.Ask(Get("/who")), "");
  EXPECT_EQ(Who(Peer(client)), "");
}

TEST_F(TlsTest, KeepsConnectionsWhileTheirAuthorityIsTrusted) {
  Start(true);
  const Identity client = authority_.Client(), renewed = authority_.Server();
  TlsPeer peer(server_->port(), Peer(client));
  const auto first = TlsPeer(server_->port(), Peer(client)).server_fingerprint();
  const Authority next;
  folder_.Write("ca.crt", next.pem() + authority_.pem());
  folder_.Write("tls.key", renewed.KeyText());
  folder_.Write("tls.crt", renewed.certificate_pem);
  const Identity of_next = next.Client();
  for (int i = 0; i < 100 && Who(Peer(of_next)).empty(); ++i) std::this_thread::sleep_for(100ms);
  EXPECT_NE(Who(Peer(of_next)), "");
  EXPECT_NE(TlsPeer(server_->port(), Peer(client)).server_fingerprint(), first);
  EXPECT_NE(peer.Ask(Get("/who")), "");  // on the connection of before
}

TEST_F(TlsTest, NeverResumesASession) {
  for (const bool client_certificates : {false, true}) {
    Start(client_certificates);
    const Identity client = authority_.Client();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      auto options = client_certificates ? Peer(client) : Peer();
      options.max_version = version;
      TlsPeer first(server_->port(), options);
      ASSERT_NE(first.Ask(Get("/who")), "");
      options.session = SSL_get1_session(first.tls());
      TlsPeer second(server_->port(), options);
      EXPECT_NE(second.Ask(Get("/who")), "");
      EXPECT_EQ(SSL_session_reused(second.tls()), 0);
      SSL_SESSION_free(options.session);
    }
  }
}

TEST_F(TlsTest, RefusesRenegotiation) {
  Start(false);
  auto options = Peer();
  options.max_version = TLS1_2_VERSION;
  TlsPeer peer(server_->port(), options);
  ASSERT_TRUE(peer.connected());
  EXPECT_TRUE(SSL_renegotiate(peer.tls()) != 1 || SSL_do_handshake(peer.tls()) != 1);
  EXPECT_EQ(Who(Peer()), "nobody");
}

TEST_F(TlsTest, NeverChoosesHttp2) {
  Start(false);
  auto options = Peer();
  options.alpn = std::string("\x02h2\x08http/1.1", 12);
  TlsPeer both(server_->port(), options);
  EXPECT_EQ(both.Ask(Get("/who")), "nobody");
  EXPECT_EQ(both.protocol(), "http/1.1");
  options.alpn = std::string("\x02h2", 3);
  EXPECT_FALSE(TlsPeer(server_->port(), options).connected());
}

TEST_F(TlsTest, ClosesOnPlainHttpAndOnSilence) {
  Start(false);
  RawConnection plain(server_->port());
  plain.Send(Get("/who"));
  EXPECT_TRUE(plain.ClosesWithin(5s));
  EXPECT_TRUE(plain.responses().empty());
  RawConnection silent(server_->port()), half(server_->port());
  half.Send(std::string_view("\x16\x03\x01\x02", 4));
  EXPECT_TRUE(silent.ClosesWithin(5s));
  EXPECT_TRUE(half.ClosesWithin(5s));
  EXPECT_EQ(Who(Peer()), "nobody");
}

TEST_F(TlsTest, CallsNoHandlerForABodyThatWasCut) {
  Start(false);
  {
    TlsPeer peer(server_->port(), Peer());
    peer.Write(
        "POST /body HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{}");
    peer.CloseSocket();  // without close_notify
  }
  TlsPeer whole(server_->port(), Peer());
  EXPECT_EQ(whole.Ask(Post("/body", "{}")), "read");
  EXPECT_EQ(bodies_, 1);
}

TEST_F(TlsTest, CarriesLargeBodies) {
  Start(false);
  TlsPeer peer(server_->port(), Peer());
  EXPECT_EQ(peer.Ask(Post("/body", std::string(Limits().max_body_bytes, 'x'))), "read");
}

TEST_F(TlsTest, FreesTheBodyOfARequestThatItRefuses) {
  constexpr std::size_t kLimit = 8u << 20;
  Start(false, [](ServerOptions& options) { options.limits.max_buffered_bytes = kLimit; });
  const std::size_t size = Limits().max_body_bytes;
  std::string unfinished = Post("/body", std::string(size, 'x'));
  unfinished.pop_back();

  const std::size_t before = BytesAllocated();
  std::vector<std::unique_ptr<TlsPeer>> peers;  // they stay while the server lingers
  for (int i = 0; i < 24; ++i) {
    peers.push_back(std::make_unique<TlsPeer>(server_->port(), Peer()));
    ASSERT_TRUE(peers.back()->Write(unfinished));
    peers.back()->FinishWriting();
    const auto refused = peers.back()->Next();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 400);
  }
  EXPECT_EQ(Rejected("malformed"), 24);
  EXPECT_TRUE(HoldsAtMost(before, kLimit + (8u << 20)))
      << "of 48 MiB that came: " << BytesAllocated() - before;
}

TEST_F(TlsTest, HoldsNothingOfWhatIsDone) {
  Start(false);
  const std::size_t before = BytesAllocated();
  std::vector<std::unique_ptr<TlsPeer>> peers;  // kept open
  const std::string request = Post("/body", std::string(Limits().max_body_bytes, 'x'));
  for (int i = 0; i < 8; ++i) {
    peers.push_back(std::make_unique<TlsPeer>(server_->port(), Peer()));
    ASSERT_EQ(peers.back()->Ask(request), "read");
    ASSERT_EQ(peers.back()->Ask(Get("/big")).size(), 4u << 20);
  }
  EXPECT_TRUE(HoldsAtMost(before, 6u << 20)) << "of 48 MiB that went through: " << BytesAllocated() - before;
}

TEST_F(TlsTest, ClosesOnAFloodOfKeyUpdatesAndServesOthers) {
  Start(false);
  TlsPeer flooding(server_->port(), Peer()), other(server_->port(), Peer());
  ASSERT_TRUE(other.connected());
  flooding.SendRaw(KeyUpdates(flooding.tls(), 2000));
  EXPECT_EQ(other.Ask(Get("/who")), "nobody");
  EXPECT_EQ(flooding.Ask(Get("/who")), "");
  EXPECT_EQ(Rejected("handshake"), 1);
}

TEST_F(TlsTest, TakesUpANewCertificateAndKeepsTheOldOverABadOne) {
  Start(false);
  const auto serial = [this] { return TlsPeer(server_->port(), Peer()).server_fingerprint(); };
  const std::string first = serial();
  ASSERT_NE(first, "");

  folder_.Write("tls.crt", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
  std::this_thread::sleep_for(2500ms);  // the server looks every two seconds
  EXPECT_EQ(serial(), first);

  const Identity renewed = authority_.Server();
  folder_.Write("tls.key", renewed.KeyText());
  folder_.Write("tls.crt", renewed.certificate_pem);
  std::string now = first;
  for (int i = 0; i < 100 && now == first; ++i) {
    std::this_thread::sleep_for(100ms);
    now = serial();
    ASSERT_NE(now, "") << "a handshake failed while the certificate changed";
  }
  EXPECT_NE(now, first);
}

TEST_F(TlsTest, TakesItsCertificateFromASource) {
  const Identity first = authority_.Server(), second = authority_.Server();
  std::atomic<bool> renewed = false;
  Start(false, [&](ServerOptions& options) {
    options.tls.reset();
    options.certificate_source = [&] {
      const Identity& current = renewed ? second : first;
      return std::pair(current.certificate_pem, current.key_pem);
    };
  });
  const std::string before = TlsPeer(server_->port(), Peer()).server_fingerprint();
  ASSERT_NE(before, "");
  renewed = true;
  std::string now = before;
  for (int i = 0; i < 100 && now == before; ++i) {
    std::this_thread::sleep_for(100ms);
    now = TlsPeer(server_->port(), Peer()).server_fingerprint();
  }
  EXPECT_NE(now, before);
  server_.reset();
}

TEST_F(TlsTest, RefusesToStartWithWhatItCannotUse) {
  const Identity server = authority_.Server(), other = authority_.Server();
  const auto start = [&](const TlsOptions& tls) {
    ServerOptions options;
    options.name = "test";
    options.tls = tls;
    const auto started = Server::Start(options, Router(), metrics_);
    return started ? "started" : std::string(NameOf(started.error().code));
  };
  const std::string certificate = folder_.Write("c", server.certificate_pem),
                    key = folder_.Write("k", server.KeyText());
  EXPECT_EQ(start({certificate, key, ""}), "started");
  EXPECT_EQ(start({certificate, folder_.Write("k2", other.KeyText()), ""}), "ConfigurationInvalid");
  EXPECT_EQ(start({certificate, "/nonexistent", ""}), "ConfigurationInvalid");
  EXPECT_EQ(start({folder_.Write("empty", ""), key, ""}), "ConfigurationInvalid");
  EXPECT_EQ(start({certificate, key, folder_.Write("noca", "nothing here")}), "ConfigurationInvalid");
}

}  // namespace
}  // namespace portcullis::http::test
