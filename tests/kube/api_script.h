#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "kube/api_client.h"
#include "tests/support/fake_clock.h"

namespace portcullis::test {

/// An API server that answers from a script, below the HTTP port: what was asked, and what comes next.
class ApiScript {
 public:
  struct Asked {
    std::string method, target, body, authorization, ca_pem, content_type, accept, user_agent;
    std::chrono::seconds timeout, whole_answer;
  };
  struct StreamAnswer {
    std::vector<std::string> lines;
    int status = 200;
    std::string body = {};
    std::optional<Error> cut = {};  // how the stream ends after its lines; nullopt: cleanly
  };

  void Answer(int status, std::string body = "{}") {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    answers.emplace_back(std::move(response));
  }
  void AnswerRetryAfter(int status, std::string seconds) {
    Answer(status);
    answers.back().value().headers.Set("Retry-After", std::move(seconds));
  }
  void Cut() { answers.emplace_back(Error{ReasonCode::kUnreachable, "the connection was cut"}); }
  void Stream(StreamAnswer answer) { streams.push_back(std::move(answer)); }

  kube::ClientFactory Factory();
  /// An ApiClient over this script; what it waits is in `waits` and takes no time.
  std::unique_ptr<kube::ApiClient> Connect(kube::Endpoint endpoint, metrics::Metrics& metrics) {
    kube::ApiConduct conduct = endpoint.conduct;
    auto connection = kube::Connection::Open(std::move(endpoint), clock, Factory());
    return std::make_unique<kube::ApiClient>(
        std::move(connection).value(), metrics,
        [this](std::chrono::milliseconds duration, const std::atomic<bool>&) {
          waits.push_back(duration);
          clock.Advance(duration);
        },
        [] { return 0.0; }, std::move(conduct));
  }

  FakeClock clock;
  std::deque<Result<http::Response>> answers;
  std::deque<StreamAnswer> streams;
  std::vector<Asked> asked;
  std::vector<std::chrono::milliseconds> waits;
};

class ScriptedClient final : public http::Client {
 public:
  ScriptedClient(ApiScript& script, http::ClientOptions options)
      : script_(script), options_(std::move(options)) {}

  Result<http::Response> Send(const std::string& method, const std::string& target,
                              const http::Headers& headers, const std::string& body) override {
    Record(method, target, body, &headers);
    if (script_.answers.empty()) {
      ADD_FAILURE() << "nobody expected " << method << " " << target;
      return Error{ReasonCode::kUnreachable, "the script is over"};
    }
    auto answer = std::move(script_.answers.front());
    script_.answers.pop_front();
    return answer;
  }

  Result<http::Response> Stream(const std::string& target,
                                const std::function<bool(std::string_view)>& on_line,
                                const std::atomic<bool>& stop) override {
    Record("WATCH", target, "", nullptr);
    if (script_.streams.empty()) {
      ADD_FAILURE() << "nobody expected WATCH " << target;
      return Error{ReasonCode::kUnreachable, "the script is over"};
    }
    const ApiScript::StreamAnswer answer = std::move(script_.streams.front());
    script_.streams.pop_front();
    http::Response response;
    response.status = answer.status;
    response.body = answer.body;
    if (answer.status != 200) return response;
    for (const std::string& line : answer.lines)
      if (stop || !on_line(line)) return response;
    if (answer.cut) return *answer.cut;
    return response;
  }

 private:
  void Record(const std::string& method, const std::string& target, const std::string& body,
              const http::Headers* headers) {
    const auto field = [&](std::string_view name) {
      const std::string* value = headers == nullptr ? nullptr : headers->Find(name);
      return value == nullptr ? std::string() : *value;
    };
    script_.asked.push_back({method, target, body, options_.authorization(), options_.ca_pem,
                             field("Content-Type"), field("Accept"), options_.user_agent, options_.timeout,
                             options_.whole_answer});
  }

  ApiScript& script_;
  const http::ClientOptions options_;
};

inline kube::ClientFactory ApiScript::Factory() {
  return [this](const http::ClientOptions& options) -> Result<std::shared_ptr<http::Client>> {
    if (options.ca_pem == "broken")
      return Error{ReasonCode::kConfigurationInvalid, "the CA file holds no certificate"};
    return std::shared_ptr<http::Client>(std::make_shared<ScriptedClient>(*this, options));
  };
}

/// A meta/v1 Status as the API server writes it.
inline std::string StatusBody(int code, std::string reason, std::string name = "") {
  codec::Json details = codec::JsonObject();
  if (!name.empty()) details.Set("name", name);
  return codec::ToText(codec::Json::Object({{"kind", "Status"},
                                            {"apiVersion", "v1"},
                                            {"status", "Failure"},
                                            {"message", "what the API server says"},
                                            {"reason", reason},
                                            {"details", details},
                                            {"code", code}}));
}

/// A line of a watch about a pod of namespace "default".
inline std::string WatchLine(std::string type, std::string name, std::string version) {
  return codec::ToText(codec::Json::Object(
      {{"type", type},
       {"object",
        codec::Json::Object({{"kind", "Pod"},
                             {"metadata", codec::Json::Object({{"namespace", "default"},
                                                               {"name", name},
                                                               {"resourceVersion", version}})}})}}));
}

}  // namespace portcullis::test
