#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "kube/backoff.h"
#include "kube/event_pace.h"
#include "kube/kube.h"

namespace portcullis::kube {

enum class EventType : std::uint8_t { kNormal, kWarning };

/// What happened to which object. Longer texts are cut: reason and action at 128 bytes, note at 1 KiB.
struct Event {
  Resource resource;
  ObjectKey object;
  std::string uid;
  EventType type;
  std::string reason;  // "Released", or NameOf(ReasonCode)
  std::string action;  // "ReleaseKey"
  std::string note;    // "MeasurementNotAllowed: …": what is before the colon tells series apart
};

/// Writes Events (events.k8s.io/v1), one after the other, on the caller's thread. For one thread.
class EventWriter {
 public:
  /// `controller` is a qualified name ("portcullis.dev/controller"), `instance` the pod's name.
  EventWriter(Api& api, std::string controller, std::string instance, const Clock& clock,
              metrics::Metrics& metrics, Wait wait, Jitter jitter);

  /// Writes, counts or drops. Waits at most some seconds where the API server can't be reached.
  void Write(const Event& event, const std::atomic<bool>& stop);

 private:
  Result<> Create(const Event& event, const EventPace::SeriesKey& key, std::int64_t count);
  Result<> Update(const Event& event, const EventPace::SeriesKey& key, std::int64_t count);
  codec::Json ToJson(const Event& event, const std::string& name, std::int64_t count) const;
  codec::Json SeriesJson(std::int64_t count) const;
  std::string NewName(const Event& event);

  Api& api_;
  const std::string controller_, instance_;
  const Clock& clock_;
  metrics::Metrics& metrics_;
  const Wait wait_;
  const Jitter jitter_;
  EventPace pace_;
  std::uint32_t next_name_;
};

/// Takes Events without ever making the caller wait: a bounded queue and a thread of its own; when the queue
/// is full the Event is dropped and counted. Events tell people; the audit log is what proves. Thread-safe.
class EventRecorder {
 public:
  EventRecorder(Api& api, std::string controller, std::string instance, const Clock& clock,
                metrics::Metrics& metrics, Wait wait = WaitUnlessStopped, Jitter jitter = RandomFraction);
  ~EventRecorder();  // drops what still waits
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  void Emit(Event event);

 private:
  void Run();

  metrics::Metrics& metrics_;
  EventWriter writer_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> waiting_;
  std::thread thread_;
};

}  // namespace portcullis::kube
