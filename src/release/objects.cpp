// Model keys and policies, as clusters mirror them to the broker.
#include "policy/policy.h"
#include "release/broker.h"
#include "release/mirrors.h"

namespace portcullis::release {
namespace {

using codec::Json;

std::string TextOf(const ObjectName& object) { return object.namespace_name + "/" + object.name; }

audit::Entry EntryOf(std::string kind, std::string_view request_id, const ObjectName& object,
                     std::string resource, Json detail) {
  return {.kind = std::move(kind),
          .request_id = std::string(request_id),
          .verdict = "",
          .reason = "",
          .subject = TextOf(object),
          .resource = std::move(resource),
          .detail = std::move(detail)};
}

codec::JsonArray SignaturesOf(const AcceptedPolicy& policy) {
  return codec::JsonArray(policy.signatures.begin(), policy.signatures.end());
}

/// The body of a PUT, of which nobody has verified a signature yet.
Result<AcceptedPolicy> ParseOffered(const ObjectName& object, const Json& body) {
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(body));
  AcceptedPolicy offered;
  offered.document = *TRY(in.Object("policy"));
  offered.signatures = TRY(in.Texts("signatures", 8, 8192));
  TRY(in.Finish());
  offered.policy = TRY_AT("policy", policy::ParsePolicy(offered.document));
  if (offered.policy.namespace_name != object.namespace_name || offered.policy.name != object.name)
    return Error{ReasonCode::kPolicyIncomplete,
                 "namespace and name in the document are not those of the object", "policy.name"};
  return offered;
}

/// What was accepted last may come back after it was deleted; nothing older may.
Result<> RaiseRevision(store::Transaction& transaction, const ObjectName& object, const PolicyRow& row) {
  const auto floor = TRY(
      FindFloor(transaction, FloorKind::kPolicyRevision, object.namespace_name, object.name, row.authority));
  const bool restored = floor && floor->revision == row.revision && floor->digest == row.digest;
  if (floor && !restored && row.revision <= floor->revision)
    return Error{ReasonCode::kPolicyRevisionRollback, "the revision is not above the accepted one",
                 "policy.revision: " + std::to_string(row.revision) +
                     ", accepted: " + std::to_string(floor->revision)};
  return RaiseFloor(transaction, FloorKind::kPolicyRevision, object.namespace_name, object.name,
                    row.authority, {row.revision, row.digest});
}

/// The same for the highest version of a model key, whose content is held to it where keys are kept.
Result<> RaiseKeyVersion(store::Transaction& transaction, const keystore::ModelKeys::Info& key) {
  const std::string authority = key.authority.Thumbprint();
  const auto floor =
      TRY(FindFloor(transaction, FloorKind::kKeyVersion, key.namespace_name, key.name, authority));
  if (floor && key.current_version < floor->revision)
    return Error{ReasonCode::kConflict,
                 "the model key's highest version is below one accepted before it was deleted",
                 std::to_string(floor->revision)};
  return RaiseFloor(transaction, FloorKind::kKeyVersion, key.namespace_name, key.name, authority,
                    {key.current_version, ""});
}

}  // namespace

Result<Json> Broker::PutKey(std::string_view request_id, const std::string& namespace_name,
                            const std::string& name, const Json& spec, const std::string& cluster) {
  const ObjectName object{namespace_name, name};
  const keystore::ModelKey key = TRY(keystore::ParseModelKey(namespace_name, name, spec));
  std::int64_t version = 0;
  TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
    const auto before = TRY(model_keys_->Find(transaction, namespace_name, name));
    TRY(model_keys_->Put(transaction, key));
    const auto after = TRY(model_keys_->Find(transaction, namespace_name, name));
    if (!after) return Error{ReasonCode::kInternalError, "a stored key is not found"};
    version = after->current_version;
    TRY(RaiseKeyVersion(transaction, *after));
    const bool new_here = TRY(AddMirror(transaction, MirrorKind::kKey, object, cluster));
    // Mirrored again: nothing new to record.
    if (!new_here && before && before->current_version == version) return Done{};
    TRY(ports_.audit.Append(transaction, EntryOf("key", request_id, object, after->resource,
                                                 Json::Object({{"action", "accepted"},
                                                               {"cluster", cluster},
                                                               {"authority", after->authority.Thumbprint()},
                                                               {"version", version}}))));
    return Done{};
  }));
  return Json::Object({{"currentVersion", version}});
}

