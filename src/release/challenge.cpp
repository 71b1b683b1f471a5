#include "release/challenge.h"

#include "codec/json.h"
#include "codec/text.h"
#include "crypto/aead.h"

namespace portcullis::release {
namespace {

constexpr std::chrono::minutes kEpoch{10};
constexpr std::size_t kProcessNameBytes = 16;
constexpr std::string_view kChallengePurpose = "portcullis challenge v1";
constexpr std::string_view kSessionPurpose = "portcullis session v1";

std::int64_t EpochOf(WallTime time) { return time.time_since_epoch() / kEpoch; }
std::int64_t MillisOf(WallTime time) { return time.time_since_epoch().count(); }
std::int64_t SteadyMillis(SteadyTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}
WallTime TimeOf(std::int64_t millis) { return WallTime(std::chrono::milliseconds(millis)); }

}  // namespace

bool Challenge::IsPast(std::chrono::milliseconds lifetime, const Clock& clock) const {
  const WallTime now = clock.Now();
  if (now > issued + lifetime || now + kClockSkewBound < issued) return true;
  // Were the wall clock set back, a challenge whose record was collected would be in time again.
  return issued_here && clock.Steady() - *issued_here > lifetime;
}

ChallengeSealer::ChallengeSealer(const keystore::Kek& kek, const Clock& clock, Random& random)
    : kek_(kek), clock_(clock), random_(random) {
  ByteBuffer name(kProcessNameBytes);
  random_.Fill(name);
  process_ = codec::EncodeBase64Url(name);
}

std::shared_ptr<const SecretBytes> ChallengeSealer::KeyOf(std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  EpochKey& place = keys_[static_cast<std::uint64_t>(epoch) % keys_.size()];  // neighbours never share one
  if (!place.key || place.epoch != epoch)
    place = {epoch, std::make_shared<const SecretBytes>(
                        kek_.Derive("portcullis challenge epoch " + std::to_string(epoch)))};
  return place.key;
}

std::string ChallengeSealer::SealText(std::string_view purpose, std::string_view text) const {
  const auto key = KeyOf(EpochOf(clock_.Now()));
  return codec::EncodeBase64Url(crypto::SealAes256Gcm(*key, AsBytes(text), AsBytes(purpose), random_));
}

Result<std::string> ChallengeSealer::OpenText(std::string_view purpose, std::string_view cookie) const {
  const Error unknown{ReasonCode::kChallengeUnknown,
                      "the session cookie was not issued here, is altered or is too old"};
  if (cookie.empty() || cookie.size() > kMaxCookieBytes) return unknown;
  const auto sealed = codec::DecodeBase64Url(cookie);
  if (!sealed) return unknown;
  const std::int64_t now = EpochOf(clock_.Now());
  for (const std::int64_t epoch : {now, now - 1}) {
    const auto opened = crypto::OpenAes256Gcm(*KeyOf(epoch), *sealed, AsBytes(purpose));
    if (opened) return opened->Expose([](Bytes bytes) { return ToText(bytes); });
  }
  return unknown;
}

Challenge ChallengeSealer::New(std::string tee, std::string release_id) const {
  Challenge challenge{ByteBuffer(kNonceBytes), std::move(tee), std::move(release_id), clock_.Now(), {},
                      clock_.Steady()};
  challenge.expires = challenge.issued + kChallengeLifetime;
  random_.Fill(challenge.nonce);
  return challenge;
}

std::string ChallengeSealer::Seal(const Challenge& challenge) const {
  return SealText(kChallengePurpose,
                  codec::ToText(codec::Json::Object(
                      {{"n", codec::EncodeBase64Url(challenge.nonce)},
                       {"t", challenge.tee},
                       {"r", challenge.release_id},
                       {"i", MillisOf(challenge.issued)},
                       {"e", MillisOf(challenge.expires)},
                       {"p", process_},
                       {"s", SteadyMillis(challenge.issued_here.value_or(clock_.Steady()))}})));
}

Result<Challenge> ChallengeSealer::Open(std::string_view cookie) const {
  const std::string text = TRY(OpenText(kChallengePurpose, cookie));
  // Authenticated: we wrote it, so a defect below is a bug of ours, still answered as unknown.
  const codec::Json value = TRY(codec::ParseJson(text));
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(value, ReasonCode::kChallengeUnknown));
  Challenge challenge;
  challenge.nonce = TRY(codec::DecodeBase64Url(TRY(in.Text("n"))));
  challenge.tee = TRY(in.Text("t"));
  challenge.release_id = TRY(in.Text("r"));
  challenge.issued = TimeOf(TRY(in.Integer("i", 0, INT64_MAX)));
  challenge.expires = TimeOf(TRY(in.Integer("e", 0, INT64_MAX)));
  const std::int64_t issued_here = TRY(in.Integer("s", INT64_MIN, INT64_MAX));
  if (TRY(in.Text("p")) == process_)
    challenge.issued_here = SteadyTime(std::chrono::milliseconds(issued_here));
  if (challenge.IsPast(challenge.expires - challenge.issued, clock_))
    return Error{ReasonCode::kChallengeExpired, "the challenge is past its lifetime"};
  return challenge;
}

std::string ChallengeSealer::SealSession(const Session& session) const {
  return SealText(kSessionPurpose, codec::ToText(codec::Json::Object({{"r", session.release_id},
                                                                      {"d", session.evidence_digest},
                                                                      {"e", MillisOf(session.expires)}})));
}

Result<Session> ChallengeSealer::OpenSession(std::string_view cookie) const {
  const std::string text = TRY(OpenText(kSessionPurpose, cookie));
  const codec::Json value = TRY(codec::ParseJson(text));
  codec::ObjectReader in = TRY(codec::ObjectReader::Open(value, ReasonCode::kChallengeUnknown));
  Session session;
  session.release_id = TRY(in.Text("r"));
  session.evidence_digest = TRY(in.Text("d"));
  session.expires = TimeOf(TRY(in.Integer("e", 0, INT64_MAX)));
  if (clock_.Now() > session.expires)
    return Error{ReasonCode::kChallengeExpired, "the session is past its lifetime"};
  return session;
}

}  // namespace portcullis::release
