#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/secret_bytes.h"
#include "http/message.h"

namespace portcullis::http {

/// `where` of the Error for an answer longer than max_response_bytes.
inline constexpr std::string_view kAnswerTooLarge = "TooLarge";

struct ClientOptions {
  std::string base_url;     // https://host:port[/prefix]; http only to loopback
  std::string ca_pem;       // the only CAs trusted; the system's are never
  std::string server_name;  // expected in the certificate where it differs from the host; "" = host
  std::string client_certificate_pem;  // "" for none
  std::shared_ptr<const SecretBytes> client_key_pem;
  std::chrono::seconds timeout{30};  // of inactivity
  /// From sending a request to the last byte of its answer, streams excepted; 0 is ten times `timeout`.
  std::chrono::seconds whole_answer{0};
  /// Of a body. What cpprestsdk holds before we see it is bounded too where Send() goes over TLS, by twice
  /// this and 64 KiB. It is not without TLS and in Stream(): a head, or one chunk, may take any memory there.
  std::size_t max_response_bytes = 16u << 20;
  /// Asked for each request: "Bearer ..." for Authorization; "" for none. Tokens rotate.
  std::function<std::string()> authorization;
  std::string user_agent = "portcullis/0.1";
};

/// HTTP client on cpprestsdk: TLS 1.2+, hostname checked, no redirects, no proxy, no system CAs. Thread-safe.
class Client {
 public:
  /// Error: ConfigurationInvalid.
  static Result<std::shared_ptr<Client>> Create(const ClientOptions& options);
  virtual ~Client() = default;
  /// Sends and waits. Error: Unreachable (connect, TLS, timeout, cut); any status is a Response.
  virtual Result<Response> Send(const std::string& method, const std::string& path_and_query,
                                const Headers& headers, const std::string& body) = 0;
  /// GET whose body is read line by line while it comes (watch). Returns when the body ends, `on_line`
  /// returns false or `stop` is set (seen within a second). A status other than 200 is returned as a Response
  /// with its body; at the end of a 200 stream an empty Response of status 200. Error: Unreachable.
  virtual Result<Response> Stream(const std::string& path_and_query,
                                  const std::function<bool(std::string_view)>& on_line,
                                  const std::atomic<bool>& stop) = 0;
};

}  // namespace portcullis::http
