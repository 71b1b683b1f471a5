#include "endorsement/refresher.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"

namespace portcullis::endorsement {
namespace {

using std::chrono::milliseconds;

constexpr std::array kProducts = {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin};
constexpr std::array kSets = {tdx::EvaluationSet::kStandard, tdx::EvaluationSet::kEarly};

/// What appraisals need whatever machine they meet. Revocation lists come before the root's, whose chain
/// they bring.
std::vector<Id> AlwaysWanted(const Vendors& vendors) {
  std::vector<Id> wanted;
  if (vendors.kds != nullptr)
    for (const snp::Product product : kProducts) wanted.emplace_back(AmdCrlId{product});
  if (vendors.pcs == nullptr) return wanted;
  wanted.emplace_back(PckCrlId{tdx::PckCa::kPlatform});
  wanted.emplace_back(PckCrlId{tdx::PckCa::kProcessor});
  wanted.emplace_back(RootCrlId{});
  for (const tdx::EvaluationSet set : kSets) wanted.emplace_back(QeIdentityId{set});
  return wanted;
}

std::string_view OutcomeOf(const Error& error) {
  switch (error.code) {
    case ReasonCode::kNotFound:
      return "not_found";
    case ReasonCode::kOverloaded:
      return "throttled";
    case ReasonCode::kUnreachable:
    case ReasonCode::kConfigurationInvalid:
    case ReasonCode::kEndorsementMissing:
      return "unreachable";
    default:
      return "refused";
  }
}

std::int64_t UnixSeconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

template <typename Wanted>
const Wanted* As(const Id& id) {
  return std::get_if<Wanted>(&id);
}

}  // namespace

Result<Document> FetchFrom(const Vendors& vendors, const Store& store, const Id& id) {
  if (!IsIntel(id)) {
    if (vendors.kds == nullptr) return Error{ReasonCode::kEndorsementMissing, "AMD's service is not asked"};
    if (const auto* vcek = As<VcekId>(id)) return vendors.kds->FetchVcek(*vcek);
    return vendors.kds->FetchCrl(std::get<AmdCrlId>(id));
  }
  if (vendors.pcs == nullptr) return Error{ReasonCode::kEndorsementMissing, "Intel's service is not asked"};
  if (const auto* info = As<TcbInfoId>(id)) return vendors.pcs->FetchTcbInfo(*info);
  if (const auto* qe = As<QeIdentityId>(id)) return vendors.pcs->FetchQeIdentity(*qe);
  if (const auto* crl = As<PckCrlId>(id)) return vendors.pcs->FetchPckCrl(*crl);
  for (const auto& listed : store.List())
    if (!listed->document.chain.empty()) return vendors.pcs->FetchRootCrl(listed->document.chain);
  return Error{ReasonCode::kEndorsementMissing, "a document with an issuer chain must come first"};
}

Refresher::Refresher(Store& store, Vendors vendors, const Clock& clock, Random& random,
                     metrics::Metrics& metrics)
    : store_(store), vendors_(vendors), clock_(clock), random_(random), metrics_(metrics) {
  for (const Id& id : AlwaysWanted(vendors_))
    tasks_.emplace(PathOf(id), Task{id, clock_.Steady(), std::nullopt});
}

Refresher::~Refresher() { Stop(); }

void Refresher::Step() {
  ReloadIfDue();
  AdmitMissed();
  FetchDue();
  Publish();
}

void Refresher::ReloadIfDue() {
  if (clock_.Steady() < reload_at_) return;
  reload_at_ = clock_.Steady() + kReloadEvery;
  if (const auto reloaded = store_.Reload(); !reloaded)
    Log(LogLevel::kWarning, "the collateral directory can't be read",
        {{"error", reloaded.error().ToString()}});
  // Whatever is in the store is kept fresh, however it came there.
  for (const auto& listed : store_.List()) {
    const Id& id = listed->document.id;
    if ((IsIntel(id) ? vendors_.pcs != nullptr : vendors_.kds != nullptr))
      tasks_.try_emplace(PathOf(id), Task{id, RenewalOf(listed->facts), std::nullopt});
  }
}

void Refresher::AdmitMissed() {
  const SteadyTime now = clock_.Steady();
  for (const Id& id : store_.TakeMissed()) {
    if (IsIntel(id) ? vendors_.pcs == nullptr : vendors_.kds == nullptr) continue;
    if (tasks_.size() >= Store::kMaxMissed + Store::kMaxDocuments) return;
    tasks_.try_emplace(PathOf(id), Task{id, now, now + kForgetMissedAfter});
  }
}

void Refresher::FetchDue() {
  const SteadyTime now = clock_.Steady();
  std::size_t vceks = 0, others = 0;
  for (auto at = tasks_.begin(); at != tasks_.end();) {
    Task& task = at->second;
    const bool is_vcek = As<VcekId>(task.id) != nullptr;
    std::size_t& count = is_vcek ? vceks : others;
    if (task.due > now || count >= (is_vcek ? kMaxVceksPerStep : kMaxOthersPerStep)) {
      ++at;
      continue;
    }
    ++count;
    at = Fetch(task) ? std::next(at) : tasks_.erase(at);
  }
}

bool Refresher::Fetch(Task& task) {
  const auto document = FetchFrom(vendors_, store_, task.id);
  const auto installed = document ? store_.Install(*document) : Result<Store::Installed>(document.error());
  const std::string_view kind = KindOf(task.id);
  if (installed) {
    const bool unchanged = *installed == Store::Installed::kUnchanged;
    metrics_.CollateralFetch(kind, unchanged ? "unchanged" : "installed");
    return PlanRenewal(task);
  }
  metrics_.CollateralFetch(kind, OutcomeOf(installed.error()));
  Log(LogLevel::kWarning, "collateral can't be fetched",
      {{"document", PathOf(task.id)}, {"error", installed.error().ToString()}});
  return PlanAfter(installed.error(), task);
}

bool Refresher::PlanAfter(const Error& error, Task& task) {
  const SteadyTime now = clock_.Steady();
  if (error.code == ReasonCode::kNotFound) {
    // Services lag behind a TCB update; once more, then whoever still needs it has to miss it again.
    task.due = now + kRetryNotFound;
    return !task.forget_at || !std::exchange(task.was_not_found, true);
  }
  task.due = now + kRetryAfter;
  // Two TCBs of one chip, as after an update: the second waits only for its turn.
  if (const auto* vcek = As<VcekId>(task.id))
    if (const auto wait = vendors_.kds->WaitFor(*vcek);
        error.code == ReasonCode::kOverloaded && wait <= KdsClient::kBetweenRequests)
      task.due = now + wait;
  return !task.forget_at || now < *task.forget_at;
}

bool Refresher::PlanRenewal(Task& task) {
  if (As<VcekId>(task.id) != nullptr) return false;  // good for years, and superseded by TCB
  const auto kept = store_.Get(task.id);
  const SteadyTime soonest = clock_.Steady() + kRetryAfter;
  task.due = kept != nullptr ? std::max(RenewalOf(kept->facts), soonest) : soonest;
  task.forget_at.reset();
  return true;
}

/// Half of the window, give or take a tenth, so that brokers started together don't ask together.
SteadyTime Refresher::RenewalOf(const Facts& facts) {
  const milliseconds window = facts.expires - facts.issued;
  std::array<std::byte, 2> drawn{};
  random_.Fill(drawn);
  const int part = std::to_integer<int>(drawn[0]) * 256 + std::to_integer<int>(drawn[1]);
  const milliseconds jitter = window / 10 * (part - 32768) / 32768;
  const milliseconds until = facts.issued + window / 2 + jitter - clock_.Now();
  return clock_.Steady() + std::max(until, milliseconds(0));
}

void Refresher::Publish() {
  std::map<std::string_view, WallTime> first_end;
  for (const auto& listed : store_.List()) {
    const std::string_view kind = KindOf(listed->document.id);
    const auto [at, added] = first_end.try_emplace(kind, listed->facts.expires);
    if (!added) at->second = std::min(at->second, listed->facts.expires);
    if (const auto* qe = As<QeIdentityId>(listed->document.id))
      metrics_.CollateralEvaluationNumber(NameOf(qe->set), *listed->facts.evaluation_number);
    const std::string path = PathOf(listed->document.id);
    if (listed->facts.expires - clock_.Now() > kAlarmBefore) {
      alarmed_.erase(path);
      continue;
    }
    if (alarmed_.insert(path).second)
      Log(LogLevel::kError, "collateral ends soon and was not renewed",
          {{"document", path}, {"until", FormatTimestamp(listed->facts.expires)}});
  }
  for (const auto& [kind, end] : first_end) metrics_.CollateralExpiry(kind, UnixSeconds(end));
}

void Refresher::Start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      Step();
      lock.lock();
      stopped_.wait_for(lock, kStep, [this] { return stopping_; });
    }
  });
}

void Refresher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace portcullis::endorsement
