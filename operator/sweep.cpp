#include "operator/sweep.h"

#include "operator/reconcilers/pod.h"

namespace portcullis::control {
namespace {

using codec::Json;

constexpr int kMaxPages = 10'000;  // two million rows; more is a broker that never ends its list

using Page = std::function<Result<Json>(const std::string& after)>;

Result<> VisitPages(const Page& page_after, std::string_view member, const std::atomic<bool>& stop,
                    const std::function<void(const Json&)>& visit) {
  std::string after;
  for (int pages = 0; pages < kMaxPages && !stop; ++pages) {
    const Json page = TRY(page_after(after));
    const Json* rows = page.Find(member);
    if (rows == nullptr || rows->if_array() == nullptr)
      return Error{ReasonCode::kUnreachable, "the broker's answer is no list", std::string(member)};
    for (const Json& row : *rows->if_array()) visit(row);
    after = page.TextAt({"next"});
    if (after.empty()) return Done{};
  }
  return stop ? Result<>(Done{}) : Error{ReasonCode::kUnreachable, "the broker's list does not end"};
}

}  // namespace

Result<> VisitInForce(Broker& broker, const std::string& cluster, const InForce& tell,
                      const std::atomic<bool>& stop) {
  const auto releases = VisitPages(
      [&](const std::string& after) { return broker.ListReleases(after); }, "releases", stop,
      [&](const Json& row) {
        // A broker that does not know these filters must not have other clusters' releases taken back.
        if (row.TextAt({"cluster"}) == cluster && row.TextAt({"phase"}) != "Revoked")
          tell.release({std::string(row.TextAt({"namespace"})), KeyReleaseNameFor(row.TextAt({"id"}))});
      });
  const auto key_of = [](const Json& row) {
    return kube::ObjectKey{std::string(row.TextAt({"namespace"})), std::string(row.TextAt({"name"}))};
  };
  const auto keys = VisitPages([&](const std::string& after) { return broker.ListKeys(after); }, "keys", stop,
                               [&](const Json& row) { tell.key(key_of(row)); });
  const auto policies = VisitPages([&](const std::string& after) { return broker.ListPolicies(after); },
                                   "policies", stop, [&](const Json& row) { tell.policy(key_of(row)); });
  for (const auto* visited : {&releases, &keys, &policies})
    if (!*visited) return visited->error();
  return Done{};
}

}  // namespace portcullis::control
