#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "endorsement/fetcher.h"

namespace portcullis::endorsement {

/// How often one vendor is asked. Vendors throttle, and then whole fleets wait.
struct CourtesyRules {
  std::chrono::seconds between_requests{0};  // on the same subject
  std::chrono::seconds not_found_for{3600};  // an answer "there is none" is believed so long
  std::chrono::seconds default_pause{60};    // 429 or 503 without a Retry-After that can be read
  std::chrono::seconds longest_pause{3600};  // whatever Retry-After says
};

/// Requests to one vendor: a URL that is under way is joined rather than asked again, "not found" is
/// remembered, a subject (a chip) waits its turn, and Retry-After holds back everything. Refuses rather than
/// sleeps. Thread-safe.
class Courtesy {
 public:
  Courtesy(Fetcher& fetcher, const Clock& clock, CourtesyRules rules)
      : fetcher_(fetcher), clock_(clock), rules_(rules) {}

  /// The answer of a 200. Errors: NotFound (404, 410), Overloaded (throttled, or asked too soon), Unreachable
  /// (any other status too), ConfigurationInvalid.
  Result<http::Response> Get(const std::string& url, const std::string& subject);
  /// Until a request on the subject may go out; zero: now.
  std::chrono::seconds WaitFor(const std::string& subject) const;

 private:
  struct Flight {
    bool landed = false;
    std::optional<Result<http::Response>> answer;
  };
  static constexpr std::size_t kMaxRemembered = 4096;

  std::optional<Error> RefusalLocked(const std::string& url, const std::string& subject);
  Result<http::Response> JudgeLocked(const std::string& url, Result<http::Response> answer);
  std::chrono::seconds PauseOf(const http::Response& answer) const;

  Fetcher& fetcher_;
  const Clock& clock_;
  const CourtesyRules rules_;
  mutable std::mutex mutex_;
  std::condition_variable landed_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
  std::map<std::string, SteadyTime> not_found_until_, subject_free_at_;
  SteadyTime vendor_free_at_{};
};

}  // namespace portcullis::endorsement
