#include "http/transport.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>

namespace portcullis::http {
namespace {

IoResult PlainResult(ssize_t result, IoState when_blocked) {
  if (result > 0) return {IoState::kDone, static_cast<std::size_t>(result)};
  if (result == 0) return {IoState::kEnd};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {when_blocked};
  return {IoState::kFailed};
}

}  // namespace

Transport::Transport(int descriptor, SslPtr tls) : descriptor_(descriptor), tls_(std::move(tls)) {
  if (tls_ != nullptr) meter_.Watch(tls_.get());
}

IoResult Transport::TlsResult(int result, std::size_t bytes) {
  if (meter_.exceeded()) return {IoState::kFailed};
  if (result == 1) return {IoState::kDone, bytes};
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {IoState::kWantsRead};
    case SSL_ERROR_WANT_WRITE:
      return {IoState::kWantsWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {IoState::kEnd};
    default:
      return {IoState::kFailed};  // also a connection cut without close_notify: it may be cut short
  }
}

IoResult Transport::Handshake() {
  if (tls_ == nullptr) return {IoState::kDone};
  ERR_clear_error();
  return TlsResult(SSL_do_handshake(tls_.get()), 0);
}

IoResult Transport::Read(std::span<char> into) {
  if (tls_ == nullptr)
    return PlainResult(recv(descriptor_, into.data(), into.size(), 0), IoState::kWantsRead);
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_read_ex(tls_.get(), into.data(), into.size(), &bytes);
  return TlsResult(result, bytes);
}

IoResult Transport::Write(std::string_view bytes) {
  if (tls_ == nullptr)
    return PlainResult(send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL), IoState::kWantsWrite);
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &written);
  return TlsResult(result, written);
}

void Transport::FinishWriting() {
  if (tls_ != nullptr && SSL_is_init_finished(tls_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
  }
  shutdown(descriptor_, SHUT_WR);
}

IoResult Transport::Discard(std::span<char> scratch) {
  return PlainResult(recv(descriptor_, scratch.data(), scratch.size(), 0), IoState::kWantsRead);
}

}  // namespace portcullis::http
