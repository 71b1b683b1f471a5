#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/tdx/pck_extension.h"
#include "evidence/tdx/tcb_status.h"

namespace portcullis::tdx {

/// What either of Intel's documents says of itself. Read leniently: whether it is the right document is a
/// check, and one of another kind should be called that.
struct DocumentHead {
  std::string id;
  std::optional<std::uint32_t> version;
  std::optional<WallTime> issued, next_update;
  std::optional<std::uint32_t> evaluation_number;
};
DocumentHead ReadDocumentHead(const codec::Json& object);

/// Reads {"tcbDate", "tcbStatus", "advisoryIDs"?} of a level. Error: EvidenceMalformed.
Result<LevelStatus> ReadLevelStatus(codec::ObjectReader& level);

/// A level of the TDX module or of the QE.
struct SvnLevel {
  std::uint16_t isv_svn;
  LevelStatus status;
};
/// A list of such levels, highest first whatever its order in the document. Error: EvidenceMalformed.
Result<std::vector<SvnLevel>> ReadSvnLevels(codec::ObjectReader& owner);
/// The first level that `svn` reaches; nullptr where there is none.
const SvnLevel* LevelReached(const std::vector<SvnLevel>& levels, std::uint16_t svn);

/// A level of the platform.
struct PlatformLevel {
  TcbComponents sgx;
  std::uint16_t pce_svn;
  TcbComponents tdx;
  LevelStatus status;
};

struct ModuleIdentity {
  std::string id;  // "TDX_03", in capitals; "" for tdxModule
  Measurement mr_signer;
  std::uint64_t attributes, attributes_mask;
  std::vector<SvnLevel> levels;
};

/// TCB info of version 3 for TDX (PCS API v4), after its head.
struct TcbInfo {
  Fmspc fmspc;
  PceId pce_id;
  ModuleIdentity module;                   // of version 0, which TDX_nn identities don't name
  std::vector<ModuleIdentity> identities;  // absent in documents of 2023
  std::vector<PlatformLevel> levels;       // highest first
};

/// What says whose TCB info it is, read leniently as the head is.
struct TcbInfoTarget {
  std::optional<Fmspc> fmspc;
  std::optional<PceId> pce_id;
  std::optional<std::uint32_t> tcb_type;
};
TcbInfoTarget ReadTcbInfoTarget(const codec::Json& object);

/// Members that we don't know are skipped: Intel adds some without a new version. Error: EvidenceMalformed.
Result<TcbInfo> ReadTcbInfo(const codec::Json& object);

}  // namespace portcullis::tdx
