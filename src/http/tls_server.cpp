#include <fcntl.h>
#include <openssl/err.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/log.h"
#include "http/tls.h"

namespace portcullis::http {
namespace {

constexpr std::size_t kMaxFileBytes = 1u << 20;
// A chain of two intermediates is long here; the limits bound what an unknown peer makes us parse and verify.
constexpr int kMaxChainDepth = 4;
constexpr long kMaxPeerChainBytes = 16 * 1024;
constexpr std::array<unsigned char, 9> kHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char kSessionContext[] = "portcullis";

/// What tells one content of a file from the next: Kubernetes swaps a link, certbot renames.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

FileStamp StampOf(const std::string& path) {
  struct stat info {};
  if (path.empty() || stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
}

/// A whole file, straight into memory that wipes itself: it may hold a key.
Result<SecretBytes> ReadFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Error{ReasonCode::kConfigurationInvalid, "file can't be opened", Quoted(path)};
  struct stat info {};
  const bool fits = fstat(descriptor, &info) == 0 && info.st_size > 0 &&
                    static_cast<std::size_t>(info.st_size) <= kMaxFileBytes;
  SecretBytes content(fits ? static_cast<std::size_t>(info.st_size) : 0);
  const ssize_t got = content.ExposeMutable(
      [descriptor](std::span<std::byte> out) { return read(descriptor, out.data(), out.size()); });
  close(descriptor);
  if (!fits || got != static_cast<ssize_t>(content.size()))
    return Error{ReasonCode::kConfigurationInvalid, "file is empty, too large or can't be read",
                 Quoted(path)};
  return content;
}

Result<std::string> ReadPublicFile(const std::string& path) {
  const SecretBytes content = TRY(ReadFile(path));
  return content.Expose([](Bytes bytes) { return ToText(bytes); });
}

/// Offers http/1.1 and nothing else: a client that speaks only h2 is told so.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* match = nullptr;
  if (SSL_select_next_proto(&match, chosen_size, kHttp11.data(), kHttp11.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

Result<> DemandClientCertificates(SSL_CTX* context, const std::string& ca_pem) {
  const std::vector<X509Ptr> roots = TRY(ReadCertificates(ca_pem));
  X509StorePtr store = TRY(StoreOf(roots));
  // Client certificates are issued for us, so nothing is owed to sloppy issuers.
  if (X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT) != 1)
    return Error{ReasonCode::kInternalError, "the trust store can't be made strict"};
  SSL_CTX_set_cert_store(context, store.release());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context, kMaxChainDepth);
  for (const X509Ptr& root : roots) SSL_CTX_add_client_CA(context, root.get());
  return Done{};
}

Result<SslCtxPtr> MakeContext(const Credentials& credentials, const std::string& client_ca_pem) {
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return Error{ReasonCode::kInternalError, "a TLS context can't be made"};
  RestrictProtocol(context.get());
  TRY(UseCredentials(context.get(), credentials));
  if (!client_ca_pem.empty()) TRY(DemandClientCertificates(context.get(), client_ca_pem));
  SSL_CTX_set_max_cert_list(context.get(), kMaxPeerChainBytes);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, nullptr);
  // No session is ever resumed: a certificate that is refused today must not come in on yesterday's ticket.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext - 1);
  // An idle connection keeps no buffers. A record without data ends the call that reads it, unless others
  // were read ahead: so that is left off.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
  return context;
}

std::time_t Seconds(WallTime time) {
  return std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
}

/// When the first of these expires; nullopt where one doesn't say so.
std::optional<WallTime> EarliestEnd(const STACK_OF(X509) * chain) {
  std::optional<WallTime> earliest;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, i)), &end) != 1) return std::nullopt;
    const WallTime time = std::chrono::sys_seconds(std::chrono::seconds(timegm(&end)));
    earliest = std::min(earliest.value_or(time), time);
  }
  return earliest;
}

class ReloadingTls final : public ServerTls {
 public:
  ReloadingTls(const ServerOptions& options, const Clock& clock)
      : clock_(clock),
        name_(options.name),
        files_(options.tls.value_or(TlsOptions{})),
        source_(options.certificate_source) {}

