#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "kube/events.h"

namespace portcullis::control {

/// The status that a KeyRelease must have, given the broker's release. Pure: nothing but its arguments.
/// `secret_name` is "" where there is no Secret.
codec::Json StatusFor(const codec::Json& key_release, const codec::Json& release,
                      const std::string& secret_name, WallTime now);
/// The same where the broker could not be asked.
codec::Json StatusForUnregistered(const codec::Json& key_release, const Error& error, WallTime now);

/// The Events that a change of status deserves, on the pod: Released, Denied or Revoked with code and remedy.
/// None where nothing new was decided; a release and a denial beside it, seen at once, are two.
std::vector<kube::Event> EventsFor(const codec::Json& old_status, const codec::Json& new_status,
                                   const codec::Json& key_release);

}  // namespace portcullis::control
