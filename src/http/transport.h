#pragma once

#include <span>
#include <string_view>

#include "http/tls.h"
#include "http/tls_meter.h"

namespace portcullis::http {

enum class IoState : std::uint8_t { kDone, kWantsRead, kWantsWrite, kEnd, kFailed };
struct IoResult {
  IoState state;
  std::size_t bytes = 0;
};

/// Bytes in and out of a non-blocking socket, with TLS or without, in one shape. Does not own the descriptor.
class Transport {
 public:
  Transport(int descriptor, SslPtr tls);

  const SSL* tls() const { return tls_.get(); }
  /// To be called for each request: what the peer may do besides sending one is counted anew.
  void BeginRequest() { meter_.BeginRequest(); }
  /// Whether the connection failed for what the peer did besides.
  bool abused() const { return meter_.exceeded(); }
  IoResult Handshake();  // at once done without TLS
  IoResult Read(std::span<char> into);
  IoResult Write(std::string_view bytes);
  /// Says that nothing more will be sent; reading goes on.
  void FinishWriting();
  /// Reads past TLS, to throw away what still comes.
  IoResult Discard(std::span<char> scratch);

 private:
  IoResult TlsResult(int result, std::size_t bytes);

  int descriptor_;
  TlsMeter meter_;
  SslPtr tls_;
};

}  // namespace portcullis::http
