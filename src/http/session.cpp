#include "http/session.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

#include "base/log.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "http/response_text.h"

namespace portcullis::http {
namespace {

using namespace std::chrono_literals;

// After an answer that ends the connection the peer may still be sending. Closing at once would reset the
// connection and take the answer away from it; reading on for ever would be its choice.
constexpr auto kLingerTime = 2s;
constexpr std::size_t kMaxDiscardedBytes = 1u << 20;
// Steps of one session in a row, of at most 16 KiB each, before the others have their turn.
constexpr int kStepsPerTurn = 32;

/// The closed set of causes that the metric has.
std::string_view CauseOf(int status) {
  switch (status) {
    case 401:
      return "unauthorized";
    case 408:
      return "timeout";
    case 413:
    case 414:
    case 431:
      return "too-large";
    case 405:
    case 411:
    case 415:
    case 417:
    case 501:
    case 505:
      return "unsupported";
    case 503:
      return "overloaded";
    default:
      return "malformed";
  }
}

/// Gives the memory back, which neither clear() nor the assignment of an empty string does.
void Free(std::string& text) { std::string().swap(text); }

ReasonCode CodeOf(int status) {
  switch (status) {
    case 401:
      return ReasonCode::kUnauthorized;
    case 503:
      return ReasonCode::kOverloaded;
    default:
      return ReasonCode::kRequestMalformed;
  }
}

}  // namespace

std::string NewRequestId() {
  std::array<std::byte, 8> id;
  crypto::SystemRandom().Fill(id);
  return codec::EncodeHex(id);
}

Response Handle(const Router& router, Request request) {
  try {
    return router.Dispatch(request);
  } catch (const std::exception& bug) {
    Log(LogLevel::kError, "a handler threw", {{"request", request.id}, {"what", Quoted(bug.what())}});
  } catch (...) {
    Log(LogLevel::kError, "a handler threw", {{"request", request.id}});
  }
  return router.WriteError(500, Error{ReasonCode::kInternalError, "the request could not be handled"},
                           request.id);
}

Session::Session(Front& front, TcpSocket socket, std::string peer)
    : front_(front), socket_(std::move(socket)), peer_(std::move(peer)) {}

void Session::Start(SslPtr tls) {
  transport_.emplace(socket_.native_handle(), std::move(tls));
  Enter(Phase::kHandshake, front_.options.limits.handshake_timeout);
  Run();
}

std::optional<SteadyTime> Session::waiting_since() const {
  if (phase_ == Phase::kHandler || phase_ == Phase::kClosed) return std::nullopt;
  return since_;
}

void Session::Enter(Phase phase, std::chrono::milliseconds limit) {
  phase_ = phase;
  since_ = std::chrono::steady_clock::now();
  deadline_ = since_ + limit;
}

void Session::Await(TcpSocket::wait_type what) {
  socket_.async_wait(what,
                     [self = shared_from_this(), wait = ++wait_](const boost::system::error_code& error) {
                       if (wait != self->wait_) return;
                       if (error) return self->Close();
                       self->Run();
                     });
}

void Session::Run() {
  front_.handlers.Share();
  for (int step = 0; step < kStepsPerTurn; ++step) {
    switch (Step()) {
      case Next::kAgain:
        continue;
      case Next::kReadable:
        return Await(TcpSocket::wait_read);
      case Next::kWritable:
        return Await(TcpSocket::wait_write);
      case Next::kParked:
        return;
      case Next::kClose:
        return Close();
    }
  }
  boost::asio::post(front_.strand, [self = shared_from_this(), wait = ++wait_] {
    if (wait == self->wait_) self->Run();
  });
}

Session::Next Session::Step() {
  switch (phase_) {
    case Phase::kHandshake:
      return Handshake();
    case Phase::kHead:
      return ReadHead();
    case Phase::kBody:
      return ReadBody();
    case Phase::kHandler:
      return Next::kParked;
    case Phase::kAnswer:
      return WriteAnswer();
    case Phase::kLinger:
      return Linger();
    case Phase::kClosed:
      return Next::kParked;
  }
  return Next::kClose;
}

Session::Next Session::Blocked(const IoResult& result) {
  return result.state == IoState::kWantsWrite ? Next::kWritable : Next::kReadable;
}

Session::Next Session::Dispatch() {
  phase_ = Phase::kHandler;
  auto request = std::make_shared<Request>(std::move(head_.request));
  head_.request = Request();
  head_.request.id = request->id;
  const bool taken = front_.handlers.TrySubmit([self = shared_from_this(), request] {
    auto response = std::make_shared<Response>(Handle(self->front_.router, std::move(*request)));
    boost::asio::dispatch(self->front_.strand, [self, response] { self->OnHandled(std::move(*response)); });
  });
  if (taken) return Next::kParked;

  // The framing is sound, so the connection stays: a new one would cost us more than a new request.
  front_.metrics.HttpRejected(front_.options.name, "queue");
  Response busy =
      front_.router.WriteError(503, Error{ReasonCode::kOverloaded, "all workers are busy"}, head_.request.id);
  busy.headers.Set("Retry-After", "1");
  Answer(std::move(busy), head_.keep_alive);
  return Next::kAgain;
}

void Session::OnHandled(Response response) {
  front_.metrics.HttpRequest(front_.options.name, response.status);
  front_.handlers.OnTaken();
  ReleaseMemory();
  if (phase_ == Phase::kClosed) return;
  Answer(std::move(response), head_.keep_alive);
  Run();
}

void Session::Answer(Response response, bool keep_alive) {
  keep_alive = keep_alive && !front_.draining;
  ReleaseMemory();
  out_ = ResponseHead(response, head_.request.id, keep_alive);
  if (HasBody(response.status)) {
    if (response.body.size() <= front_.scratch.size())
      out_ += response.body;
    else
      out_body_ = std::move(response.body);
  }
  written_ = 0;
  Charge(out_.size() + out_body_.size());
  // The answer is there already; those who don't read theirs make room for it.
  while (front_.buffered_bytes > front_.options.limits.max_buffered_bytes && front_.evict_holder(*this))
    continue;
  after_ = keep_alive ? After::kNextRequest : After::kLinger;
  Enter(Phase::kAnswer, front_.options.limits.write_timeout);
}

IoState Session::WriteAll(std::string& bytes) {
  if (bytes.empty()) return IoState::kDone;  // written before: written_ counts what comes behind it
  while (written_ < bytes.size()) {
    const IoResult result = transport_->Write(std::string_view(bytes).substr(written_));
    if (result.state != IoState::kDone) return result.state;
    written_ += result.bytes;
  }
  Free(bytes);
  written_ = 0;
  return IoState::kDone;
}

Session::Next Session::WriteAnswer() {
  IoState state = WriteAll(out_);
  if (state == IoState::kDone) state = WriteAll(out_body_);
  if (state == IoState::kFailed || state == IoState::kEnd) return Next::kClose;
  if (state != IoState::kDone) return Blocked({state});
  ReleaseMemory();
  switch (after_) {
    case After::kBody:
      phase_ = Phase::kBody;
      return Next::kAgain;
    case After::kLinger:
      transport_->FinishWriting();
      Free(in_);
      Enter(Phase::kLinger, kLingerTime);
      return Next::kAgain;
    case After::kNextRequest:
      break;
  }
  if (front_.draining && in_.empty()) {  // the answer could not say so
    after_ = After::kLinger;
    return Next::kAgain;
  }
  head_ = RequestHead();
  if (in_.empty()) Free(in_);
  const Limits& limits = front_.options.limits;
  Enter(Phase::kHead, in_.empty() ? limits.idle_timeout : limits.read_timeout);
  return Next::kAgain;
}

Session::Next Session::Linger() {
  const IoResult result = transport_->Discard(front_.scratch);
  if (result.state == IoState::kWantsRead) return Next::kReadable;
  discarded_ += result.bytes;
  return result.state == IoState::kDone && discarded_ <= kMaxDiscardedBytes ? Next::kAgain : Next::kClose;
}

Session::Next Session::Refuse(int status, StaticText text) {
  if (head_.request.id.empty()) head_.request.id = NewRequestId();
  front_.metrics.HttpRejected(front_.options.name, CauseOf(status));
  Log(LogLevel::kWarning, "a request was refused before routing",
      {{"server", front_.options.name},
       {"status", std::to_string(status)},
       {"why", std::string(text.view())},
       {"peer", peer_},
       {"request", head_.request.id}});
  Response response = front_.router.WriteError(status, Error{CodeOf(status), text}, head_.request.id);
  if (status == 405) response.headers.Set("Allow", "GET, POST, PUT, PATCH, DELETE");
  if (status == 503) response.headers.Set("Retry-After", "1");
  Answer(std::move(response), false);
  return Next::kAgain;
}

Session::Next Session::Cut() {
  if (transport_->abused()) {
    Abort("handshake");
    return Next::kClose;
  }
  const bool within_a_request = phase_ == Phase::kBody || !in_.empty();
  if (within_a_request) front_.metrics.HttpRejected(front_.options.name, "cut");
  return Next::kClose;
}

void Session::CheckDeadline(SteadyTime now) {
  if (phase_ == Phase::kHandler || phase_ == Phase::kClosed || now < deadline_) return;
  const bool asking = phase_ == Phase::kBody || (phase_ == Phase::kHead && !in_.empty());
  if (asking) {
    Refuse(408, "the request did not come in time");
    ++wait_;  // gives up the wait for the rest
    return Run();
  }
  if (phase_ == Phase::kHandshake) return Abort("handshake");
  if (phase_ == Phase::kHead && first_request_) return Abort("timeout");
  if (phase_ == Phase::kAnswer) return Abort("");
  Close();
}

void Session::Drain() {
  if (phase_ == Phase::kHandshake || (phase_ == Phase::kHead && in_.empty())) Close();
}

void Session::Abort(std::string_view cause) {
  if (!cause.empty()) front_.metrics.HttpRejected(front_.options.name, cause);
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  Close();
}

void Session::Close() {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_from_this();
  // A handler may still be at work on the body; it is let go when the handler is done.
  if (phase_ != Phase::kHandler) ReleaseMemory();
  phase_ = Phase::kClosed;
  ++wait_;
  boost::system::error_code ignored;
  socket_.close(ignored);
  front_.on_close(*this);
}

void Session::Charge(std::size_t bytes) {
  charged_ += bytes;
  front_.buffered_bytes += bytes;
}

void Session::ReleaseMemory() {
  for (std::string* held : {&head_.request.body, &out_, &out_body_}) Free(*held);
  front_.buffered_bytes -= charged_;
  charged_ = 0;
}

}  // namespace portcullis::http