  Result<> Load() {
    const auto stamps = Stamps();
    std::string certificate_pem;
    std::shared_ptr<const SecretBytes> key;
    if (source_) {
      std::tie(certificate_pem, key) = source_();
      if (key == nullptr)
        return Error{ReasonCode::kConfigurationInvalid, "the certificate source has no key"};
    } else {
      certificate_pem = TRY(ReadPublicFile(files_.certificate_file));
      key = std::make_shared<const SecretBytes>(TRY(ReadFile(files_.key_file)));
    }
    const std::string client_ca =
        files_.client_ca_file.empty() ? "" : TRY(ReadPublicFile(files_.client_ca_file));
    context_ = TRY(MakeContext(TRY(ReadCredentials(certificate_pem, *key)), client_ca));
    stamps_ = stamps;
    certificate_pem_ = certificate_pem;
    if (client_ca != client_ca_) ++client_roots_;
    client_ca_ = client_ca;
    return Done{};
  }

  SslPtr NewConnection(int descriptor) override {
    SslPtr connection(SSL_new(context_.get()));
    if (connection == nullptr || SSL_set_fd(connection.get(), descriptor) != 1) return nullptr;
    SSL_set_accept_state(connection.get());
    X509_VERIFY_PARAM_set_time(SSL_get0_param(connection.get()), Seconds(clock_.Now()));
    return connection;
  }

  void Refresh() override {
    const bool same_source = !source_ || source_().first == certificate_pem_;
    if (same_source && Stamps() == stamps_) return;
    const auto loaded = Load();
    if (loaded)
      Log(LogLevel::kInfo, "the TLS certificate was renewed", {{"server", name_}});
    else
      Log(LogLevel::kError, "a new TLS certificate can't be used, the old one stays",
          {{"server", name_}, {"error", loaded.error().ToString()}});
  }

  std::uint64_t client_roots() const override { return client_roots_; }

  std::optional<ClientTrust> VerifyAgain(const SSL* connection) const override {
    const std::unique_ptr<X509_STORE_CTX, crypto::FreeWith<X509_STORE_CTX_free>> verifying(
        X509_STORE_CTX_new());
    if (verifying == nullptr ||
        X509_STORE_CTX_init(verifying.get(), SSL_CTX_get_cert_store(context_.get()),
                            SSL_get0_peer_certificate(connection), SSL_get_peer_cert_chain(connection)) != 1)
      return std::nullopt;
    // What OpenSSL's own handshake sets.
    X509_STORE_CTX_set_default(verifying.get(), "ssl_client");
    X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(verifying.get());
    X509_VERIFY_PARAM_set_auth_level(rules, SSL_get_security_level(connection));
    X509_VERIFY_PARAM_set1(rules, SSL_CTX_get0_param(context_.get()));
    X509_VERIFY_PARAM_set_time(rules, Seconds(clock_.Now()));
    const bool verified = X509_verify_cert(verifying.get()) == 1;
    ERR_clear_error();
    const auto until = verified ? EarliestEnd(X509_STORE_CTX_get0_chain(verifying.get())) : std::nullopt;
    if (!until) return std::nullopt;
    return ClientTrust{.roots = client_roots_, .until = *until};
  }

 private:
  std::array<FileStamp, 3> Stamps() const {
    return {StampOf(files_.certificate_file), StampOf(files_.key_file), StampOf(files_.client_ca_file)};
  }

  const Clock& clock_;
  const std::string name_;
  const TlsOptions files_;
  const std::function<std::pair<std::string, std::shared_ptr<const SecretBytes>>()> source_;
  std::array<FileStamp, 3> stamps_;
  std::string certificate_pem_, client_ca_;
  std::uint64_t client_roots_ = 0;
  SslCtxPtr context_;
};

}  // namespace

Result<std::unique_ptr<ServerTls>> ServerTls::Open(const ServerOptions& options, const Clock& clock) {
  auto tls = std::make_unique<ReloadingTls>(options, clock);
  TRY(tls->Load());
  return std::unique_ptr<ServerTls>(std::move(tls));
}

}  // namespace portcullis::http
