#pragma once

#include <map>
#include <memory>

#include "endorsement/contents.h"
#include "evidence/snp/endorsements.h"

namespace portcullis::endorsement {

/// A folder of collateral as of a time, for who verifies offline: the store's layout, or files as PCS serves
/// them, of several issue days. Of each document the one whose window holds the time counts, else the newest:
/// whether it will do is for the appraisal to say, so nothing is left out for not verifying. Immutable,
/// thread-safe.
class Folder final : public snp::EndorsementSource, public tdx::CollateralSource {
 public:
  /// Error: ConfigurationInvalid.
  static Result<std::unique_ptr<Folder>> Read(const std::string& directory, const Anchors& anchors,
                                              WallTime at);

  std::optional<crypto::Certificate> FindVcek(snp::Product product, const snp::ChipId& chip,
                                              const snp::Tcb& tcb) const override;
  std::shared_ptr<const crypto::Crl> FindCrl(snp::Product product) const override;
  /// Null only where there is no TCB info: what else is missing becomes a finding.
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc& fmspc, tdx::PckCa ca,
                                              tdx::EvaluationSet set) const override;

 private:
  struct Chosen {
    Document document;
    Facts facts;
  };

  void Consider(const Claimed& piece, const Contents& contents, const Anchors& anchors, WallTime at);
  const Document* Look(const Id& id) const;

  std::map<std::string, Chosen> chosen_;  // by PathOf()
};

/// The other evaluation set's copy of a document that lies in no set's folder; nullopt for kinds without
/// sets.
std::optional<Claimed> ForEarlySet(const Piece& piece);

}  // namespace portcullis::endorsement
