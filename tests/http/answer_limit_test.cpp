#include "http/answer_limit.h"

#include <gtest/gtest.h>

#include <thread>

#include "http/client.h"
#include "tests/http/pki.h"
#include "tests/http/tls_acceptor.h"

namespace portcullis::http::test {
namespace {

class AnswerLimit : public ::testing::TestWithParam<int> {
 protected:
  static constexpr std::size_t kLimit = 1u << 20;
  // The limit as records, and what buffers of the kernel's take on the way.
  static constexpr std::size_t kTaken = 24u << 20, kOffered = 256u << 20;

  /// The error or body of a request to a server that answers `request` by `script`.
  Result<Response> Ask(TlsAcceptor& server) {
    ClientOptions options;
    options.base_url = "https://127.0.0.1:" + std::to_string(server.port());
    options.ca_pem = server.ca_pem();
    options.max_response_bytes = kLimit;
    client_ = Client::Create(options).value();
    return client_->Send("GET", "/", {}, "");
  }
  std::shared_ptr<Client> client_;
};

TEST_P(AnswerLimit, EndsAChunkWithoutMeasure) {
  std::size_t sent = 0;
  TlsAcceptor server(GetParam(), [&](const TlsAcceptor::Send& send) {
    send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n");
    const std::string piece(64 * 1024, 'x');
    while (sent < kOffered && send(piece)) sent += piece.size();
  });
  const auto answer = Ask(server);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ReasonCode::kUnreachable);
  server.Join();
  EXPECT_LT(sent, kTaken);
}

TEST_P(AnswerLimit, EndsAHeadWithoutMeasure) {
  std::size_t sent = 0;
  TlsAcceptor server(GetParam(), [&](const TlsAcceptor::Send& send) {
    send("HTTP/1.1 200 OK\r\nX-A: ");
    const std::string piece(64 * 1024, 'x');
    while (sent < kOffered && send(piece)) sent += piece.size();
  });
  const auto answer = Ask(server);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ReasonCode::kUnreachable);
  server.Join();
  EXPECT_LT(sent, kTaken);
}

TEST_P(AnswerLimit, CountsEachAnswerByItself) {
  TlsAcceptor server(GetParam(), [&](const TlsAcceptor::Send& send) {
    send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kLimit) + "\r\n\r\n" +
         std::string(kLimit, 'x'));
  });
  const auto first = Ask(server);
  ASSERT_TRUE(first) << first.error().ToString();
  constexpr int kMore = 11;
  for (int i = 0; i < kMore; ++i) {
    const auto next = client_->Send("GET", "/", {}, "");
    ASSERT_TRUE(next) << next.error().ToString();
    EXPECT_EQ(next->body.size(), kLimit);
  }
  EXPECT_LT(server.connections(), kMore / 3) << "none was used beyond what one answer may be";
  client_.reset();
}

INSTANTIATE_TEST_SUITE_P(Version, AnswerLimit, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
                         });

}  // namespace
}  // namespace portcullis::http::test
