#include "http/client.h"

#include <cpprest/http_client.h>
#include <pplx/threadpool.h>

#include <mutex>

#include "http/answer_limit.h"
#include "http/client_body.h"
#include "http/client_tls.h"
#include "http/lines.h"

namespace portcullis::http {
namespace {

namespace rest = web::http;

// The objects in a watch are at most what the API server stores, 1.5 MiB, with room for their envelope.
constexpr std::size_t kMaxLineBytes = 4u << 20;
// A server that sends a byte now and then is never inactive. So many times the timeout is the end of any
// answer.
constexpr int kWholeAnswerFactor = 10;
// A head, and what TLS and chunks add to a body: the latter is a multiple only for who means harm.
constexpr std::size_t kHeadBytes = 64 * 1024;
constexpr std::size_t kRecordFactor = 2;
constexpr std::size_t kPoolThreads = 4;  // cpprestsdk's default is 40; ours only move bytes

void StartPoolOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      crossplat::threadpool::initialize_with_threads(kPoolThreads);
    } catch (const std::exception&) {  // somebody else has started it: any number of threads will do
    }
  });
}

/// A cloud's metadata service: link-local, answered by the host itself, and without TLS everywhere.
constexpr std::string_view kMetadataHost = "169.254.169.254";

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

Result<web::uri> ParseBase(const std::string& text) {
  if (!web::uri::validate(text))
    return Error{ReasonCode::kConfigurationInvalid, "base URL is not a URL", Quoted(text)};
  const web::uri base(text);
  if (!base.user_info().empty() || !base.query().empty() || !base.fragment().empty() || base.host().empty())
    return Error{ReasonCode::kConfigurationInvalid,
                 "base URL is more or less than scheme, host, port and prefix"};
  if (base.scheme() == "https" ||
      (base.scheme() == "http" && (IsLoopback(base.host()) || base.host() == kMetadataHost)))
    return base;
  return Error{ReasonCode::kConfigurationInvalid,
               "base URL must be https, or http to loopback or the metadata service", Quoted(text)};
}

Error Unreachable(StaticText text, std::string_view why) {
  return Error{ReasonCode::kUnreachable, text, Quoted(why)};
}

/// Runs `request`, with whatever it throws as an Error.
template <typename Fn>
Result<Response> Guarded(Fn&& request) {
  try {
    return request();
  } catch (const GivenUp&) {
    return Error{ReasonCode::kUnreachable, "the answer was given up"};
  } catch (const rest::http_exception& error) {
    return Unreachable("the server can't be reached", error.what());
  } catch (const pplx::task_canceled&) {
    return Error{ReasonCode::kUnreachable, "the request was given up"};
  } catch (const std::exception& error) {
    return Unreachable("the request failed", error.what());
  } catch (...) {
    return Error{ReasonCode::kUnreachable, "the request failed"};
  }
}

class RestClient final : public Client {
 public:
  RestClient(ClientOptions options, const web::uri& base, const std::shared_ptr<const ClientTls>& tls)
      : options_(std::move(options)),
        client_(base, ConfigOf(options_, tls, kRecordFactor * options_.max_response_bytes + kHeadBytes)),
        streaming_(base, ConfigOf(options_, tls, std::nullopt)) {}

  Result<Response> Send(const std::string& method, const std::string& path_and_query, const Headers& headers,
                        const std::string& body) override {
    return Guarded([&]() -> Result<Response> {
      Patience patience;
      patience.deadline =
          std::chrono::steady_clock::now() +
          (options_.whole_answer.count() > 0 ? options_.whole_answer : kWholeAnswerFactor * options_.timeout);
      const auto request = TRY(MakeRequest(method, path_and_query, headers, body));
      const auto answer = Await(client_.request(request, patience.cancel.get_token()), patience);
      return ReadWhole(answer, patience);
    });
  }

  Result<Response> Stream(const std::string& path_and_query,
                          const std::function<bool(std::string_view)>& on_line,
                          const std::atomic<bool>& stop) override {
    return Guarded([&]() -> Result<Response> {
      Patience patience;
      patience.stop = &stop;
      try {
        const auto request = TRY(MakeRequest("GET", path_and_query, {}, ""));
        const auto answer = Await(streaming_.request(request, patience.cancel.get_token()), patience);
        if (answer.status_code() != rest::status_codes::OK) return ReadWhole(answer, patience);
        return ReadLines(answer, patience, on_line);
      } catch (const GivenUp&) {  // as asked
        return Response::Empty(200);
      }
    });
  }

