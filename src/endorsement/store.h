#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "endorsement/contents.h"
#include "endorsement/gate.h"
#include "evidence/snp/endorsements.h"

namespace portcullis::endorsement {

/// A directory of verified collateral with an index in memory; the layout is PathOf()'s, and files in any
/// other place are read too. Every document passed the gate before it was written and passes it again when it
/// is read. What has aged is still handed out: the appraisal refuses it and says so. Lookups never wait for
/// the network; what they miss is noted for whoever fetches. Thread-safe.
class Store final : public snp::EndorsementSource, public tdx::CollateralSource {
 public:
  static constexpr std::size_t kMaxVceks = 50'000;     // 4 KiB of disk each
  static constexpr std::size_t kMaxLeaves = 4'096;     // parsed, in memory; about 8 KiB each
  static constexpr std::size_t kMaxDocuments = 2'048;  // of the other kinds: FMSPCs are some dozens
  static constexpr std::size_t kMaxMissed = 1'024;

  /// `anchors` and `clock` must outlive it. An empty or absent directory is an empty store.
  /// Error: ConfigurationInvalid.
  static Result<std::unique_ptr<Store>> Open(const std::string& directory, const Anchors& anchors,
                                             const Clock& clock);

  /// Takes in what others have put below the directory since. Error: ConfigurationInvalid.
  Result<> Reload();

  enum class Installed : std::uint8_t { kNew, kUnchanged };
  /// The gate, then the disk, then the index. Errors: those of Examine() and RefuseOlder(), Overloaded
  /// (full), ConfigurationInvalid (disk).
  Result<Installed> Install(const Document& document);

  std::optional<crypto::Certificate> FindVcek(snp::Product product, const snp::ChipId& chip,
                                              const snp::Tcb& tcb) const override;
  std::shared_ptr<const crypto::Crl> FindCrl(snp::Product product) const override;
  std::shared_ptr<const tdx::Collateral> Find(const tdx::Fmspc& fmspc, tdx::PckCa ca,
                                              tdx::EvaluationSet set) const override;

  /// What lookups missed since the last call, each once.
  std::vector<Id> TakeMissed();

  struct Listed {
    Document document;
    Facts facts;
  };
  /// Everything but VCEKs, in the order of their paths.
  std::vector<std::shared_ptr<const Listed>> List() const;
  std::shared_ptr<const Listed> Get(const Id& id) const;
  /// A VCEK's bytes and window; null where there is none, or it does not verify.
  std::shared_ptr<const Listed> GetVcek(const VcekId& id) const;
  std::vector<VcekId> Vceks() const;

 private:
  struct VcekEntry {
    VcekId id;
    std::string file;
    std::uint64_t last_use = 0;
    bool proven = false;
    std::optional<crypto::Certificate> leaf = {};  // of the last kMaxLeaves that were asked for
  };
  using CollateralKey = std::tuple<tdx::Fmspc, tdx::PckCa, tdx::EvaluationSet>;

  Store(std::string directory, const Anchors& anchors, const Clock& clock)
      : directory_(std::move(directory)), anchors_(anchors), clock_(clock) {}

  std::string Below(const std::string& path) const { return directory_ + "/" + path; }
  Result<> Write(const Document& document);
  void IndexVcekLocked(const VcekId& id, const std::string& file, bool proven);
  /// Makes room for one more VCEK: that of the longest unused goes.
  void MakeRoomLocked();
  void IndexLocked(std::shared_ptr<const Listed> listed);
  void TakeInPiece(const Piece& piece);
  bool TakeInOne(const Claimed& piece);
  std::shared_ptr<const Listed> GetLocked(const Id& id) const;
  /// The certificate of a VCEK entry, read and held to the gate where that is still to do.
  std::optional<crypto::Certificate> LeafOf(const VcekId& id) const;
  std::optional<crypto::Certificate> ReadLeaf(const VcekEntry& entry) const;
  void NoteMissedLocked(const Id& id) const;
  std::shared_ptr<const tdx::Collateral> AssembleLocked(const tdx::Fmspc& fmspc, tdx::PckCa ca,
                                                        tdx::EvaluationSet set) const;

  const std::string directory_;
  const Anchors anchors_;
  const Clock& clock_;

  std::mutex writing_;  // one Install() or Reload() at a time; taken before mutex_
  std::map<std::string, std::string> stamps_;
  std::vector<std::string> chains_;
  std::vector<std::string> unsound_;  // files that did not verify when they were read

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Listed>> documents_;
  std::map<snp::Product, std::shared_ptr<const crypto::Crl>> crls_;
  mutable std::unordered_map<std::string, VcekEntry> vceks_;
  mutable std::uint64_t uses_ = 0;
  mutable std::size_t leaves_ = 0;
  mutable std::map<CollateralKey, std::shared_ptr<const tdx::Collateral>> assembled_;
  mutable std::map<std::string, Id> missed_;
};

}  // namespace portcullis::endorsement
