#include "http/tls_meter.h"

namespace portcullis::http {
namespace {

// RFC 8446 5.5 asks for a new key after 2^24 records, and no request has as many. Each costs us as much as a
// small request does.
constexpr int kInterludesPerRequest = 4;

}  // namespace

void TlsMeter::Watch(SSL* connection) {
  SSL_set_msg_callback(connection, OnMessage);
  SSL_set_msg_callback_arg(connection, this);
}

bool TlsMeter::exceeded() const { return interludes_ > kInterludesPerRequest; }

void TlsMeter::OnMessage(int written, int, int type, const void* bytes, std::size_t size, SSL*, void* meter) {
  const auto* message = static_cast<const unsigned char*>(bytes);
  const bool new_key =
      written == 0 && type == SSL3_RT_HANDSHAKE && size >= 1 && message[0] == SSL3_MT_KEY_UPDATE;
  const bool renegotiation =
      written != 0 && type == SSL3_RT_ALERT && size >= 2 && message[1] == SSL_AD_NO_RENEGOTIATION;
  if (new_key || renegotiation) ++static_cast<TlsMeter*>(meter)->interludes_;
}

}  // namespace portcullis::http
