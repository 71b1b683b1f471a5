#pragma once

#include <optional>
#include <set>
#include <string>

#include "evidence/tdx/qe_identity.h"
#include "evidence/tdx/tcb_info.h"

namespace portcullis::tdx {

/// What Intel's documents say of one platform: the algorithm of tdx.md section 6.
struct TcbEvaluation {
  bool module_known;      // an identity is there for the module's version, once
  bool module_genuine;    // MRSIGNERSEAM and SEAMATTRIBUTES are that identity's; false where it is not known
  std::string module_id;  // "TDX_03"; "TDX" for version 0

  std::string
      not_supported;        // what reaches none of the levels; "" where all do, and only then the rest counts
  std::string status_name;  // as Intel writes it, also where we do not know it
  std::optional<TcbStatus> status;  // nullopt where unknown or not supported
  WallTime tcb_date;                // the oldest of platform, module and QE

  std::set<std::string> advisories;  // of every level that was reached

  bool supported() const { return not_supported.empty(); }
};

TcbEvaluation EvaluateTcb(const TdReport& report, std::uint16_t qe_isv_svn, const PckExtension& pck,
                          const TcbInfo& info, const QeIdentity& qe_identity);

}  // namespace portcullis::tdx
