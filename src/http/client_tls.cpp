#include "http/client_tls.h"

#include <openssl/err.h>

#include "base/log.h"

namespace portcullis::http {

Result<std::shared_ptr<const ClientTls>> ClientTls::Make(const ClientOptions& options,
                                                         const std::string& host) {
  auto tls = std::make_shared<ClientTls>();
  tls->host_ = host;
  tls->roots_ = TRY_AT("ca_pem", ReadCertificates(options.ca_pem));
  if (!options.client_certificate_pem.empty()) {
    if (options.client_key_pem == nullptr)
      return Error{ReasonCode::kConfigurationInvalid, "a client certificate needs its key"};
    tls->credentials_ = TRY(ReadCredentials(options.client_certificate_pem, *options.client_key_pem));
  }
  return std::shared_ptr<const ClientTls>(std::move(tls));
}

void ClientTls::Apply(SSL_CTX* context) const {
  // First of all the system's CAs go, which are in the store by now.
  SSL_CTX_set_cert_store(context, X509_STORE_new());
  RestrictProtocol(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);

  // The name is checked by OpenSSL itself, so that nothing hangs on the HTTP library's own check: SAN only,
  // no "w*.example" wildcards.
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(expected,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool named = X509_VERIFY_PARAM_set1_ip_asc(expected, host_.c_str()) == 1 ||
                     X509_VERIFY_PARAM_set1_host(expected, host_.c_str(), host_.size()) == 1;
  ERR_clear_error();
  const bool shown = !credentials_ || UseCredentials(context, *credentials_).has_value();
  auto store = StoreOf(roots_);
  if (named && shown && store)
    SSL_CTX_set_cert_store(context, store->release());
  else
    Log(LogLevel::kError, "TLS for a client can't be set up; it trusts nobody");
}

}  // namespace portcullis::http
