#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::http::test {

struct RawResponse {
  int status = 0;
  std::string head, body;
  bool Has(std::string_view field_line) const {
    return head.find("\r\n" + std::string(field_line) + "\r\n") != std::string::npos;
  }
};

/// Takes the response at `offset`, where it is complete, and moves on.
inline std::optional<RawResponse> TakeResponse(std::string_view bytes, std::size_t& offset) {
  bytes.remove_prefix(offset);
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos || !bytes.starts_with("HTTP/1.1 ")) return std::nullopt;
  RawResponse response;
  response.head = std::string(bytes.substr(0, end + 2));
  response.status = std::atoi(response.head.substr(9, 3).c_str());
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = response.head.find(kLength);
  const std::size_t length =
      at == std::string::npos ? 0 : std::strtoul(response.head.c_str() + at + kLength.size(), nullptr, 10);
  if (bytes.size() < end + 4 + length) return std::nullopt;
  response.body = std::string(bytes.substr(end + 4, length));
  offset += end + 4 + length;
  return response;
}

/// A TCP connection to loopback that sends what it is told, byte for byte, and collects what comes back.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    closed_ = !connected_;
  }
  ~RawConnection() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  RawConnection(RawConnection&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)),
        connected_(other.connected_),
        closed_(other.closed_),
        received_(std::move(other.received_)),
        parsed_(other.parsed_),
        taken_(other.taken_),
        responses_(std::move(other.responses_)) {}
  RawConnection(const RawConnection&) = delete;

  /// Sends all, reading meanwhile; stops where the peer has closed. With `read` false nothing is read.
  void Send(std::string_view bytes, bool read = true) {
    while (!bytes.empty() && !closed_) {
      pollfd wait{descriptor_, static_cast<short>(POLLOUT | (read ? POLLIN : 0)), 0};
      if (poll(&wait, 1, 20'000) <= 0) return;
      if ((wait.revents & POLLIN) != 0) ReadOnce();
      if ((wait.revents & (POLLOUT | POLLERR | POLLHUP)) == 0) continue;
      const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN) {
        Collect(std::chrono::milliseconds(200));  // what had come before the reset
        closed_ = true;
      }
    }
  }
  void FinishWriting() { shutdown(descriptor_, SHUT_WR); }
  void Reset() {
    const linger now{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(std::exchange(descriptor_, -1));
    closed_ = true;
  }

  /// Reads until `enough` says so, the peer closes or the time is over.
  template <typename Enough>
  void CollectUntil(Enough enough, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!closed_ && !enough()) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return;
      pollfd wait{descriptor_, POLLIN, 0};
      if (poll(&wait, 1, static_cast<int>(left.count())) > 0) ReadOnce();
    }
  }
  void Collect(std::chrono::milliseconds limit) {
    CollectUntil([] { return false; }, limit);
  }
  /// The next response of those not taken yet; nullopt where the peer closes first or 10 s go by.
  std::optional<RawResponse> Next() {
    CollectUntil([this] { return responses().size() > taken_; }, std::chrono::seconds(10));
    if (responses_.size() <= taken_) return std::nullopt;
    return responses_[taken_++];
  }
  bool ClosesWithin(std::chrono::milliseconds limit) {
    Collect(limit);
    return closed_;
  }

  bool connected() const { return connected_; }
  bool closed() const { return closed_; }
  const std::string& received() const { return received_; }
  const std::vector<RawResponse>& responses() const { return responses_; }

 private:
  void ReadOnce() {
    char piece[16384];
    const ssize_t got = recv(descriptor_, piece, sizeof piece, MSG_DONTWAIT);
    if (got > 0) received_.append(piece, static_cast<std::size_t>(got));
    while (auto response = TakeResponse(received_, parsed_)) responses_.push_back(std::move(*response));
    if (got == 0 || (got < 0 && errno != EAGAIN)) closed_ = true;
  }

  int descriptor_;
  bool connected_ = false, closed_ = false;
  std::string received_;
  std::size_t parsed_ = 0, taken_ = 0;
  std::vector<RawResponse> responses_;
};

inline std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}
inline std::string Post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// The status of a request on its own connection; 0 where there was no answer.
inline int StatusOf(std::uint16_t port, std::string_view request) {
  RawConnection connection(port);
  connection.Send(request);
  const auto response = connection.Next();
  return response ? response->status : 0;
}

}  // namespace portcullis::http::test
