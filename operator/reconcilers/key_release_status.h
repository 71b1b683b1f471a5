#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "kube/events.h"

namespace portcullis::control {

/// A release's Secret as it was left: its name while there is one, and what stood in the way of having it
/// written or taken away.
struct SecretState {
  std::string name = {};
  std::optional<Error> obstacle = {};
};

/// The status that a KeyRelease must have, given the broker's release. Pure: nothing but its arguments. What
/// was denied stays Denied when its pod ends: the question is then still why it got no key.
codec::Json StatusFor(const codec::Json& key_release, const codec::Json& release, const SecretState& secret,
                      WallTime now);
/// The same where the broker could not be asked, or has the release for another pod (Conflict).
codec::Json StatusForUnregistered(const codec::Json& key_release, const Error& error, WallTime now);

/// The Events that a change of status deserves, on the pod: Released, Denied or Revoked with code and remedy,
/// and Forbidden or Conflict where someone must act before the pod can have its key. None where nothing new
/// was decided; a release and a denial beside it, seen at once, are two. A key that was never held is not
/// told as revoked.
std::vector<kube::Event> EventsFor(const codec::Json& old_status, const codec::Json& new_status,
                                   const codec::Json& key_release);

}  // namespace portcullis::control
