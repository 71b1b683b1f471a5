#pragma once

#include <map>
#include <memory>
#include <string>

#include "http/session.h"

namespace portcullis::http {

/// The open connections of a server, at most so many and so many of one peer. Used within its strand only.
class Connections {
 public:
  explicit Connections(const Limits& limits) : limits_(limits) {}

  /// Takes the newcomer in; where there is no room, the connection that has kept the server waiting longest
  /// (of the same peer, where the peer's own limit is the reason) is closed for it. False where nobody can
  /// make room.
  bool Admit(const std::shared_ptr<Session>& newcomer);
  void Remove(Session& session);
  /// Closes, of the connections that hold memory, the one that has kept the server waiting longest.
  bool EvictHolder(const Session& asking);

  void CheckDeadlines(SteadyTime now);
  void DrainAll();
  void CloseAll();
  bool empty() const { return sessions_.empty(); }

 private:
  template <typename Predicate>
  bool EvictWhere(Predicate may_go);
  template <typename Action>
  void ForEach(Action action);

  const Limits& limits_;
  std::map<const Session*, std::shared_ptr<Session>> sessions_;
  std::map<std::string, std::size_t, std::less<>> per_peer_;
};

}  // namespace portcullis::http
