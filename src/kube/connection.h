#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "http/client.h"
#include "kube/kube.h"
#include "kube/token_source.h"

namespace portcullis::kube {

/// Where the API server is and who we are to it. The CA comes from a file, which may change, or is fixed.
struct Endpoint {
  std::string url;
  std::string server_name = {};
  std::string ca_file = {};
  std::string ca_pem = {};
  std::string client_certificate_pem = {};
  std::shared_ptr<const SecretBytes> client_key_pem = {};
  std::shared_ptr<TokenSource> token = {};
  ApiConduct conduct = {};
};

using ClientFactory = std::function<Result<std::shared_ptr<http::Client>>(const http::ClientOptions&)>;

/// HTTP clients to one API server, made anew when the CA file changes. Thread-safe.
class Connection {
 public:
  /// Error: ConfigurationInvalid (CA file, URL, client certificate).
  static Result<std::unique_ptr<Connection>> Open(Endpoint endpoint, const Clock& clock,
                                                  ClientFactory factory);

  std::shared_ptr<http::Client> requests();
  /// For watches, whose bytes come a minute apart.
  std::shared_ptr<http::Client> streams();
  /// The API server answered 401.
  void ExpireToken() { endpoint_.token->Expire(); }
  /// Looks at the CA file now; true where it had changed and the clients are new. For use after a failed
  /// connection.
  bool RefreshAuthorities();

 private:
  struct Clients {
    std::shared_ptr<http::Client> requests, streams;
  };
  Connection(Endpoint endpoint, const Clock& clock, ClientFactory factory)
      : endpoint_(std::move(endpoint)), clock_(clock), factory_(std::move(factory)) {}
  Result<Clients> MakeClients(const std::string& ca_pem) const;
  Clients Current();
  bool RefreshLocked();

  const Endpoint endpoint_;
  const Clock& clock_;
  const ClientFactory factory_;
  std::mutex mutex_;
  std::string ca_pem_;
  SteadyTime looked_at_{};
  Clients clients_;
};

}  // namespace portcullis::kube
