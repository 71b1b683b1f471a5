#include "release/mirrors.h"

namespace portcullis::release {
namespace {

std::int64_t NumberOf(MirrorKind kind) { return static_cast<std::int64_t>(kind); }

}  // namespace

Result<bool> AddMirror(store::Transaction& transaction, MirrorKind kind, const ObjectName& object,
                       const std::string& cluster) {
  return TRY(transaction.Execute("INSERT INTO mirrors (kind, namespace, name, cluster) VALUES (?, ?, ?, ?) "
                                 "ON CONFLICT DO NOTHING",
                                 {NumberOf(kind), object.namespace_name, object.name, cluster})) == 1;
}

Result<bool> RemoveMirror(store::Transaction& transaction, MirrorKind kind, const ObjectName& object,
                          const std::string& cluster) {
  return TRY(transaction.Execute(
             "DELETE FROM mirrors WHERE kind = ? AND namespace = ? AND name = ? AND cluster = ?",
             {NumberOf(kind), object.namespace_name, object.name, cluster})) == 1;
}

Result<bool> IsMirroredFor(store::Transaction& transaction, MirrorKind kind, const ObjectName& object,
                           const std::string& cluster) {
  return !TRY(transaction.Query(
                  "SELECT 1 FROM mirrors WHERE kind = ? AND namespace = ? AND name = ? AND cluster "
                  "IN (?, '') LIMIT 1",
                  {NumberOf(kind), object.namespace_name, object.name, cluster}))
              .empty();
}

Result<bool> IsMirrored(store::Transaction& transaction, MirrorKind kind, const ObjectName& object) {
  return !TRY(transaction.Query("SELECT 1 FROM mirrors WHERE kind = ? AND namespace = ? AND name = ? LIMIT 1",
                                {NumberOf(kind), object.namespace_name, object.name}))
              .empty();
}

Result<std::vector<ObjectName>> Mirrored(store::Transaction& transaction, MirrorKind kind,
                                         const std::optional<std::string>& cluster, const ObjectName& after,
                                         std::int64_t limit) {
  const store::Value of = cluster ? store::Value(*cluster) : store::Value();
  const auto rows = TRY(transaction.Query(
      "SELECT DISTINCT namespace, name FROM mirrors WHERE kind = ? AND (namespace, name) > (?, ?) AND "
      "cluster = coalesce(?, cluster) ORDER BY namespace, name LIMIT ?",
      {NumberOf(kind), after.namespace_name, after.name, of, limit}));
  std::vector<ObjectName> out;
  for (const store::Row& row : rows) out.push_back({store::TextOf(row[0]), store::TextOf(row[1])});
  return out;
}

}  // namespace portcullis::release
