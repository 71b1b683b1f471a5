#pragma once

#include "base/clock.h"
#include "crypto/der.h"

namespace portcullis::crypto {

/// The next element as the UTCTime or GeneralizedTime of RFC 5280 4.1.2.5: seconds given, Z, no fraction.
/// Error: EvidenceMalformed.
Result<WallTime> TakeDerTime(DerReader& in);

/// Whether the next element has the tag of a time.
bool IsDerTimeNext(const DerReader& in);

}  // namespace portcullis::crypto
