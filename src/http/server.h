#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/message.h"
#include "metrics/metrics.h"

namespace portcullis::http {

using Handler = std::function<Response(const Request&)>;

/// Exact routes, deny by default: unknown path 404, known path with another method 405.
class Router {
 public:
  /// `pattern` is "/v1/keys/{ns}/{name}"; a capture matches one segment of [A-Za-z0-9_.-], not starting with
  /// a dot, at most 253 characters.
  void Add(std::string method, std::string pattern, Handler handler);
  Response Dispatch(Request& request) const;
  /// How errors of routing and of the server itself are written; default Response::Problem. The guest API
  /// needs
  /// {"type","detail"}.
  void set_error_writer(
      std::function<Response(int status, const Error&, std::string_view request_id)> writer);
  Response WriteError(int status, const Error& error, std::string_view request_id) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
  std::function<Response(int, const Error&, std::string_view)> error_writer_;
};

/// Limits on everything that comes in. Each has its reason beside its default.
struct Limits {
  std::size_t max_header_bytes = 16 * 1024;  // a bearer token of 8 KiB and room
  std::size_t max_header_fields = 64;
  std::size_t max_target_bytes = 4096;
  std::size_t max_body_bytes = 2u << 20;  // RCAR's own cap; 8-GPU evidence is 100+ KiB
  std::size_t max_connections = 1024;
  /// Above the queue: a connection that a handler works for can't make room for another.
  std::size_t max_connections_per_peer = 512;
  std::size_t max_queued_requests = 256;       // beyond: 503 with Retry-After
  std::size_t max_buffered_bytes = 64u << 20;  // bodies and unsent answers of all connections together
  std::chrono::milliseconds handshake_timeout{5000};
  std::chrono::milliseconds read_timeout{10000};   // for a whole request, and for its first byte
  std::chrono::milliseconds idle_timeout{15000};   // between requests
  std::chrono::milliseconds write_timeout{10000};  // for a whole answer
};

struct TlsOptions {
  std::string certificate_file, key_file;  // PEM; re-read when they change, a bad pair keeps the old
  std::string client_ca_file;              // "" for no client certificates; else one is required
};

struct ServerOptions {
  std::string name;  // "guest", "broker", "ops", "webhook": metric label and log
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;         // 0 picks a free one
  std::optional<TlsOptions> tls;  // nullopt only on loopback or for the ops port
  /// Instead of files: PEM certificate chain and key, for certificates held in memory (webhook).
  std::function<std::pair<std::string, std::shared_ptr<const SecretBytes>>()> certificate_source;
  std::size_t workers = 2;       // handlers that run at a time; there is one thread more
  bool json_bodies_only = true;  // a body of another type is 415
  Limits limits;
};

/// HTTP/1.1 over TLS 1.2+ (Boost.Asio for waiting, OpenSSL for TLS, a strict parser of our own). Strict
/// framing: Content-Length or nothing; Transfer-Encoding is 411 or 400, ambiguity is 400 and close, the
/// target must be canonical (no "//", dot segments, escapes in the path, fragments, absolute form). HEAD and
/// OPTIONS are 405. One request at a time per connection, keep-alive, pipelining in order. Where the
/// connections are all taken, the one that has kept the server waiting longest makes room, so that slow peers
/// can't shut out the others. A client's certificate is looked at with each request: where it has expired, or
/// its root is no longer trusted, the answer is 401 and the end of the connection. Handlers run beside the
/// sockets; an exception from one is a bug: 500, logged, the process lives.
class Server {
 public:
  /// Errors: ConfigurationInvalid (files, address), Unreachable (port taken).
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Router router,
                                               metrics::Metrics& metrics);
  /// With a clock of the caller's, which must outlive the server, for the expiry of clients' certificates.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Router router,
                                               metrics::Metrics& metrics, const Clock& clock);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  /// Takes no new connections, answers what is under way for at most `grace`, then closes. A handler is never
  /// interrupted: where one runs on after `grace`, Stop() returns when it does, and its answer is lost.
  virtual void Stop(std::chrono::seconds grace) = 0;
};

}  // namespace portcullis::http
