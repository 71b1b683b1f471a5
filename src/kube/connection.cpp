#include "kube/connection.h"

#include "base/log.h"
#include "kube/file.h"

namespace portcullis::kube {
namespace {

constexpr std::size_t kMaxCaBytes = 512 * 1024;
constexpr std::chrono::seconds kLookEvery{60};
// Bookmarks come about once a minute. Where nothing came for longer, the connection may be dead without a
// word.
constexpr std::chrono::seconds kStreamTimeout{90};
constexpr std::string_view kUserAgent = "portcullis/0.1 (kube)";

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(Endpoint endpoint, const Clock& clock,
                                                     ClientFactory factory) {
  if (endpoint.token == nullptr) endpoint.token = std::make_shared<TokenSource>(clock);
  std::unique_ptr<Connection> made(new Connection(std::move(endpoint), clock, std::move(factory)));
  made->ca_pem_ = made->endpoint_.ca_file.empty() ? made->endpoint_.ca_pem
                                                  : TRY(ReadFile(made->endpoint_.ca_file, kMaxCaBytes));
  made->looked_at_ = clock.Steady();
  made->clients_ = TRY(made->MakeClients(made->ca_pem_));
  return made;
}

std::shared_ptr<http::Client> Connection::requests() { return Current().requests; }
std::shared_ptr<http::Client> Connection::streams() { return Current().streams; }

bool Connection::RefreshAuthorities() {
  const std::lock_guard lock(mutex_);
  return RefreshLocked();
}

Connection::Clients Connection::Current() {
  const std::lock_guard lock(mutex_);
  if (clock_.Steady() - looked_at_ >= kLookEvery) RefreshLocked();
  return clients_;
}

bool Connection::RefreshLocked() {
  looked_at_ = clock_.Steady();
  if (endpoint_.ca_file.empty()) return false;
  auto ca_pem = ReadFile(endpoint_.ca_file, kMaxCaBytes);
  if (!ca_pem || *ca_pem == ca_pem_) return false;
  auto clients = MakeClients(*ca_pem);
  if (!clients) {
    Log(LogLevel::kWarning, "the API server's new CA file is not usable; trusting the old one",
        {{"error", clients.error().ToString()}});
    return false;
  }
  clients_ = std::move(clients).value();
  ca_pem_ = std::move(ca_pem).value();
  return true;
}

Result<Connection::Clients> Connection::MakeClients(const std::string& ca_pem) const {
  http::ClientOptions options;
  options.base_url = endpoint_.url;
  options.ca_pem = ca_pem;
  options.server_name = endpoint_.server_name;
  options.client_certificate_pem = endpoint_.client_certificate_pem;
  options.client_key_pem = endpoint_.client_key_pem;
  options.authorization = [token = endpoint_.token] { return token->Authorization(); };
  options.user_agent = kUserAgent;
  options.timeout = endpoint_.conduct.timeout;
  options.whole_answer = endpoint_.conduct.whole_answer;
  Clients clients;
  clients.requests = TRY(factory_(options));
  options.timeout = kStreamTimeout;
  clients.streams = TRY(factory_(options));
  return clients;
}

}  // namespace portcullis::kube
