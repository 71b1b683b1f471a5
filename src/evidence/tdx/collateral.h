#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/certificate.h"
#include "evidence/tdx/reference_values.h"

namespace portcullis::tdx {

/// The CA that certified a platform's PCK; Xeon platforms with several sockets have the Platform CA.
enum class PckCa : std::uint8_t { kProcessor, kPlatform };
std::string_view NameOf(PckCa ca);  // "processor", "platform": as in the PCS query

/// What Intel's PCS (API v4) serves for one FMSPC and CA, byte for byte: signatures are over these bytes.
struct CollateralBytes {
  ByteBuffer tcb_info, qe_identity;               // response bodies, JSON
  std::string tcb_info_chain, qe_identity_chain;  // PEM, signing certificate then root
  ByteBuffer pck_crl, root_crl;                   // DER
  // PEM, PCK CA then root. Storing needs it (collateral_gate.h); an appraisal takes the CA from the quote.
  std::string pck_crl_chain = {};
};

/// The same, parsed and with its signatures looked at once. What is wrong with it becomes findings of the
/// appraisal that rests on it, so making one can't fail. Immutable, thread-safe, shared between appraisals.
class Collateral {
 public:
  static std::shared_ptr<const Collateral> Of(CollateralBytes bytes);
  const CollateralBytes& bytes() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }
  explicit Collateral(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Where an appraisal finds collateral: memory or disk, never the network. Thread-safe.
class CollateralSource {
 public:
  virtual ~CollateralSource() = default;
  /// Null where there is none.
  virtual std::shared_ptr<const Collateral> Find(const Fmspc& fmspc, PckCa ca, EvaluationSet set) const = 0;
};

}  // namespace portcullis::tdx
