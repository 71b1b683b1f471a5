// The cases of the battery that take a crowd: H186 to H191.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/http/server_process.h"

namespace portcullis::http::test {
namespace {

using namespace std::chrono_literals;

class Crowd : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(process_->port(), 0) << process_->log(); }
  const std::unique_ptr<ServerProcess> process_ = std::make_unique<ServerProcess>();
};

double Evicted(const ServerProcess& process) {
  const std::string text = process.Ask("/metrics").body;
  const std::string series = "\nportcullis_http_rejected_total{cause=\"evicted\",server=\"battery\"} ";
  const std::size_t at = text.find(series);
  return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size()));
}

/// A crowd of slow clients, and one that works meanwhile. `opening` is what each of the crowd sends.
void ExpectWorkGoesOn(const ServerProcess& process, std::string_view opening, std::size_t crowd_size) {
  std::vector<RawConnection> crowd;
  int failures = 0;
  for (std::size_t i = 0; i < crowd_size; ++i) {
    crowd.emplace_back(process.port());
    crowd.back().Send(opening, false);
    if (i % 50 == 0 && StatusOf(process.port(), Get("/healthz")) != 200) ++failures;
  }
  for (int i = 0; i < 20; ++i)
    if (StatusOf(process.port(), Post("/json", "{}")) != 200) ++failures;
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(process.alive());
}

constexpr std::size_t kTooMany = 500;  // for one peer, so that the oldest of them make room
static_assert(kTooMany > kConnectionsPerPeer);

TEST_F(Crowd, H186SlowHeadersDoNotShutOutOthers) {
  ExpectWorkGoesOn(*process_, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ", kTooMany);
  EXPECT_GT(Evicted(*process_), 0);
}
TEST_F(Crowd, H187SlowBodiesDoNotShutOutOthers) {
  ExpectWorkGoesOn(
      *process_,
      "POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{",
      kTooMany);
  EXPECT_GT(Evicted(*process_), 0);
}
TEST_F(Crowd, H188SlowReadersDoNotShutOutOthers) {
  ExpectWorkGoesOn(*process_, Get("/big") + Get("/big"), 200);
}

TEST_F(Crowd, H189WithoutDescriptorsTheServerWaitsAndRecovers) {
  const ServerProcess small(64);
  ASSERT_NE(small.port(), 0);
  {
    std::vector<RawConnection> crowd;
    for (int i = 0; i < 200; ++i) crowd.emplace_back(small.port());
    const double before = small.cpu_seconds();
    std::this_thread::sleep_for(500ms);
    EXPECT_LE(small.cpu_seconds() - before, 0.25) << "accept() spins";
  }
  EXPECT_EQ(StatusOf(small.port(), Get("/healthz")), 200);
  EXPECT_TRUE(small.alive());
}

TEST_F(Crowd, H190ConnectionsThatAreResetLeaveNothing) {
  const std::size_t files = process_->open_files();
  const auto storm = [this](int count) {
    for (int i = 0; i < count; ++i) RawConnection(process_->port()).Reset();
    EXPECT_EQ(process_->Ask("/healthz").status, 200);
  };
  storm(1000);
  const long resident = process_->resident_kib();
  storm(19'000);
  if (kMemoryIsItsOwn) {
    EXPECT_LE(process_->resident_kib() - resident, 4 * 1024);
  }
  for (int i = 0; i < 100 && process_->open_files() > files; ++i) std::this_thread::sleep_for(100ms);
  EXPECT_LE(process_->open_files(), files);
}

TEST_F(Crowd, H191UnknownPathsMakeNoSeries) {
  const auto series = [this] {
    const std::string text = process_->Ask("/metrics").body;
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(process_->Ask("/nowhere").status, 404);
  series();  // the scrape itself is a request with a series
  const auto before = series();
  RawConnection connection(process_->port());
  for (int i = 0; i < 10'000; i += 100) {
    std::string batch;
    for (int j = 0; j < 100; ++j) batch += Get("/nowhere-" + std::to_string(i + j));
    connection.Send(batch);
    for (int j = 0; j < 100; ++j) {
      const auto response = connection.Next();
      ASSERT_TRUE(response);
      ASSERT_EQ(response->status, 404);
    }
  }
  EXPECT_EQ(series(), before);
}

}  // namespace
}  // namespace portcullis::http::test
