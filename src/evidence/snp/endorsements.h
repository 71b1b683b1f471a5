#pragma once

#include <memory>
#include <optional>

#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "evidence/snp/report.h"

namespace portcullis::snp {

/// What vouches for a report beside what came along with it: memory or disk, never the network. Thread-safe.
class EndorsementSource {
 public:
  virtual ~EndorsementSource() = default;
  /// The VCEK of this chip for this TCB; nullopt where there is none. It is verified like one that came
  /// along.
  virtual std::optional<crypto::Certificate> FindVcek(Product product, const ChipId& chip,
                                                      const Tcb& tcb) const = 0;
  /// AMD's revocation list of the product's ARK; null where there is none.
  virtual std::shared_ptr<const crypto::Crl> FindCrl(Product product) const = 0;
};

}  // namespace portcullis::snp
