#pragma once

#include <utility>  // before Asio 1.74, which uses std::exchange without it

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "http/handlers.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "http/transport.h"

namespace portcullis::http {

class Session;

/// Where all of a server's sessions run: one of them at a time, on whichever thread is free.
using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using TcpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Strand>;

/// What the sessions of one server share. Used within its strand only, but for what is const.
struct Front {
  const ServerOptions& options;
  const Router& router;
  metrics::Metrics& metrics;
  Strand strand;
  Handlers& handlers;
  const Clock& clock;
  const ServerTls* tls = nullptr;         // null without TLS
  std::array<char, 16 * 1024> scratch{};  // one read buffer for all: an idle connection has none
  std::size_t buffered_bytes = 0;         // bodies and unsent answers
  bool draining = false;
  std::function<void(Session&)> on_close;
  /// Closes, of the sessions that hold memory, the one that has kept us waiting longest; never `asking`
  /// itself. False where there is none.
  std::function<bool(const Session& asking)> evict_holder;
};

/// One connection: a state machine that never blocks. Lives as long as something waits for it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Front& front, TcpSocket socket, std::string peer);

  void Start(SslPtr tls);
  /// Ends what has taken too long.
  void CheckDeadline(SteadyTime now);
  /// No further request: closes now where none is under way.
  void Drain();
  void Close();
  /// As Close(), but what is unsent is thrown away: for peers that don't read, or were evicted.
  void Abort(std::string_view cause);

  int descriptor() { return socket_.native_handle(); }
  const std::string& peer() const { return peer_; }
  /// Since when the peer has kept us waiting; nullopt while a handler works for it.
  std::optional<SteadyTime> waiting_since() const;
  bool holds_memory() const { return charged_ > 0; }

 private:
  enum class Phase : std::uint8_t { kHandshake, kHead, kBody, kHandler, kAnswer, kLinger, kClosed };
  enum class After : std::uint8_t { kBody, kNextRequest, kLinger };  // what follows an answer
  enum class Next : std::uint8_t { kAgain, kReadable, kWritable, kParked, kClose };

  void Run();
  Next Step();
  Next Handshake();
  Next ReadHead();
  Next TakeHead();
  Next ReadBody();
  Next Dispatch();
  Next WriteAnswer();
  Next Linger();
  Next Blocked(const IoResult& result);
  Next Refuse(int status, StaticText text);
  Next Cut();
  bool ClientIsTrusted();

  void OnHandled(Response response);
  void Answer(Response response, bool keep_alive);
  IoState WriteAll(std::string& bytes);
  void Enter(Phase phase, std::chrono::milliseconds limit);
  void Await(TcpSocket::wait_type what);
  bool MakeRoom(std::size_t size);
  void Charge(std::size_t bytes);
  /// Frees body and unsent answer, and with them what was charged.
  void ReleaseMemory();

  Front& front_;
  TcpSocket socket_;
  const std::string peer_;
  std::optional<Transport> transport_;
  std::optional<ClientIdentity> client_;
  std::optional<ClientTrust> trust_;  // in client_

  Phase phase_ = Phase::kHandshake;
  After after_ = After::kNextRequest;
  SteadyTime since_, deadline_;
  std::uint64_t wait_ = 0;  // tells a wait that was given up from the one that counts
  bool first_request_ = true;

  std::string in_;  // received, not yet taken
  HeadScanner scanner_;
  RequestHead head_;
  std::size_t charged_ = 0;     // our share of Front::buffered_bytes
  std::string out_, out_body_;  // a large body goes as it is, a small one in one write with its head
  std::size_t written_ = 0;
  std::size_t discarded_ = 0;
};

/// An id for logs and errors: 64 random bits in hex.
std::string NewRequestId();

/// Runs a handler; what it throws is a bug and becomes a 500. The request goes with the call.
Response Handle(const Router& router, Request request);

}  // namespace portcullis::http
