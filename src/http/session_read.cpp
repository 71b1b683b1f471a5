// What a session reads: the handshake, the head, the body.

#include <algorithm>

#include "http/session.h"

namespace portcullis::http {

Session::Next Session::Handshake() {
  const IoResult result = transport_->Handshake();
  if (result.state == IoState::kWantsRead || result.state == IoState::kWantsWrite) return Blocked(result);
  auto identity = result.state == IoState::kDone && transport_->tls() != nullptr
                      ? PeerIdentity(transport_->tls())
                      : Result<std::optional<ClientIdentity>>(std::optional<ClientIdentity>());
  if (result.state != IoState::kDone || !identity) {
    front_.metrics.HttpRejected(front_.options.name, "handshake");
    return Next::kClose;
  }
  client_ = std::move(*identity);
  if (client_ && !ClientIsTrusted()) {  // the roots changed, or it expired, during the handshake
    front_.metrics.HttpRejected(front_.options.name, "handshake");
    return Next::kClose;
  }
  // Who connects and says nothing gets no longer than who sends a request.
  Enter(Phase::kHead, front_.options.limits.read_timeout);
  return Next::kAgain;
}

/// A kept connection must not outlive the certificate that opened it, nor the trust in who issued that.
bool Session::ClientIsTrusted() {
  const bool stale =
      !trust_ || trust_->roots != front_.tls->client_roots() || front_.clock.Now() > trust_->until;
  if (stale) trust_ = front_.tls->VerifyAgain(transport_->tls());
  return trust_.has_value();
}

Session::Next Session::ReadHead() {
  const Limits& limits = front_.options.limits;
  switch (scanner_.Scan(in_)) {
    case HeadScanner::State::kRefused:
      return Refuse(400, "the head has a bad line end or a control byte");
    case HeadScanner::State::kComplete:
      return TakeHead();
    case HeadScanner::State::kIncomplete:
      break;
  }
  if (in_.size() >= limits.max_header_bytes) return Refuse(431, "the head is too large");

  const IoResult result = transport_->Read(front_.scratch);
  switch (result.state) {
    case IoState::kDone:
      if (in_.empty()) Enter(Phase::kHead, limits.read_timeout);
      in_.append(front_.scratch.data(), result.bytes);
      return Next::kAgain;
    case IoState::kEnd:
      return in_.empty() ? Next::kClose : Refuse(400, "the request ends before its head does");
    case IoState::kFailed:
      return Cut();
    default:
      return Blocked(result);
  }
}

Session::Next Session::TakeHead() {
  const std::size_t size = scanner_.head_size();
  if (client_ && !ClientIsTrusted()) return Refuse(401, "the client's certificate is no longer accepted");
  if (size > front_.options.limits.max_header_bytes) return Refuse(431, "the head is too large");
  auto parsed = ParseHead(std::string_view(in_).substr(0, size), front_.options.limits,
                          front_.options.json_bodies_only);
  if (const Refusal* refusal = std::get_if<Refusal>(&parsed)) return Refuse(refusal->status, refusal->text);

  head_ = std::get<RequestHead>(std::move(parsed));
  head_.request.id = NewRequestId();
  head_.request.peer = peer_;
  head_.request.client = client_;
  in_.erase(0, size);
  scanner_ = HeadScanner();
  first_request_ = false;
  transport_->BeginRequest();

  if (head_.expects_continue && head_.content_length > 0 && in_.empty()) {
    out_ = "HTTP/1.1 100 Continue\r\n\r\n";
    written_ = 0;
    after_ = After::kBody;
    phase_ = Phase::kAnswer;  // under the deadline of the whole request
    return Next::kAgain;
  }
  phase_ = Phase::kBody;
  return Next::kAgain;
}

/// Lets the body hold `size` bytes, all of them charged for: it doubles as it grows, and never beyond what
/// was announced. False where the server can't spare them.
bool Session::MakeRoom(std::size_t size) {
  std::string& body = head_.request.body;
  if (size <= body.capacity()) return true;
  const std::size_t capacity = std::clamp(2 * body.capacity(), size, head_.content_length);
  while (front_.buffered_bytes + capacity - charged_ > front_.options.limits.max_buffered_bytes)
    if (!front_.evict_holder(*this)) return false;
  std::string grown;  // reserve() on the body itself would double it, whatever is asked for
  grown.reserve(capacity);
  body.swap(grown.append(body));
  Charge(body.capacity() - charged_);
  return true;
}

Session::Next Session::ReadBody() {
  constexpr StaticText kNoMemory = "there is no memory for this body now";
  std::string& body = head_.request.body;
  const std::size_t received = std::min(in_.size(), head_.content_length - body.size());
  if (!MakeRoom(body.size() + received)) return Refuse(503, kNoMemory);
  body.append(in_, 0, received);
  in_.erase(0, received);
  if (body.size() == head_.content_length) return Dispatch();

  const std::size_t next = std::min(head_.content_length - body.size(), front_.scratch.size());
  if (!MakeRoom(body.size() + next)) return Refuse(503, kNoMemory);
  const IoResult result = transport_->Read(std::span(front_.scratch).first(next));
  switch (result.state) {
    case IoState::kDone:
      body.append(front_.scratch.data(), result.bytes);
      return Next::kAgain;
    case IoState::kEnd:
      return Refuse(400, "the request ends before its body does");
    case IoState::kFailed:
      return Cut();
    default:
      return Blocked(result);
  }
}

}  // namespace portcullis::http
