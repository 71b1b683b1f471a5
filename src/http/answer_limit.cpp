#include "http/answer_limit.h"

#include <memory>

#include "crypto/openssl.h"

namespace portcullis::http {
namespace {

struct AnswerMeter {
  std::size_t limit;
  std::size_t received = 0;
};

void FreeMeter(void*, void* meter, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<AnswerMeter*>(meter);
}

/// Whether this is a record that we send of a request. TLS 1.3 calls every record data, and says within what
/// it is: else a peer that asks for our KeyUpdates would be counted anew with each.
bool IsOfARequest(const SSL* connection, int type, unsigned char first) {
  const int tells = SSL_version(connection) == TLS1_3_VERSION ? SSL3_RT_INNER_CONTENT_TYPE : SSL3_RT_HEADER;
  return type == tells && first == SSL3_RT_APPLICATION_DATA;
}

void OnMessage(int written, int, int type, const void* bytes, std::size_t size, SSL* connection, void* of) {
  const auto* octets = static_cast<const unsigned char*>(bytes);
  auto* meter = static_cast<AnswerMeter*>(of);
  if (written != 0) {
    if (size >= 1 && IsOfARequest(connection, type, octets[0])) meter->received = 0;
    return;
  }
  if (type != SSL3_RT_HEADER || size < SSL3_RT_HEADER_LENGTH) return;
  meter->received += static_cast<std::size_t>(octets[3]) << 8 | octets[4];
  // OpenSSL then throws away what it reads. The peer has not said that it is done, so that this is a failure.
  if (meter->received > meter->limit)
    SSL_set_shutdown(connection, SSL_get_shutdown(connection) | SSL_RECEIVED_SHUTDOWN);
}

}  // namespace

void LimitAnswers(SSL_CTX* context, std::size_t bytes) {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeMeter);
  auto meter = std::make_unique<AnswerMeter>(AnswerMeter{.limit = bytes});
  SSL_CTX_set_msg_callback(context, OnMessage);
  SSL_CTX_set_msg_callback_arg(context, meter.get());
  crypto::Require(SSL_CTX_set_ex_data(context, index, meter.get()) == 1);
  (void)meter.release();  // the context frees it
}

}  // namespace portcullis::http
