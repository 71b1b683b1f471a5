#include "kube/lease_candidate.h"

#include <algorithm>

#include "base/log.h"
#include "kube/objects.h"

namespace portcullis::kube {
namespace {

using namespace std::chrono_literals;

constexpr int kReleaseTries = 3;
constexpr std::int64_t kMaxDurationSeconds =
    3600;  // a record that says more must not lock everyone out for good

std::int64_t Seconds(std::chrono::milliseconds duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

const codec::Json& SpecOf(const codec::Json& lease) {
  static const codec::Json kNone;
  const codec::Json* spec = lease.Find("spec");
  return spec == nullptr ? kNone : *spec;
}

// Losing a race is how elections go; anything else keeps a cluster without a leader, and someone must see
// why.
void LogUnlessRace(const Error& error, const ObjectKey& lease) {
  if (error.code == ReasonCode::kConflict) return;
  Log(LogLevel::kWarning, "the lease can't be read or written",
      {{"lease", lease.ToString()}, {"error", error.ToString()}});
}

std::string_view HolderOf(const codec::Json& lease) { return SpecOf(lease).TextAt({"holderIdentity"}); }

std::int64_t NumberIn(const codec::Json& spec, std::string_view name) {
  const codec::Json* value = spec.Find(name);
  return value == nullptr ? 0 : value->if_int64().value_or(0);
}

}  // namespace

LeaseCandidate::LeaseCandidate(Api& api, LeaseOptions options, const Clock& clock)
    : api_(api), options_(std::move(options)), clock_(clock) {}

bool LeaseCandidate::IsLeader() const {
  const std::lock_guard lock(mutex_);
  return renewed_at_ && clock_.Steady() - *renewed_at_ < options_.renew_deadline;
}

bool LeaseCandidate::TryAcquireOrRenew() {
  const SteadyTime started = clock_.Steady();
  return (IsLeader() && Renew(started)) || AcquireByLook(started);
}

// The fast path: we know what the lease says, since we wrote it.
bool LeaseCandidate::Renew(SteadyTime started) {
  codec::Json next = observed_;
  next.Set("spec", RecordAfter(SpecOf(observed_)));
  return Write(std::move(next), started);
}

bool LeaseCandidate::AcquireByLook(SteadyTime started) {
  auto lease = api_.Get(kLeases, options_.lease);
  if (!lease && lease.error().code == ReasonCode::kNotFound) return Create(started);
  if (!lease) {
    LogUnlessRace(lease.error(), options_.lease);
    return false;
  }
  Observe(*lease);
  if (HolderOf(observed_) != options_.identity) {
    const std::lock_guard lock(mutex_);
    renewed_at_.reset();  // someone took it, whatever our clock says
  }
  if (HeldBySomeoneElse()) return false;
  codec::Json next = std::move(lease).value();
  next.Set("spec", RecordAfter(SpecOf(observed_)));
  return Write(std::move(next), started);
}

bool LeaseCandidate::Create(SteadyTime started) {
  codec::Json lease = NewObject(kLeases, options_.lease);
  codec::Json spec = RecordAfter(codec::Json());
  spec.Set("leaseTransitions", 0);
  lease.Set("spec", std::move(spec));
  auto created = api_.Create(kLeases, options_.lease.namespace_name, lease);
  if (!created) {
    LogUnlessRace(created.error(), options_.lease);
    return false;
  }
  Observe(*created);
  const std::lock_guard lock(mutex_);
  renewed_at_ = started;
  return true;
}

// Carries the resourceVersion of what was read: of two candidates, one gets Conflict.
bool LeaseCandidate::Write(codec::Json object, SteadyTime started) {
  auto written = api_.Replace(kLeases, options_.lease, object);
  if (!written) {
    LogUnlessRace(written.error(), options_.lease);
    return false;
  }
  Observe(*written);
  const std::lock_guard lock(mutex_);
  renewed_at_ = started;
  return true;
}

codec::Json LeaseCandidate::RecordAfter(const codec::Json& spec) const {
  const std::string now = FormatTimestampMicro(clock_.Now());
  const bool ours = spec.TextAt({"holderIdentity"}) == options_.identity;
  const std::string_view acquired = spec.TextAt({"acquireTime"});
  codec::Json next = spec;  // fields of newer versions stay
  next.Set("holderIdentity", options_.identity);
  next.Set("leaseDurationSeconds", Seconds(options_.duration));
  next.Set("acquireTime", ours && !acquired.empty() ? std::string(acquired) : now);
  next.Set("renewTime", now);
  next.Set("leaseTransitions", NumberIn(spec, "leaseTransitions") + (ours ? 0 : 1));
  return next;
}

void LeaseCandidate::Observe(const codec::Json& object) {
  if (SpecOf(object) != SpecOf(observed_)) observed_at_ = clock_.Steady();
  observed_ = object;
}

bool LeaseCandidate::HeldBySomeoneElse() const {
  const std::string_view holder = HolderOf(observed_);
  if (holder.empty() || holder == options_.identity) return false;
  const std::int64_t seconds =
      std::clamp<std::int64_t>(NumberIn(SpecOf(observed_), "leaseDurationSeconds"), 1, kMaxDurationSeconds);
  return clock_.Steady() - observed_at_ < std::chrono::seconds(seconds);
}

void LeaseCandidate::Release() {
  {
    const std::lock_guard lock(mutex_);
    if (!renewed_at_) return;
    renewed_at_.reset();
  }
  for (int tries = 0; tries < kReleaseTries && HolderOf(observed_) == options_.identity; ++tries) {
    codec::Json next = observed_;
    codec::Json& spec = next.Member("spec");
    const std::string now = FormatTimestampMicro(clock_.Now());
    spec.Set("holderIdentity", "").Set("leaseDurationSeconds", 1).Set("renewTime", now);
    spec.Set("acquireTime", now);
    if (api_.Replace(kLeases, options_.lease, next)) return;
    const auto lease = api_.Get(kLeases, options_.lease);
    if (!lease) break;
    Observe(*lease);
  }
  if (HolderOf(observed_) == options_.identity)
    Log(LogLevel::kWarning, "the lease could not be released; the next leader waits until it runs out",
        {{"lease", options_.lease.ToString()}});
}

}  // namespace portcullis::kube
