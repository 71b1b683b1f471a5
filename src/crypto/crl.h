#pragma once

#include <memory>

#include "crypto/certificate.h"

namespace portcullis::crypto {

inline constexpr std::size_t kMaxCrlBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kMaxCrlEntries = 65536;

/// A certificate revocation list (RFC 5280 section 5) as received: well formed, not believed. Refused at
/// parsing: anything but DER of version 2, trailing bytes, a missing nextUpdate, one that is not after
/// thisUpdate, a critical extension (a delta or partial list above all), inner and outer algorithm that
/// differ. Immutable, thread-safe, cheap to copy.
class Crl {
 public:
  /// Error: EvidenceMalformed.
  static Result<Crl> Parse(Bytes der);

  Bytes der() const;
  Sha256Digest fingerprint() const;        // of the DER
  std::string issuer_common_name() const;  // "" unless there is exactly one, printable ASCII
  WallTime this_update() const;
  WallTime next_update() const;
  bool CurrentAt(WallTime time) const { return this_update() <= time && time <= next_update(); }
  std::size_t size() const;  // entries
  /// Whether the issuer name is `authority`'s subject, byte for byte.
  bool IsIssuedBy(const Certificate& authority) const;
  /// Whether the serial number of `certificate` is listed. Its issuer must be looked at beside: a number
  /// means nothing under another authority.
  bool Lists(const Certificate& certificate) const;

  /// As those of Certificate; both demand IsIssuedBy.
  bool IsSignedBy_RsaPssSha384(const Certificate& issuer) const;
  bool IsSignedBy_Ecdsa(const Certificate& issuer) const;

  struct Impl;
  explicit Crl(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace portcullis::crypto