 private:
  /// `max_answer_bytes` as they come, over TLS; nullopt for a stream, which has no size.
  static rest::client::http_client_config ConfigOf(const ClientOptions& options,
                                                   const std::shared_ptr<const ClientTls>& tls,
                                                   std::optional<std::size_t> max_answer_bytes) {
    rest::client::http_client_config config;
    config.set_timeout(options.timeout);
    config.set_max_redirects(0);  // cpprestsdk would carry Authorization to wherever it is sent
    config.set_proxy(web::web_proxy(web::web_proxy::disabled));
    if (tls != nullptr)
      config.set_ssl_context_callback([tls, max_answer_bytes](boost::asio::ssl::context& context) {
        tls->Apply(context.native_handle());
        if (max_answer_bytes) LimitAnswers(context.native_handle(), *max_answer_bytes);
      });
    return config;
  }

  Result<rest::http_request> MakeRequest(const std::string& method, const std::string& path_and_query,
                                         const Headers& headers, const std::string& body) const {
    if (!path_and_query.starts_with('/') || !web::uri::validate(path_and_query))
      return Error{ReasonCode::kRequestMalformed, "the path of a request is not well formed"};
    rest::http_request request(method);
    request.set_request_uri(web::uri(path_and_query));
    request.headers().add("User-Agent", options_.user_agent);
    // cpprestsdk takes the name it asks for (SNI) and checks from here.
    if (!options_.server_name.empty()) request.headers().add("Host", options_.server_name);
    if (options_.authorization) {
      const std::string authorization = options_.authorization();
      if (!authorization.empty()) request.headers().add("Authorization", authorization);
    }
    if (!body.empty()) {
      request.set_body(std::vector<unsigned char>(body.begin(), body.end()));
      request.headers().set_content_type("application/json");
    } else if (method != "GET" && method != "DELETE") {
      request.headers().set_content_length(0);
    }
    for (const auto& [name, value] : headers.all()) {
      request.headers().remove(name);
      request.headers().add(name, value);
    }
    return request;
  }

  static Response HeadOf(const rest::http_response& answer) {
    Response response = Response::Empty(answer.status_code());
    for (const auto& [name, value] : answer.headers()) response.headers.Add(name, value);
    return response;
  }

  Result<Response> ReadWhole(const rest::http_response& answer, const Patience& patience) const {
    Response response = HeadOf(answer);
    bool too_large = false;
    const bool complete = ReadPieces(answer, patience, [&](std::string_view piece) {
      too_large = response.body.size() + piece.size() > options_.max_response_bytes;
      if (!too_large) response.body.append(piece);
      return !too_large;
    });
    if (too_large)
      return Error{ReasonCode::kUnreachable, "the answer is too large", std::string(kAnswerTooLarge)};
    if (!complete) return Error{ReasonCode::kUnreachable, "the answer came too slowly"};
    return response;
  }

  static Result<Response> ReadLines(const rest::http_response& answer, const Patience& patience,
                                    const std::function<bool(std::string_view)>& on_line) {
    using State = LineSplitter::State;
    LineSplitter lines(kMaxLineBytes, on_line);
    State state = State::kMore;
    const bool complete = ReadPieces(answer, patience, [&](std::string_view piece) {
      state = lines.Feed(piece);
      return state == State::kMore;
    });
    if (state == State::kTooLong) return Error{ReasonCode::kUnreachable, "a line of the answer is too long"};
    if (complete) lines.Finish();
    return HeadOf(answer);
  }

  const ClientOptions options_;
  rest::client::http_client client_, streaming_;
};

}  // namespace

Result<std::shared_ptr<Client>> Client::Create(const ClientOptions& options) {
  try {
    StartPoolOnce();
    const web::uri base = TRY(ParseBase(options.base_url));
    std::shared_ptr<const ClientTls> tls;
    if (base.scheme() == "https")
      tls = TRY(ClientTls::Make(options, options.server_name.empty() ? base.host() : options.server_name));
    return std::shared_ptr<Client>(std::make_shared<RestClient>(options, base, std::move(tls)));
  } catch (const std::exception& error) {
    return Error{ReasonCode::kConfigurationInvalid, "a client can't be made", Quoted(error.what())};
  }
}

}  // namespace portcullis::http
