#include "http/server.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "http/connections.h"
#include "http/session.h"
#include "http/tls.h"

namespace portcullis::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::system::error_code;

using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>, Strand>;

constexpr auto kTick = 100ms;        // how finely deadlines are kept
constexpr auto kAcceptPause = 50ms;  // without descriptors, asking again at once would only burn the CPU
constexpr auto kCertificateInterval = 2s;  // how often files are looked at

class RunningServer final : public Server {
 public:
  RunningServer(const ServerOptions& options, Router router, metrics::Metrics& metrics, const Clock& clock)
      : options_(options),
        router_(std::move(router)),
        metrics_(metrics),
        clock_(clock),
        handlers_(io_, AtOnce(), options_.limits.max_queued_requests),
        front_{.options = options_,
               .router = router_,
               .metrics = metrics_,
               .strand = strand_,
               .handlers = handlers_,
               .clock = clock_,
               .on_close = {},
               .evict_holder = {}},
        connections_(options_.limits) {
    front_.on_close = [this](Session& session) { connections_.Remove(session); };
    front_.evict_holder = [this](const Session& asking) { return connections_.EvictHolder(asking); };
  }

  ~RunningServer() override { Stop(0s); }

  Result<> Listen() {
    const bool wants_tls = options_.tls.has_value() || options_.certificate_source;
    error_code error;
    const auto address = boost::asio::ip::make_address(options_.address, error);
    if (error)
      return Error{ReasonCode::kConfigurationInvalid, "listen address is not an IP address",
                   Quoted(options_.address)};
    if (!wants_tls && !address.is_loopback() && options_.name != "ops")
      return Error{ReasonCode::kConfigurationInvalid, "a server without TLS listens on loopback only"};
    if (wants_tls) tls_ = TRY(ServerTls::Open(options_, clock_));
    front_.tls = tls_.get();

    const tcp::endpoint endpoint(address, options_.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (error)
      return Error{ReasonCode::kUnreachable, "the server can't listen on its port", Quoted(error.message())};
    return Done{};
  }

  void Run() {
    Accept();
    Tick();
    const std::size_t threads = AtOnce() + 1;  // one for the sockets
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  std::uint16_t port() const override { return port_; }

  void Stop(std::chrono::seconds grace) override {
    if (stopped_.exchange(true) || threads_.empty()) return;
    boost::asio::post(strand_, [this] { BeginDraining(); });
    {
      std::unique_lock lock(idle_mutex_);
      idle_changed_.wait_for(lock, grace, [this] { return idle_; });
    }
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    connections_.CloseAll();
  }

 private:
  std::size_t AtOnce() const { return std::max<std::size_t>(options_.workers, 1); }

  void Accept() {
    acceptor_.async_accept([this](const error_code& error, TcpSocket socket) {
      if (front_.draining) return;
      if (!error) {
        OnAccepted(std::move(socket));
        return Accept();
      }
      accept_pause_.expires_after(kAcceptPause);
      accept_pause_.async_wait([this](const error_code&) {
        if (!front_.draining) Accept();
      });
    });
  }

  void OnAccepted(TcpSocket socket) {
    error_code error;
    const auto remote = socket.remote_endpoint(error);
    if (!error) socket.non_blocking(true, error);
    if (!error) socket.set_option(tcp::no_delay(true), error);
    if (error) return;  // gone again already

    auto session = std::make_shared<Session>(front_, std::move(socket), remote.address().to_string());
    if (!connections_.Admit(session)) return metrics_.HttpRejected(options_.name, "connections");
    SslPtr tls = tls_ != nullptr ? tls_->NewConnection(session->descriptor()) : nullptr;
    if (tls_ != nullptr && tls == nullptr) return session->Close();  // out of memory
    session->Start(std::move(tls));
  }

  void Tick() {
    tick_.expires_after(kTick);
    tick_.async_wait([this](const error_code& error) {
      if (error) return;
      const auto now = std::chrono::steady_clock::now();
      connections_.CheckDeadlines(now);
      if (tls_ != nullptr && now - certificate_checked_ >= kCertificateInterval) {
        certificate_checked_ = now;
        tls_->Refresh();
      }
      if (front_.draining) ReportIdle();
      Tick();
    });
  }

  void BeginDraining() {
    front_.draining = true;
    error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    connections_.DrainAll();
    ReportIdle();
  }

  void ReportIdle() {
    if (!connections_.empty()) return;
    {
      const std::lock_guard lock(idle_mutex_);
      idle_ = true;
    }
    idle_changed_.notify_all();
  }

  const ServerOptions options_;
  const Router router_;
  metrics::Metrics& metrics_;
  const Clock& clock_;
  std::unique_ptr<ServerTls> tls_;
  boost::asio::io_context io_;
  Strand strand_{boost::asio::make_strand(io_)};
  boost::asio::basic_socket_acceptor<tcp, Strand> acceptor_{strand_};
  Timer accept_pause_{strand_}, tick_{strand_};
  Handlers handlers_;
  Front front_;
  Connections connections_;
  SteadyTime certificate_checked_ = std::chrono::steady_clock::now();
  std::uint16_t port_ = 0;

  std::vector<std::thread> threads_;
  std::atomic<bool> stopped_ = false;
  std::mutex idle_mutex_;
  std::condition_variable idle_changed_;
  bool idle_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Router router,
                                              metrics::Metrics& metrics) {
  static const SystemClock clock;
  return Start(options, std::move(router), metrics, clock);
}

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Router router,
                                              metrics::Metrics& metrics, const Clock& clock) {
  // OpenSSL writes to sockets without MSG_NOSIGNAL: a peer that hangs up must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  auto server = std::make_unique<RunningServer>(options, std::move(router), metrics, clock);
  TRY(server->Listen());
  server->Run();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace portcullis::http
