#include "kube/api_client.h"

#include <algorithm>

#include "kube/status.h"
#include "kube/watch_line.h"

namespace portcullis::kube {
namespace {

constexpr std::chrono::seconds kDefaultRetryAfter{1};
constexpr std::chrono::seconds kMaxRetryAfter{10};  // five tries then end within a minute
constexpr std::chrono::milliseconds kRetryAfterCut{200};
constexpr double kRetryJitter = 0.25;
constexpr std::size_t kMaxAnswerBytes = 16u << 20;  // some objects of etcd's 1.5 MiB
constexpr std::string_view kJsonType = "application/json";

bool IsSuccess(int status) { return status >= 200 && status < 300; }

codec::Json StatusOf(const http::Response& response) {
  auto body = codec::ParseJson(response.body);
  return body ? std::move(body).value() : codec::Json();
}

std::string_view ContentTypeOf(PatchType type) {
  switch (type) {
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";  // JSON is YAML
  }
  return "";
}

Query WriteQuery() {
  // Strict: a field that the server does not know is an error, not silence.
  return {{"fieldManager", std::string(kFieldManager)}, {"fieldValidation", "Strict"}};
}

}  // namespace

Result<codec::Json> ApiClient::Get(const Resource& resource, const ObjectKey& key) {
  const std::string path = TRY(ObjectPath(resource, key, ""));
  return Send({"GET", path});
}

Result<ListPage> ApiClient::List(const Resource& resource, const std::string& namespace_name,
                                 const Query& query) {
  const std::string path = TRY(CollectionPath(resource, namespace_name));
  codec::Json answer = TRY(Send({"GET", path + QueryText(query)}));
  codec::Json* items = answer.Find("items");
  ListPage page;
  page.resource_version = answer.TextAt({"metadata", "resourceVersion"});
  page.continue_token = answer.TextAt({"metadata", "continue"});
  if (items == nullptr || page.resource_version.empty())
    return Error{ReasonCode::kUnreachable, "the answer of the API server is no list"};
  // A list without objects may say null.
  if (codec::JsonArray* array = items->if_array()) page.items = std::move(*array);
  return page;
}

Result<codec::Json> ApiClient::Create(const Resource& resource, const std::string& namespace_name,
                                      const codec::Json& object) {
  const std::string path = TRY(CollectionPath(resource, namespace_name));
  return Send({"POST", path + QueryText(WriteQuery()), std::string(kJsonType), codec::ToText(object)});
}

Result<codec::Json> ApiClient::Replace(const Resource& resource, const ObjectKey& key,
                                       const codec::Json& object) {
  const std::string path = TRY(ObjectPath(resource, key, ""));
  return Send({"PUT", path + QueryText(WriteQuery()), std::string(kJsonType), codec::ToText(object)});
}

Result<codec::Json> ApiClient::Patch(const Resource& resource, const ObjectKey& key,
                                     std::string_view subresource, PatchType type, const codec::Json& patch) {
  Query query = WriteQuery();
  if (type == PatchType::kApply) query.emplace_back("force", "true");
  const std::string path = TRY(ObjectPath(resource, key, subresource));
  return Send({"PATCH", path + QueryText(query), std::string(ContentTypeOf(type)), codec::ToText(patch)});
}

Result<> ApiClient::Delete(const Resource& resource, const ObjectKey& key, const std::string& uid) {
  codec::Json options = codec::Json::Object(
      {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}});
  if (!uid.empty()) options.Set("preconditions", codec::Json::Object({{"uid", uid}}));
  const std::string path = TRY(ObjectPath(resource, key, ""));
  TRY(Send({"DELETE", path, std::string(kJsonType), codec::ToText(options)}));
  return Done{};
}

