#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "crypto/openssl.h"
#include "http/server.h"

namespace portcullis::http {

using SslCtxPtr = std::unique_ptr<SSL_CTX, crypto::FreeWith<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, crypto::FreeWith<SSL_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, crypto::FreeWith<X509_STORE_free>>;
using crypto::KeyPtr;
using crypto::X509Ptr;

/// What a TLS endpoint shows of itself: the leaf first, then what leads to its root.
struct Credentials {
  std::vector<X509Ptr> chain;
  KeyPtr key;
};

/// All certificates of a PEM text. Error: ConfigurationInvalid where there is none, too many or a damaged
/// one.
Result<std::vector<X509Ptr>> ReadCertificates(std::string_view pem);
/// Certificates and the key of the first. Error: ConfigurationInvalid, also where they don't belong together.
Result<Credentials> ReadCredentials(std::string_view certificate_pem, const SecretBytes& key_pem);
/// A store that trusts these roots and no system CA.
Result<X509StorePtr> StoreOf(const std::vector<X509Ptr>& roots);
/// Shows `credentials` on this context. Error: ConfigurationInvalid.
Result<> UseCredentials(SSL_CTX* context, const Credentials& credentials);
/// What server and client have in common: TLS 1.2 and 1.3, AEAD suites with ECDHE, no renegotiation or
/// compression.
void RestrictProtocol(SSL_CTX* context);

/// How long a client's certificate counts once it was verified.
struct ClientTrust {
  std::uint64_t roots;  // ServerTls::client_roots() then
  WallTime until;       // when the first certificate of its chain expires
};

/// The server's side: what is needed for a handshake, renewed when files or the source change.
/// Not thread-safe: used within the server's strand after Open().
class ServerTls {
 public:
  /// `clock` says which certificates of clients are in force. Error: ConfigurationInvalid.
  static Result<std::unique_ptr<ServerTls>> Open(const ServerOptions& options, const Clock& clock);
  virtual ~ServerTls() = default;
  virtual SslPtr NewConnection(int descriptor) = 0;  // null where memory is out
  /// Looks for new files. A pair that can't be used is logged, and the old one stays.
  virtual void Refresh() = 0;

  /// Rises whenever other roots are trusted for clients.
  virtual std::uint64_t client_roots() const = 0;
  /// Verifies the client's certificate again, as a handshake would now; nullopt where it doesn't count.
  virtual std::optional<ClientTrust> VerifyAgain(const SSL* connection) const = 0;
};

/// Who the verified peer is; nullopt without a client certificate. Error: Unauthorized, for one that is not
/// strict DER.
Result<std::optional<ClientIdentity>> PeerIdentity(const SSL* connection);

}  // namespace portcullis::http
