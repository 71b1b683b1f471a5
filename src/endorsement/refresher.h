#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/random.h"
#include "endorsement/kds_client.h"
#include "endorsement/pcs_client.h"
#include "endorsement/store.h"
#include "metrics/metrics.h"

namespace portcullis::endorsement {

/// The vendors that may be asked; null: none, as on a site without a way out.
struct Vendors {
  KdsClient* kds;
  PcsClient* pcs;
};

/// Fetches one document, whoever's it is. `store` gives the chain for Intel's root list.
/// Errors: those of the clients; EndorsementMissing where its vendor may not be asked, or the chain must come
/// first.
Result<Document> FetchFrom(const Vendors& vendors, const Store& store, const Id& id);

/// Keeps a broker's store fresh, off the path of every request: what every appraisal needs is there ahead,
/// what a lookup missed is fetched once (the pod asks again), each document is renewed at about half of its
/// window, and the alarm is raised well before one ends. Also takes in what others put into the directory.
class Refresher {
 public:
  static constexpr std::chrono::seconds kStep{5};              // between looks
  static constexpr std::chrono::seconds kRetryAfter{300};      // a fetch that failed
  static constexpr std::chrono::seconds kReloadEvery{60};      // the directory
  static constexpr std::chrono::hours kAlarmBefore{7 * 24};    // of the end of a window
  static constexpr std::chrono::hours kForgetMissedAfter{24};  // what nobody could provide
  static constexpr std::chrono::seconds kRetryNotFound{3660};  // once, later than its answer is believed
  // Chips are named by evidence that is not verified yet: a flood of made-up ones must not keep Intel's
  // documents or revocation lists waiting, nor make us a burden to AMD.
  static constexpr std::size_t kMaxVceksPerStep = 4, kMaxOthersPerStep = 12;

  Refresher(Store& store, Vendors vendors, const Clock& clock, Random& random, metrics::Metrics& metrics);
  ~Refresher();  // as Stop()

  /// One look: reload, fetch what is due, metrics. Called by the thread, and by tests in its place.
  void Step();
  void Start();
  void Stop();

 private:
  struct Task {
    Id id;
    SteadyTime due;
    std::optional<SteadyTime> forget_at;  // of what a lookup missed, until it was fetched
    bool was_not_found = false;
  };

  void ReloadIfDue();
  void AdmitMissed();
  void FetchDue();
  /// False where the task is over.
  bool Fetch(Task& task);
  bool PlanAfter(const Error& error, Task& task);
  bool PlanRenewal(Task& task);
  void Publish();
  SteadyTime RenewalOf(const Facts& facts);

  Store& store_;
  const Vendors vendors_;
  const Clock& clock_;
  Random& random_;
  metrics::Metrics& metrics_;
  std::map<std::string, Task> tasks_;
  SteadyTime reload_at_{};
  std::set<std::string> alarmed_;

  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace portcullis::endorsement