Result<std::string> ApiClient::Watch(
    const Resource& resource, const std::string& namespace_name, const Query& query,
    const std::string& resource_version,
    const std::function<bool(std::string_view, const codec::Json&)>& on_event,
    const std::atomic<bool>& stop) {
  Query watch = query;
  watch.emplace_back("watch", "1");
  watch.emplace_back("allowWatchBookmarks", "true");
  watch.emplace_back("resourceVersion", resource_version);
  const std::string target = TRY(CollectionPath(resource, namespace_name)) + QueryText(watch);

  std::string last_version = resource_version;
  std::optional<Error> failure;
  const auto on_line = [&](std::string_view line) {
    if (line.empty()) return true;
    const auto event = ParseWatchLine(line);
    if (!event) {
      failure = event.error();
      return false;
    }
    last_version = event->resource_version;
    return on_event(NameOf(event->type), event->object);
  };

  for (Tries tries;;) {
    const auto answer = connection_->streams()->Stream(target, on_line, stop);
    metrics_.RestClientRequest(answer ? answer->status : 0, "GET");
    if (failure) return *failure;
    if (!answer) {
      connection_->RefreshAuthorities();
      return answer.error();
    }
    if (answer->status == 200) return last_version;
    if (!RenewToken(answer->status, tries)) return ErrorFor(answer->status, StatusOf(*answer));
  }
}

Result<codec::Json> ApiClient::Send(const ApiCall& call) {
  static const std::atomic<bool> kNeverStopped{false};
  for (Tries tries;;) {
    const auto answer = SendOnce(call);
    ++tries.made;
    if (answer && IsSuccess(answer->status)) {
      auto body = codec::ParseJson(answer->body, {.max_bytes = kMaxAnswerBytes});
      if (body) return body;
      if (body.error().text.view() == codec::kTooManyJsonValues.view())
        return Error{ReasonCode::kUnreachable, "the answer of the API server holds too many values",
                     std::string(http::kAnswerTooLarge)};
      return Error{ReasonCode::kUnreachable, "the answer of the API server is not JSON",
                   body.error().ToString()};
    }
    const auto delay = WaitBeforeRetry(call, answer, tries);
    if (!delay) return answer ? ErrorFor(answer->status, StatusOf(*answer)) : answer.error();
    if (delay->count() > 0) wait_(*delay, kNeverStopped);
  }
}

Result<http::Response> ApiClient::SendOnce(const ApiCall& call) {
  if (call.method != "GET" && conduct_.may_write && !conduct_.may_write())
    return Error{ReasonCode::kUnreachable, "nothing is written without leadership"};
  http::Headers headers;
  headers.Set("Accept", std::string(kJsonType));
  if (!call.content_type.empty()) headers.Set("Content-Type", call.content_type);
  auto answer = connection_->requests()->Send(call.method, call.target, headers, call.body);
  metrics_.RestClientRequest(answer ? answer->status : 0, call.method);
  return answer;
}

std::optional<std::chrono::milliseconds> ApiClient::WaitBeforeRetry(const ApiCall& call,
                                                                    const Result<http::Response>& answer,
                                                                    Tries& tries) {
  const bool renewed = answer && RenewToken(answer->status, tries);
  if (!answer) {
    if (IsTooLarge(answer.error())) return std::nullopt;
    connection_->RefreshAuthorities();
  }
  if (tries.made >= conduct_.max_tries) return std::nullopt;
  if (!answer) {
    if (call.method != "GET" || tries.made > 1) return std::nullopt;
    return kRetryAfterCut;
  }
  if (renewed) return std::chrono::milliseconds(0);

  auto retry_after = RetryAfter(*answer);
  if (answer->status == 429 && !retry_after) retry_after = kDefaultRetryAfter;
  if (!retry_after || (answer->status != 429 && answer->status < 500)) return std::nullopt;
  const BackoffShape shape{std::min(*retry_after, kMaxRetryAfter), 1.0, kRetryJitter,
                           kMaxRetryAfter + kDefaultRetryAfter};
  return DelayAfter(shape, 1, jitter_);
}

bool ApiClient::RenewToken(int status, Tries& tries) {
  if (status != 401 || tries.token_renewed) return false;
  tries.token_renewed = true;
  connection_->ExpireToken();
  return true;
}

}  // namespace portcullis::kube
