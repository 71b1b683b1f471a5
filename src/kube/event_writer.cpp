#include <cstdio>

#include "base/log.h"
#include "kube/events.h"
#include "kube/objects.h"
#include "kube/status.h"

namespace portcullis::kube {
namespace {

constexpr std::size_t kMaxNote = 1024;  // limits of the API
constexpr std::size_t kMaxShortText = 128;
constexpr std::size_t kMaxNamePrefix = 200;  // of 253; the rest is a dot and digits
constexpr std::uint32_t kNames = 0x10000;
constexpr unsigned kMaxTries = 3;
constexpr BackoffShape kBackoff{std::chrono::seconds(1), 2.0, 0.5, std::chrono::seconds(5)};

// The API wants the Event beside its object; objects of the cluster have theirs in "default".
std::string NamespaceOf(const Event& event) {
  return event.object.namespace_name.empty() ? "default" : event.object.namespace_name;
}

// A note that begins with a code ("DebugEnabled: …") is of that code's series: an update can't change the
// note, which would go on telling the first one's.
EventPace::SeriesKey SeriesOf(const Event& event) {
  const std::size_t end = event.note.find(':');
  return {event.uid, event.reason, event.action,
          end == std::string::npos ? "" : CutText(event.note.substr(0, end), kMaxShortText)};
}

bool IsWorthAnotherTry(const Error& error) {
  return error.code == ReasonCode::kUnreachable || error.code == ReasonCode::kOverloaded;
}

}  // namespace

EventWriter::EventWriter(Api& api, std::string controller, std::string instance, const Clock& clock,
                         metrics::Metrics& metrics, Wait wait, Jitter jitter)
    : api_(api),
      controller_(std::move(controller)),
      instance_(CutText(instance, kMaxShortText)),
      clock_(clock),
      metrics_(metrics),
      wait_(std::move(wait)),
      jitter_(std::move(jitter)),
      next_name_(static_cast<std::uint32_t>(jitter_() * kNames)) {}

void EventWriter::Write(const Event& event, const std::atomic<bool>& stop) {
  const EventPace::SeriesKey key = SeriesOf(event);
  const EventPace::Plan plan = pace_.Next(key, clock_.Steady());
  if (plan.step == EventPace::Step::kCountOnly) return;
  if (plan.step == EventPace::Step::kOverBudget) return metrics_.EventDropped();

  for (unsigned tries = 1;; ++tries) {
    const auto written = plan.step == EventPace::Step::kCreate ? Create(event, key, plan.count)
                                                               : Update(event, key, plan.count);
    if (written) return;
    if (tries == kMaxTries || stop || !IsWorthAnotherTry(written.error())) {
      Log(LogLevel::kWarning, "an Event could not be written", {{"error", written.error().ToString()}});
      return metrics_.EventDropped();
    }
    wait_(DelayAfter(kBackoff, tries, jitter_), stop);
  }
}

Result<> EventWriter::Create(const Event& event, const EventPace::SeriesKey& key, std::int64_t count) {
  const std::string name = NewName(event);
  TRY(api_.Create(kEvents, NamespaceOf(event), ToJson(event, name, count)));
  pace_.SetEventName(key, name, clock_.Steady());
  return Done{};
}

Result<> EventWriter::Update(const Event& event, const EventPace::SeriesKey& key, std::int64_t count) {
  const ObjectKey written{NamespaceOf(event), pace_.EventName(key, clock_.Steady())};
  const codec::Json patch = codec::Json::Object({{"series", SeriesJson(count)}});
  const auto patched = api_.Patch(kEvents, written, "", PatchType::kMerge, patch);
  if (patched) return Done{};
  if (patched.error().code != ReasonCode::kNotFound) return patched.error();
  // The API server drops Events after an hour.
  return Create(event, key, count);
}

codec::Json EventWriter::ToJson(const Event& event, const std::string& name, std::int64_t count) const {
  codec::Json regarding = codec::Json::Object({{"apiVersion", ApiVersionOf(event.resource)},
                                               {"kind", event.resource.kind},
                                               {"name", event.object.name},
                                               {"uid", event.uid}});
  if (!event.object.namespace_name.empty()) regarding.Set("namespace", event.object.namespace_name);
  codec::Json out = NewObject(kEvents, {NamespaceOf(event), name});
  out.Set("eventTime", FormatTimestampMicro(clock_.Now()))
      .Set("reportingController", controller_)
      .Set("reportingInstance", instance_)
      .Set("action", CutText(event.action, kMaxShortText))
      .Set("reason", CutText(event.reason, kMaxShortText))
      .Set("regarding", std::move(regarding))
      .Set("note", CutText(event.note, kMaxNote))
      .Set("type", event.type == EventType::kNormal ? "Normal" : "Warning");
  if (count > 1) out.Set("series", SeriesJson(count));  // the API refuses a series of one
  return out;
}

codec::Json EventWriter::SeriesJson(std::int64_t count) const {
  return codec::Json::Object({{"count", count}, {"lastObservedTime", FormatTimestampMicro(clock_.Now())}});
}

// Sorted by time. Within a millisecond the count tells names apart, and where it started tells writers apart.
std::string EventWriter::NewName(const Event& event) {
  char suffix[32];
  std::snprintf(suffix, sizeof suffix, ".%012llx%04x",
                static_cast<unsigned long long>(clock_.Now().time_since_epoch().count()),
                static_cast<unsigned>(next_name_++ % kNames));
  return CutText(event.object.name, kMaxNamePrefix) + suffix;
}

}  // namespace portcullis::kube
