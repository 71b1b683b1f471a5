#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "keystore/keystore.h"

namespace portcullis::release {

inline constexpr std::chrono::seconds kChallengeLifetime{60};
/// How far clocks of guests, replicas and records may disagree; used-challenge records outlive it twice.
inline constexpr std::chrono::minutes kClockSkewBound{5};
inline constexpr std::size_t kNonceBytes = 32;
inline constexpr std::size_t kMaxCookieBytes = 1024;

/// What /auth hands out and /attest opens again. The broker stores nothing for it.
struct Challenge {
  ByteBuffer nonce;        // 32 random bytes
  std::string tee;         // "snp"
  std::string release_id;  // as asked for; "" where the client did not say
  WallTime issued, expires;
  /// When this very process issued it, by a clock that nobody can set; nullopt for another process's.
  std::optional<SteadyTime> issued_here = {};

  /// Whether more than `lifetime` has gone by, or the clock went back so far that nobody can say.
  bool IsPast(std::chrono::milliseconds lifetime, const Clock& clock) const;
};

/// What a cookie holds after a successful attestation: it points at the release, as the bearer token does.
struct Session {
  std::string release_id, evidence_digest;
  WallTime expires;
};

/// AES-256-GCM-sealed cookies under keys derived from the KEK by epoch of ten minutes; the current and the
/// last are accepted, so that a leaked derived key ages out and replicas need share nothing but the KEK.
/// Thread-safe.
class ChallengeSealer {
 public:
  ChallengeSealer(const keystore::Kek& kek, const Clock& clock, Random& random);

  Challenge New(std::string tee, std::string release_id) const;
  std::string Seal(const Challenge& challenge) const;
  /// Errors: ChallengeUnknown (not ours, altered, an older epoch), ChallengeExpired.
  Result<Challenge> Open(std::string_view cookie) const;

  std::string SealSession(const Session& session) const;
  Result<Session> OpenSession(std::string_view cookie) const;

 private:
  std::string SealText(std::string_view purpose, std::string_view text) const;
  Result<std::string> OpenText(std::string_view purpose, std::string_view cookie) const;
  /// Derived once an epoch; a key is wiped when a later epoch's takes its place.
  std::shared_ptr<const SecretBytes> KeyOf(std::int64_t epoch) const;

  keystore::Kek kek_;
  const Clock& clock_;
  Random& random_;
  std::string process_;  // random: tells our own steady times from those of another process
  struct EpochKey {
    std::int64_t epoch;
    std::shared_ptr<const SecretBytes> key;
  };
  mutable std::mutex mutex_;
  mutable std::array<EpochKey, 2> keys_{};  // the current epoch's and the last one's, in either order
};

}  // namespace portcullis::release
