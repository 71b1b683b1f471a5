#pragma once

#include <openssl/ssl.h>

#include <cstddef>

namespace portcullis::http {

/// Makes the connection of a client's context fail where more than `bytes` of TLS records come in answer to
/// one request. For contexts that make one connection each, as cpprestsdk's do.
void LimitAnswers(SSL_CTX* context, std::size_t bytes);

}  // namespace portcullis::http
