#pragma once

#include <map>

#include "evidence/snp/endorsements.h"
#include "tests/lab/snp_lab.h"

namespace portcullis::lab {

/// The lab's revocation lists as a source of endorsements: empty ones of an hour before `now`, in force for a
/// year. No certificates: the lab's come along with the report.
class LabLists : public snp::EndorsementSource {
 public:
  LabLists(const LabPki& pki, WallTime now) {
    for (const snp::Product product : {snp::Product::kMilan, snp::Product::kGenoa, snp::Product::kTurin})
      lists_[product] = std::make_shared<const crypto::Crl>(
          pki.CrlOf(product, {}, now - std::chrono::hours(1), now + std::chrono::hours(24 * 365)));
  }
  std::optional<crypto::Certificate> FindVcek(snp::Product, const snp::ChipId&,
                                              const snp::Tcb&) const override {
    return std::nullopt;
  }
  std::shared_ptr<const crypto::Crl> FindCrl(snp::Product product) const override {
    const auto found = lists_.find(product);
    return found == lists_.end() ? nullptr : found->second;
  }

 private:
  std::map<snp::Product, std::shared_ptr<const crypto::Crl>> lists_;
};

}  // namespace portcullis::lab
