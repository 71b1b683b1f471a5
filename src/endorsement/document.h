#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/clock.h"
#include "evidence/snp/report.h"
#include "evidence/tdx/collateral.h"

/// The cache of what vendors publish about their platforms, and the clients that fill it.
namespace portcullis::endorsement {

inline constexpr std::size_t kMaxDocumentBytes = 2 * 1024 * 1024;  // the largest that is known has 150 KiB
inline constexpr std::size_t kMaxChainBytes = 64 * 1024;           // two certificates in PEM have 2 KiB

/// A chip's endorsement key certificate for one TCB, all of its components (Turin's fmc too): a certificate
/// of another TCB does not verify the report.
struct VcekId {
  snp::Product product;
  snp::ChipId chip;  // Turin's is 8 bytes and zeros
  snp::Tcb tcb;
};
struct AmdCrlId {
  snp::Product product;
};
struct TcbInfoId {
  tdx::Fmspc fmspc;
  tdx::EvaluationSet set;
};
struct QeIdentityId {
  tdx::EvaluationSet set;
};
struct PckCrlId {
  tdx::PckCa ca;
};
struct RootCrlId {};

/// Which document: what is asked for, and the name under which it is kept.
using Id = std::variant<VcekId, AmdCrlId, TcbInfoId, QeIdentityId, PckCrlId, RootCrlId>;

/// "vcek", "amd-crl", "tdx-tcb-info", "tdx-qe-identity", "pck-crl", "root-crl": metric label and CLI word.
std::string_view KindOf(const Id& id);
bool IsIntel(const Id& id);

/// Where the document lies below the store's directory (docs/operations.md, "Collateral"), unique per id:
///   amd/Milan/vcek/<hwid>_bl03_tee00_snp08_ucode115_vcek.der   (Turin: ..._ucode115_fmc01_vcek.der)
///   amd/Milan/crl.der
///   intel/standard/tcbinfo-00806f050000.json, intel/early/qeidentity.json
///   intel/pckcrl-platform.der, intel/rootcrl.der
std::string PathOf(const Id& id);
/// The id of a VCEK by the path above; nullopt for any other path.
std::optional<VcekId> VcekAt(std::string_view path);

/// As a vendor served it, byte for byte: signatures are over these bytes.
struct Document {
  Id id;
  ByteBuffer body;    // DER, or Intel's JSON
  std::string chain;  // Intel's issuer chain in PEM, signer first, root last; "" for AMD, whose is pinned
};

/// What a document says of itself.
struct Facts {
  WallTime issued, expires;
  std::optional<std::uint32_t> evaluation_number;  // of TCB info and QE identity
  std::optional<std::size_t> listed;               // entries of a revocation list
};

/// hwid as AMD writes it: 16 hex digits for Turin, 128 for the others.
std::string HwidOf(snp::Product product, const snp::ChipId& chip);

}  // namespace portcullis::endorsement