Result<Json> Broker::GetKey(const std::string& namespace_name, const std::string& name) {
  std::optional<keystore::ModelKeys::Info> key;
  TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
    key = TRY(model_keys_->Find(transaction, namespace_name, name));
    return Done{};
  }));
  if (!key) return Error{ReasonCode::kNotFound, "no such model key", namespace_name + "/" + name};
  return Json::Object({{"namespace", key->namespace_name},
                       {"name", key->name},
                       {"resource", key->resource},
                       {"authority", key->authority.Thumbprint()},
                       {"currentVersion", key->current_version}});
}

Result<> Broker::DeleteKey(std::string_view request_id, const std::string& namespace_name,
                           const std::string& name, const std::string& cluster) {
  const ObjectName object{namespace_name, name};
  TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
    const auto key = TRY(model_keys_->Find(transaction, namespace_name, name));
    const bool withdrawn = TRY(RemoveMirror(transaction, MirrorKind::kKey, object, cluster));
    if (!key) return Done{};
    const bool stays = TRY(IsMirrored(transaction, MirrorKind::kKey, object));
    if (!stays) TRY(model_keys_->Delete(transaction, namespace_name, name));
    if (withdrawn || !stays)
      TRY(ports_.audit.Append(transaction, EntryOf("key", request_id, object, key->resource,
                                                   Json::Object({{"action", stays ? "withdrawn" : "deleted"},
                                                                 {"cluster", cluster}}))));
    const auto whose = stays ? std::optional(cluster) : std::nullopt;
    return RevokeAll(transaction, request_id,
                     TRY(LiveReleaseIdsOfKey(transaction, namespace_name, name, whose)), "KeyRevoked");
  }));
  NotifyWaiters();
  return Done{};
}

Result<> Broker::VerifyOffered(store::Transaction& transaction, AcceptedPolicy& offered, PolicyRow& row) {
  for (const std::string& key_name : offered.policy.keys) {
    const auto key = TRY(model_keys_->Find(transaction, offered.policy.namespace_name, key_name));
    if (!key)
      return Error{ReasonCode::kKeyUnavailable, "the policy names a model key that the broker does not have",
                   key_name};
    TRY(policy::VerifySignature(offered.document, offered.signatures, key->authority));
    const std::string authority = key->authority.Thumbprint();
    if (!offered.authority.empty() && offered.authority != authority)
      return Error{ReasonCode::kPolicyAuthorityMismatch,
                   "the model keys of one policy have different authorities", key_name};
    offered.authority = row.authority = authority;
    row.authority_key = key->authority.ToSpki();
  }
  return Done{};
}

