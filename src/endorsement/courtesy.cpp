#include "endorsement/courtesy.h"

#include <algorithm>
#include <charconv>

namespace portcullis::endorsement {
namespace {

using std::chrono::seconds;

void ForgetPast(std::map<std::string, SteadyTime>& times, SteadyTime now) {
  std::erase_if(times, [now](const auto& entry) { return entry.second <= now; });
}

std::optional<SteadyTime> TimeOf(const std::map<std::string, SteadyTime>& times, const std::string& key) {
  const auto found = times.find(key);
  return found == times.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

seconds Courtesy::WaitFor(const std::string& subject) const {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.Steady();
  const SteadyTime free_at = std::max(vendor_free_at_, TimeOf(subject_free_at_, subject).value_or(now));
  return free_at <= now ? seconds(0) : std::chrono::ceil<seconds>(free_at - now);
}

std::optional<Error> Courtesy::RefusalLocked(const std::string& url, const std::string& subject) {
  const SteadyTime now = clock_.Steady();
  ForgetPast(not_found_until_, now);
  ForgetPast(subject_free_at_, now);
  if (not_found_until_.contains(url))
    return Error{ReasonCode::kNotFound, "the vendor has said that there is none"};
  if (now < vendor_free_at_) return Error{ReasonCode::kOverloaded, "the vendor has asked for a pause"};
  if (subject_free_at_.contains(subject))
    return Error{ReasonCode::kOverloaded, "the vendor was asked about this a moment ago"};
  if (subject_free_at_.size() >= kMaxRemembered || not_found_until_.size() >= kMaxRemembered)
    return Error{ReasonCode::kOverloaded, "too much was asked of the vendor"};
  return std::nullopt;
}

seconds Courtesy::PauseOf(const http::Response& answer) const {
  seconds pause = rules_.default_pause;
  // The form in seconds; a date is as good as none.
  if (const std::string* said = answer.headers.Find("Retry-After")) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(said->data(), said->data() + said->size(), count);
    if (error == std::errc() && end == said->data() + said->size()) pause = seconds(count);
  }
  return std::clamp(pause, seconds(1), rules_.longest_pause);
}

Result<http::Response> Courtesy::JudgeLocked(const std::string& url, Result<http::Response> answer) {
  if (!answer) return answer;
  const SteadyTime now = clock_.Steady();
  switch (answer->status) {
    case 200:
      return answer;
    case 404:
    case 410:  // an evaluation number that was retired
      not_found_until_[url] = now + rules_.not_found_for;
      return Error{ReasonCode::kNotFound, "the vendor says that there is none"};
    case 429:
    case 503:
      vendor_free_at_ = now + PauseOf(*answer);
      return Error{ReasonCode::kOverloaded, "the vendor asks for a pause"};
    default:
      return Error{ReasonCode::kUnreachable, "the vendor's answer is of no use",
                   "status " + std::to_string(answer->status)};
  }
}

Result<http::Response> Courtesy::Get(const std::string& url, const std::string& subject) {
  std::unique_lock lock(mutex_);
  if (const auto under_way = flights_.find(url); under_way != flights_.end()) {
    const std::shared_ptr<Flight> flight = under_way->second;
    landed_.wait(lock, [&] { return flight->landed; });
    return *flight->answer;
  }
  if (auto refusal = RefusalLocked(url, subject)) return *std::move(refusal);
  const auto flight = std::make_shared<Flight>();
  flights_[url] = flight;
  if (rules_.between_requests > seconds(0))
    subject_free_at_[subject] = clock_.Steady() + rules_.between_requests;

  lock.unlock();
  Result<http::Response> answer = fetcher_.Get(url);
  lock.lock();
  flight->answer = JudgeLocked(url, std::move(answer));
  flight->landed = true;
  flights_.erase(url);
  landed_.notify_all();
  return *flight->answer;
}

}  // namespace portcullis::endorsement
