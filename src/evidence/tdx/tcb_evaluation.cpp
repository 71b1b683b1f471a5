#include "evidence/tdx/tcb_evaluation.h"

#include <algorithm>
#include <variant>

#include "codec/text.h"

namespace portcullis::tdx {
namespace {

// Bytes of TEE_TCB_SVN.
constexpr std::size_t kModuleSvn = 0, kModuleVersion = 1, kLateMicrocode = 2;

std::uint8_t At(const TeeTcbSvn& svn, std::size_t index) {
  return std::to_integer<std::uint8_t>(svn.array()[index]);
}

std::string ModuleIdOf(std::uint8_t version) {
  const std::byte raw{version};
  std::string id = "TDX_" + codec::EncodeHex({&raw, 1});
  std::ranges::transform(id, id.begin(),
                         [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
  return id;
}

/// The identity of a module of this version; nullptr where there is none or more than one. Version 0 has
/// tdxModule.
const ModuleIdentity* ModuleOf(const TcbInfo& info, std::uint8_t version) {
  if (version == 0) return &info.module;
  const std::string id = ModuleIdOf(version);
  if (std::ranges::count(info.identities, id, &ModuleIdentity::id) != 1) return nullptr;
  return &*std::ranges::find(info.identities, id, &ModuleIdentity::id);
}

/// SEAMATTRIBUTES must be zero whatever the mask says.
bool IsGenuine(const ModuleIdentity& identity, const TdReport& report) {
  return report.mr_signer_seam == identity.mr_signer && report.seam_attributes == 0 &&
         (report.seam_attributes & identity.attributes_mask) == identity.attributes;
}

bool ReachesSgx(const PlatformLevel& level, const PckExtension& pck) {
  return std::ranges::equal(pck.components, level.sgx, std::ranges::greater_equal()) &&
         pck.pce_svn >= level.pce_svn;
}

/// With a module version the first two bytes are the module's, which its own identity judges.
bool ReachesTdx(const PlatformLevel& level, const TeeTcbSvn& svn) {
  for (std::size_t i = At(svn, kModuleVersion) > 0 ? kLateMicrocode : 0; i < kTcbComponents; ++i)
    if (At(svn, i) < level.tdx[i]) return false;
  return true;
}

struct Levels {
  const PlatformLevel* sgx = nullptr;  // the first that the PCK reaches
  const PlatformLevel* tdx = nullptr;  // the first of those that the TD's launch reaches too
  const SvnLevel* module = nullptr;    // null also for version 0, which has none
  const SvnLevel* qe = nullptr;
};

Levels FindLevels(const TdReport& report, std::uint16_t qe_isv_svn, const PckExtension& pck,
                  const TcbInfo& info, const ModuleIdentity& module, const QeIdentity& qe_identity) {
  Levels out;
  for (const PlatformLevel& level : info.levels) {
    if (!ReachesSgx(level, pck)) continue;
    if (out.sgx == nullptr) out.sgx = &level;
    if (!ReachesTdx(level, report.tee_tcb_svn)) continue;
    out.tdx = &level;
    break;
  }
  if (At(report.tee_tcb_svn, kModuleVersion) > 0)
    out.module = LevelReached(module.levels, At(report.tee_tcb_svn, kModuleSvn));
  out.qe = LevelReached(qe_identity.levels, qe_isv_svn);
  return out;
}

/// Whether the module that runs now, and the microcode, are as new as the topmost level asks: then it is the
/// TD's launch alone that is old. nullopt where the module that runs now has no identity.
std::optional<bool> RunsCurrentModule(const TeeTcbSvn& now, const TcbInfo& info) {
  const PlatformLevel& top = info.levels.front();
  const std::uint8_t version = At(now, kModuleVersion);
  std::uint16_t wanted = top.tdx[kModuleSvn];
  if (version > 0) {
    const ModuleIdentity* identity = ModuleOf(info, version);
    if (identity == nullptr || identity->levels.empty()) return std::nullopt;
    wanted = identity->levels.front().isv_svn;
  }
  return At(now, kModuleSvn) >= wanted && At(now, kLateMicrocode) >= top.tdx[kLateMicrocode];
}

/// What all levels together say, each of them known.
struct Statuses {
  TcbStatus sgx, tdx, qe;
  std::optional<TcbStatus> module;
};

/// The names of all levels, or the first that we don't know.
std::variant<Statuses, std::string> KnownStatuses(const Levels& levels) {
  for (const LevelStatus* level : {&levels.tdx->status, &levels.sgx->status, &levels.qe->status,
                                   levels.module != nullptr ? &levels.module->status : nullptr})
    if (level != nullptr && !level->status) return level->name;
  Statuses out{*levels.sgx->status.status, *levels.tdx->status.status, *levels.qe->status.status, {}};
  if (levels.module != nullptr) out.module = *levels.module->status.status;
  return out;
}

bool RelaunchConditions(const Statuses& levels, TcbStatus status) {
  return !IsOutOfDate(levels.qe) && levels.qe != TcbStatus::kRevoked && IsCurrent(levels.sgx) &&
         IsOutOfDate(status) && levels.module == TcbStatus::kOutOfDate;
}

/// Platform and module together. Where only the TD's launch is old, a relaunch is what is missing.
TcbStatus PlatformStatus(const Statuses& levels, const TdReport& report, const TcbInfo& info,
                         TcbEvaluation& out) {
  // A platform level that Intel has revoked stays revoked, even where a lower one fits the TDX part.
  if (levels.sgx == TcbStatus::kRevoked) return TcbStatus::kRevoked;
  const TcbStatus status = levels.module ? Converge(levels.tdx, *levels.module) : levels.tdx;
  if (!report.tdx15 || !RelaunchConditions(levels, status)) return status;
  const auto current = RunsCurrentModule(report.tdx15->tee_tcb_svn_2, info);
  if (!current) out.module_known = out.module_genuine = false;
  if (!current || !*current) return status;
  return NeedsConfiguration(levels.sgx) || NeedsConfiguration(status)
             ? TcbStatus::kTdRelaunchAdvisedConfigurationNeeded
             : TcbStatus::kTdRelaunchAdvised;
}

/// All advisories, and the oldest date of what the status rests on. The platform's own date is too new where
/// the module's level is older.
void Gather(const Levels& levels, TcbEvaluation& out) {
  const auto add = [&](const LevelStatus& level) {
    out.advisories.insert(level.advisories.begin(), level.advisories.end());
  };
  const auto date = [&](const LevelStatus& level) { out.tcb_date = std::min(out.tcb_date, level.date); };
  out.tcb_date = WallTime::max();
  if (levels.sgx != nullptr) add(levels.sgx->status);
  if (levels.tdx != nullptr) add(levels.tdx->status), date(levels.tdx->status);
  if (levels.module != nullptr) add(levels.module->status), date(levels.module->status);
  if (levels.qe != nullptr) add(levels.qe->status), date(levels.qe->status);
}

std::string WhatIsNotSupported(const Levels& levels, bool module_has_levels) {
  if (levels.sgx == nullptr) return "the PCK's TCB is below every level";
  if (levels.tdx == nullptr) return "TEE_TCB_SVN is below every level of the PCK's TCB";
  if (module_has_levels && levels.module == nullptr) return "the TDX module is below every level";
  if (levels.qe == nullptr) return "the quoting enclave is below every level";
  return {};
}

}  // namespace

TcbEvaluation EvaluateTcb(const TdReport& report, std::uint16_t qe_isv_svn, const PckExtension& pck,
                          const TcbInfo& info, const QeIdentity& qe_identity) {
  TcbEvaluation out{};
  const std::uint8_t version = At(report.tee_tcb_svn, kModuleVersion);
  out.module_id = version == 0 ? "TDX" : ModuleIdOf(version);
  const ModuleIdentity* module = ModuleOf(info, version);
  out.module_known = module != nullptr;
  if (module == nullptr) {
    out.not_supported = "the TDX module is not known";
    return out;
  }
  out.module_genuine = IsGenuine(*module, report);

  const Levels levels = FindLevels(report, qe_isv_svn, pck, info, *module, qe_identity);
  Gather(levels, out);
  out.not_supported = WhatIsNotSupported(levels, version > 0);
  if (!out.supported()) return out;
  const auto known = KnownStatuses(levels);
  if (const auto* unknown = std::get_if<std::string>(&known)) {
    out.status_name = *unknown;
    return out;
  }
  const auto& statuses = std::get<Statuses>(known);
  out.status = Converge(PlatformStatus(statuses, report, info, out), statuses.qe);
  out.status_name = NameOf(*out.status);
  return out;
}

}  // namespace portcullis::tdx
