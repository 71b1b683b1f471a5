#include <atomic>
#include <memory>

#include "audit/audit.h"
#include "codec/json.h"
#include "kbs/routes/query.h"
#include "kbs/routes/routes.h"

namespace portcullis::kbs {
namespace {

using codec::Json;
using http::Request;
using http::Response;

constexpr std::int64_t kMaxPage = 500;
constexpr std::int64_t kMaxWaitSeconds = 30;

Response Problem(const Error& error, const Request& request) {
  return Response::Problem(http::StatusFor(error.code), error, request.id);
}

Response Answer(const Result<Json>& value, const Request& request, int status = 200) {
  if (!value) return Problem(value.error(), request);
  return Response::JsonBody(status, *value);
}

Response Answer(const Result<>& done, const Request& request) {
  if (!done) return Problem(done.error(), request);
  return Response::Empty(204);
}

Result<std::string_view> ParseCause(std::string_view text) {
  // The label of a metric: a closed set.
  for (const std::string_view known : {"PodDeleted", "PodFinished", "PolicyChanged", "PolicyDeleted",
                                       "KeyRevoked", "LeaseExpired", "Requested"})
    if (text == known) return known;
  return Error{
      ReasonCode::kRequestMalformed,
      "cause is one of PodDeleted, PodFinished, PolicyChanged, PolicyDeleted, KeyRevoked, LeaseExpired, "
      "Requested",
      Quoted(text)};
}

Result<release::Broker::View> ParseView(std::string_view text) {
  if (text == "full") return release::Broker::View::kFull;
  if (text == "summary") return release::Broker::View::kSummary;
  return Error{ReasonCode::kRequestMalformed, "view is full or summary", Quoted(text)};
}

/// Whether releases that were revoked are listed too.
Result<bool> ParseRevoked(const Request& request) {
  const auto found = request.query.find("revoked");
  if (found == request.query.end()) return true;
  if (found->second == "false") return false;
  return Error{ReasonCode::kRequestMalformed, "revoked is false, or left out", Quoted(found->second)};
}

/// "NS/NAME", as `next` of the page before had it; "" is the beginning.
Result<release::ObjectName> ParseObjectName(const std::string& text) {
  if (text.empty()) return release::ObjectName{};
  const auto slash = text.find('/');
  if (slash == std::string::npos || text.find('/', slash + 1) != std::string::npos ||
      text.size() > 2 * release::kMaxNameBytes + 1)
    return Error{ReasonCode::kRequestMalformed, "after is NAMESPACE/NAME", "after"};
  return release::ObjectName{text.substr(0, slash), text.substr(slash + 1)};
}

const std::string& Namespace(const Request& request) { return request.captures.at("ns"); }
const std::string& Name(const Request& request) { return request.captures.at("name"); }
const std::string& Id(const Request& request) { return request.captures.at("id"); }

Result<std::optional<std::string>> Cluster(const Request& request) {
  return QueryOptional(request, "cluster", release::kMaxNameBytes);
}

using Put = Result<Json> (release::Broker::*)(std::string_view, const std::string&, const std::string&,
                                              const Json&, const std::string&);
Response PutObject(release::Broker& broker, Put put, const Request& request) {
  const auto body = codec::ParseJson(request.body);
  if (!body) return Problem(body.error(), request);
  const auto cluster = Cluster(request);
  if (!cluster) return Problem(cluster.error(), request);
  return Answer((broker.*put)(request.id, Namespace(request), Name(request), *body, cluster->value_or("")),
                request);
}

using Delete = Result<> (release::Broker::*)(std::string_view, const std::string&, const std::string&,
                                             const std::string&);
Response DeleteObject(release::Broker& broker, Delete remove, const Request& request) {
  const auto cluster = Cluster(request);
  if (!cluster) return Problem(cluster.error(), request);
  return Answer((broker.*remove)(request.id, Namespace(request), Name(request), cluster->value_or("")),
                request);
}

Response ListMirrored(release::Broker& broker, release::MirrorKind kind, const Request& request) {
  const auto cluster = Cluster(request);
  if (!cluster) return Problem(cluster.error(), request);
  const auto after = ParseObjectName(QueryText(request, "after", ""));
  if (!after) return Problem(after.error(), request);
  const auto limit = QueryInteger(request, "limit", 100, 1, kMaxPage);
  if (!limit) return Problem(limit.error(), request);
  return Answer(broker.ListMirrored(kind, *cluster, *after, *limit), request);
}

Response PutRelease(release::Broker& broker, const Request& request) {
  const auto body = codec::ParseJson(request.body);
  if (!body) return Problem(body.error(), request);
  const auto registration = release::ParseRegistration(Id(request), *body);
  if (!registration) return Problem(registration.error(), request);
  const auto is_new = broker.PutRelease(*registration);
  if (!is_new) return Problem(is_new.error(), request);
  const auto release = broker.GetRelease(Id(request));
  if (!release) return Problem(release.error(), request);
  return Response::JsonBody(*is_new ? 201 : 200, broker.Shown(*release));
}

Response GetRelease(release::Broker& broker, const Request& request) {
  const auto release = broker.GetRelease(Id(request));
  if (!release) return Problem(release.error(), request);
  return Response::JsonBody(200, broker.Shown(*release));
}

Response ListReleases(release::Broker& broker, const Request& request) {
  const auto limit = QueryInteger(request, "limit", 100, 1, kMaxPage);
  if (!limit) return Problem(limit.error(), request);
  const auto view = ParseView(QueryText(request, "view", "full"));
  if (!view) return Problem(view.error(), request);
  const auto cluster = Cluster(request);
  if (!cluster) return Problem(cluster.error(), request);
  const auto revoked = ParseRevoked(request);
  if (!revoked) return Problem(revoked.error(), request);
  return Answer(broker.ListReleases({QueryText(request, "after", ""), *limit, *cluster, *revoked}, *view),
                request);
}

Response RevokeRelease(release::Broker& broker, const Request& request) {
  const auto cause = ParseCause(QueryText(request, "cause", "Requested"));
  if (!cause) return Problem(cause.error(), request);
  const auto cluster = Cluster(request);
  const auto namespace_name = QueryOptional(request, "namespace", release::kMaxNameBytes);
  const auto pod_uid = QueryOptional(request, "podUid", release::kMaxPodUidBytes);
  for (const auto* value : {&cluster, &namespace_name, &pod_uid})
    if (!*value) return Problem(value->error(), request);
  const auto release = broker.Revoke(request.id, Id(request), *cause, {*cluster, *namespace_name, *pod_uid});
  if (!release) return Problem(release.error(), request);
  return Response::JsonBody(200, broker.Shown(*release));
}

/// A poll that waits holds one of the server's workers. A quarter of those stay for what can't wait (a
/// revocation), and auditors can't keep operators from polling.
class WaitingPolls {
 public:
  static constexpr int kMaxOfOperators = 16, kMaxOfAuditors = 8;
  using Place = std::unique_ptr<std::atomic<int>, void (*)(std::atomic<int>*)>;