Result<Json> Broker::PutPolicy(std::string_view request_id, const std::string& namespace_name,
                               const std::string& name, const Json& body, const std::string& cluster) {
  const ObjectName object{namespace_name, name};
  AcceptedPolicy offered = TRY(ParseOffered(object, body));
  PolicyRow row{.revision = offered.policy.revision,
                .digest = crypto::DigestText(offered.policy.digest),
                .authority = {},
                .document = codec::ToText(offered.document),
                .signatures = codec::ToText(SignaturesOf(offered)),
                .authority_key = {},
                .deleted = false};
  auto reappraised = Reappraised::kSettled;

  TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
    TRY(VerifyOffered(transaction, offered, row));
    const auto accepted = TRY(FindPolicyRow(transaction, namespace_name, name));
    const bool in_force = accepted && !accepted->deleted && accepted->authority == row.authority &&
                          accepted->digest == row.digest;
    if (!in_force) TRY(RaiseRevision(transaction, object, row));
    const bool new_here = TRY(AddMirror(transaction, MirrorKind::kPolicy, object, cluster));
    // Mirrored again, what was altered in the store is put right.
    if (!in_force || *accepted != row) TRY(SavePolicyRow(transaction, namespace_name, name, row));
    if (in_force && !new_here) return Done{};
    TRY(ports_.audit.Append(transaction, EntryOf("policy", request_id, object, "",
                                                 Json::Object({{"action", "accepted"},
                                                               {"cluster", cluster},
                                                               {"revision", row.revision},
                                                               {"digest", row.digest},
                                                               {"authority", row.authority}}))));
    if (in_force) return Done{};
    const PolicyTotals totals = TRY(CountPolicies(transaction));
    ports_.metrics.PolicyRevision(totals.accepted, totals.highest_revision);
    reappraised = TRY(ReappraiseLive(transaction, request_id, offered));
    return Done{};
  }));
  if (reappraised == Reappraised::kOwed) owed_ = true;
  NotifyWaiters();
  return Json::Object({{"revision", row.revision}, {"digest", row.digest}});
}

Result<Json> Broker::GetPolicy(const std::string& namespace_name, const std::string& name) {
  std::shared_ptr<const AcceptedPolicy> accepted;
  TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
    accepted = TRY(LoadPolicy(transaction, namespace_name, name));
    return Done{};
  }));
  if (!accepted) return Error{ReasonCode::kNotFound, "no such policy", namespace_name + "/" + name};
  return Json::Object({{"policy", accepted->document},
                       {"signatures", SignaturesOf(*accepted)},
                       {"revision", accepted->policy.revision},
                       {"digest", crypto::DigestText(accepted->policy.digest)},
                       {"authority", accepted->authority}});
}

Result<> Broker::DeletePolicy(std::string_view request_id, const std::string& namespace_name,
                              const std::string& name, const std::string& cluster) {
  const ObjectName object{namespace_name, name};
  TRY(ports_.store.Write([&](store::Transaction& transaction) -> Result<> {
    auto row = TRY(FindPolicyRow(transaction, namespace_name, name));
    const bool withdrawn = TRY(RemoveMirror(transaction, MirrorKind::kPolicy, object, cluster));
    if (!row || row->deleted) return Done{};
    const bool stays = TRY(IsMirrored(transaction, MirrorKind::kPolicy, object));
    row->deleted = !stays;  // its revision stays: deleting must not open the way back to an older one
    if (!stays) TRY(SavePolicyRow(transaction, namespace_name, name, *row));
    if (withdrawn || !stays)
      TRY(ports_.audit.Append(transaction, EntryOf("policy", request_id, object, "",
                                                   Json::Object({{"action", stays ? "withdrawn" : "deleted"},
                                                                 {"cluster", cluster},
                                                                 {"revision", row->revision}}))));
    const auto whose = stays ? std::optional(cluster) : std::nullopt;
    return RevokeAll(transaction, request_id,
                     TRY(LiveReleaseIdsOfPolicy(transaction, namespace_name, name, whose)), "PolicyDeleted");
  }));
  NotifyWaiters();
  return Done{};
}

Result<Json> Broker::ListMirrored(MirrorKind kind, const std::optional<std::string>& cluster,
                                  const ObjectName& after, std::int64_t limit) {
  std::vector<ObjectName> objects;
  TRY(ports_.store.Read([&](store::Transaction& transaction) -> Result<> {
    objects = TRY(Mirrored(transaction, kind, cluster, after, limit));
    return Done{};
  }));
  codec::JsonArray items;
  for (const ObjectName& object : objects)
    items.push_back(Json::Object({{"namespace", object.namespace_name}, {"name", object.name}}));
  const bool more = !objects.empty() && std::ssize(objects) == limit;
  return Json::Object({{kind == MirrorKind::kKey ? "keys" : "policies", std::move(items)},
                       {"next", more ? TextOf(objects.back()) : ""}});
}

}  // namespace portcullis::release
