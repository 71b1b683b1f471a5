#pragma once

#include <openssl/ssl.h>

#include <cstddef>

namespace portcullis::http {

/// Counts what a peer makes a TLS connection do that brings no request. Watches one connection, which must
/// not outlive it.
class TlsMeter {
 public:
  TlsMeter() = default;
  TlsMeter(const TlsMeter&) = delete;

  void Watch(SSL* connection);
  void BeginRequest() { interludes_ = 0; }
  /// Whether the peer has changed its key, or asked to renegotiate, more often than a request gives reason
  /// to.
  bool exceeded() const;

 private:
  static void OnMessage(int written, int version, int type, const void* bytes, std::size_t size, SSL*,
                        void* meter);

  int interludes_ = 0;
};

}  // namespace portcullis::http