  /// nullptr where there is no place.
  Place Take(bool is_operator) {
    Place place(is_operator ? &operators_ : &auditors_, [](std::atomic<int>* waiting) { --*waiting; });
    if (++*place > (is_operator ? kMaxOfOperators : kMaxOfAuditors)) place.reset();
    return place;
  }

 private:
  std::atomic<int> operators_{0}, auditors_{0};
};

Response Decisions(release::Broker& broker, WaitingPolls& polls, bool is_operator, const Request& request) {
  const auto after = QueryInteger(request, "after", 0, 0, INT64_MAX);
  const auto wait = QueryInteger(request, "wait", 0, 0, kMaxWaitSeconds);
  const auto limit = QueryInteger(request, "limit", kMaxPage, 1, kMaxPage);
  for (const auto* value : {&after, &wait, &limit})
    if (!*value) return Problem(value->error(), request);
  const auto page = broker.Decisions(*after, std::chrono::seconds(0), *limit);
  const bool has_news =
      !page || !page->Find("decisions")->if_array()->empty() || *page->Find("next") != Json(*after);
  if (*wait == 0 || has_news) return Answer(page, request);
  const auto place = polls.Take(is_operator);
  if (!place) return Problem({ReasonCode::kOverloaded, "as many polls wait as may"}, request);
  return Answer(broker.Decisions(*after, std::chrono::seconds(*wait), *limit), request);
}

Response AuditRows(const audit::Log& audit, const Request& request) {
  const auto after = QueryInteger(request, "after", 0, 0, INT64_MAX);
  const auto limit = QueryInteger(request, "limit", kMaxPage, 1, 10'000);
  for (const auto* value : {&after, &limit})
    if (!*value) return Problem(value->error(), request);
  const auto rows = audit.Rows(*after, static_cast<std::size_t>(*limit));
  if (!rows) return Problem(rows.error(), request);
  std::string body;
  for (const audit::Row& row : *rows) body += row.canonical + "\n";
  return Response::Text(200, std::move(body), "application/jsonl");
}

}  // namespace

http::Router BrokerRoutes(release::Broker& broker, audit::Log& audit, const Options& options) {
  http::Router router;
  const auto& clients = options.clients;
  const auto add = [&](Role least, const char* method, const char* pattern, http::Handler handler) {
    router.Add(method, pattern, [&clients, least, handler = std::move(handler)](const Request& request) {
      if (!request.client) return Problem({ReasonCode::kUnauthorized, "no client certificate"}, request);
      const auto client = clients.find(request.client->common_name);
      // An operator may do all that an auditor may.
      if (client == clients.end() ||
          !(client->second.contains(Role::kOperator) || client->second.contains(least)))
        return Problem({ReasonCode::kForbidden, "the client has no role for this route",
                        Quoted(request.client->common_name)},
                       request);
      return handler(request);
    });
  };

  add(Role::kOperator, "PUT", "/v1/keys/{ns}/{name}",
      [&broker](const Request& r) { return PutObject(broker, &release::Broker::PutKey, r); });
  add(Role::kAuditor, "GET", "/v1/keys",
      [&broker](const Request& r) { return ListMirrored(broker, release::MirrorKind::kKey, r); });
  add(Role::kAuditor, "GET", "/v1/keys/{ns}/{name}",
      [&broker](const Request& r) { return Answer(broker.GetKey(Namespace(r), Name(r)), r); });
  add(Role::kOperator, "DELETE", "/v1/keys/{ns}/{name}",
      [&broker](const Request& r) { return DeleteObject(broker, &release::Broker::DeleteKey, r); });
  add(Role::kOperator, "PUT", "/v1/policies/{ns}/{name}",
      [&broker](const Request& r) { return PutObject(broker, &release::Broker::PutPolicy, r); });
  add(Role::kAuditor, "GET", "/v1/policies",
      [&broker](const Request& r) { return ListMirrored(broker, release::MirrorKind::kPolicy, r); });
  add(Role::kAuditor, "GET", "/v1/policies/{ns}/{name}",
      [&broker](const Request& r) { return Answer(broker.GetPolicy(Namespace(r), Name(r)), r); });
  add(Role::kOperator, "DELETE", "/v1/policies/{ns}/{name}",
      [&broker](const Request& r) { return DeleteObject(broker, &release::Broker::DeletePolicy, r); });
  add(Role::kOperator, "PUT", "/v1/releases/{id}",
      [&broker](const Request& r) { return PutRelease(broker, r); });
  add(Role::kAuditor, "GET", "/v1/releases/{id}",
      [&broker](const Request& r) { return GetRelease(broker, r); });
  add(Role::kAuditor, "GET", "/v1/releases", [&broker](const Request& r) { return ListReleases(broker, r); });
  add(Role::kOperator, "DELETE", "/v1/releases/{id}",
      [&broker](const Request& r) { return RevokeRelease(broker, r); });
  add(Role::kAuditor, "GET", "/v1/decisions",
      [&broker, &clients, polls = std::make_shared<WaitingPolls>()](const Request& r) {
        const bool is_operator = clients.at(r.client->common_name).contains(Role::kOperator);
        return Decisions(broker, *polls, is_operator, r);
      });
  add(Role::kAuditor, "GET", "/v1/identity", [&broker, &options](const Request&) {
    return Response::JsonBody(200, broker.IdentityDocument(options.guest_url));
  });
  add(Role::kAuditor, "POST", "/v1/appraisals", [&broker](const Request& r) {
    const auto body = codec::ParseJson(r.body);
    return body ? Answer(broker.DryRun(*body), r) : Problem(body.error(), r);
  });
  add(Role::kAuditor, "GET", "/v1/audit", [&audit](const Request& r) { return AuditRows(audit, r); });
  add(Role::kAuditor, "GET", "/v1/audit/checkpoint", [&audit](const Request& r) {
    const auto note = audit.LatestCheckpoint();
    return note ? Response::Text(200, *note) : Problem(note.error(), r);
  });
  return router;
}

http::Router OpsRoutes(const metrics::Metrics& metrics, const store::Store& store) {
  http::Router router;
  router.Add("GET", "/metrics", [&metrics](const Request&) {
    return Response::Text(200, metrics.Exposition(), "text/plain; version=0.0.4; charset=utf-8");
  });
  router.Add("GET", "/livez", [](const Request&) { return Response::Text(200, "ok\n"); });
  router.Add("GET", "/readyz", [&store](const Request&) {
    return store.latched()
               ? Response::Text(503, "store: an I/O error stopped all writes; free the disk and restart\n")
               : Response::Text(200, "ok\n");
  });
  return router;
}

}  // namespace portcullis::kbs
