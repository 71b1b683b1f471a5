#include "http/connections.h"

#include <vector>

namespace portcullis::http {

template <typename Predicate>
bool Connections::EvictWhere(Predicate may_go) {
  std::shared_ptr<Session> slowest;
  for (const auto& [key, session] : sessions_) {
    const auto since = session->waiting_since();
    if (since && may_go(*session) && (slowest == nullptr || *since < *slowest->waiting_since()))
      slowest = session;
  }
  if (slowest == nullptr) return false;
  slowest->Abort("evicted");
  return true;
}

bool Connections::EvictHolder(const Session& asking) {
  return EvictWhere(
      [&asking](const Session& session) { return &session != &asking && session.holds_memory(); });
}

bool Connections::Admit(const std::shared_ptr<Session>& newcomer) {
  const std::string& peer = newcomer->peer();
  const auto of_peer = per_peer_.find(peer);
  if (of_peer != per_peer_.end() && of_peer->second >= limits_.max_connections_per_peer &&
      !EvictWhere([&peer](const Session& session) { return session.peer() == peer; }))
    return false;
  if (sessions_.size() >= limits_.max_connections && !EvictWhere([](const Session&) { return true; }))
    return false;
  sessions_.emplace(newcomer.get(), newcomer);
  ++per_peer_[peer];
  return true;
}

void Connections::Remove(Session& session) {
  if (sessions_.erase(&session) == 0) return;
  const auto of_peer = per_peer_.find(session.peer());
  if (--of_peer->second == 0) per_peer_.erase(of_peer);
}

template <typename Action>
void Connections::ForEach(Action action) {
  std::vector<std::shared_ptr<Session>> now;  // an action may end its session and so change the map
  now.reserve(sessions_.size());
  for (const auto& entry : sessions_) now.push_back(entry.second);
  for (const auto& session : now) action(*session);
}

void Connections::CheckDeadlines(SteadyTime now) {
  ForEach([now](Session& session) { session.CheckDeadline(now); });
}
void Connections::DrainAll() {
  ForEach([](Session& session) { session.Drain(); });
}
void Connections::CloseAll() {
  ForEach([](Session& session) { session.Close(); });
}

}  // namespace portcullis::http
