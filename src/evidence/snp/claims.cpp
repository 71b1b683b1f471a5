#include "evidence/snp/claims.h"

#include "codec/text.h"
#include "evidence/snp/text.h"

namespace portcullis::snp {
namespace {

using codec::Json;

template <typename T>
Json HexOf(const T& value) {
  return codec::EncodeHex(value.bytes());
}

Json TcbJson(const Tcb& tcb, Product product) {
  Json out = Json::Object({});
  if (product == Product::kTurin) out.Set("fmc", tcb.fmc);
  out.Set("bootloader", tcb.bootloader);
  out.Set("tee", tcb.tee);
  out.Set("snp", tcb.snp);
  out.Set("microcode", tcb.microcode);
  return out;
}

Json GuestPolicyJson(GuestPolicy policy) {
  return Json::Object(
      {{"bits", HexNumber(policy.bits())},
       {"minAbi", std::to_string(policy.abi_major()) + "." + std::to_string(policy.abi_minor())},
       {"smtAllowed", policy.smt_allowed()},
       {"migrationAgent", policy.migration_agent()},
       {"debug", policy.debug()},
       {"singleSocket", policy.single_socket()},
       {"cxlAllowed", policy.cxl_allowed()},
       {"aes256Xts", policy.aes_256_xts()},
       {"raplDisabled", policy.rapl_disabled()},
       {"ciphertextHiding", policy.ciphertext_hiding()},
       {"pageSwapDisabled", policy.page_swap_disabled()}});
}

Json PlatformJson(PlatformInfo platform) {
  return Json::Object({{"bits", HexNumber(platform.bits())},
                       {"smtEnabled", platform.smt_enabled()},
                       {"tsmeEnabled", platform.tsme_enabled()},
                       {"eccEnabled", platform.ecc_enabled()},
                       {"raplDisabled", platform.rapl_disabled()},
                       {"ciphertextHiding", platform.ciphertext_hiding()},
                       {"aliasCheckComplete", platform.alias_check_complete()},
                       {"tioEnabled", platform.tio_enabled()}});
}

Json CpuIdJson(CpuId cpuid) {
  return Json::Object({{"family", cpuid.family}, {"model", cpuid.model}, {"stepping", cpuid.stepping}});
}

}  // namespace

Json ClaimsOf(const Report& report) {
  const auto tcb = [&](const Tcb& value) { return TcbJson(value, report.product); };
  return Json::Object({
      {"authentic", false},
      {"version", report.version},
      {"product", NameOf(report.product)},
      {"cpuid", CpuIdJson(report.cpuid)},
      {"vmpl", report.vmpl},
      {"guestSvn", report.guest_svn},
      {"guestPolicy", GuestPolicyJson(report.policy)},
      {"platformInfo", PlatformJson(report.platform_info)},
      {"measurement", HexOf(report.measurement)},
      {"hostData", HexOf(report.host_data)},
      {"reportData", HexOf(report.report_data)},
      {"familyId", HexOf(report.family_id)},
      {"imageId", HexOf(report.image_id)},
      {"idKeyDigest", HexOf(report.id_key_digest)},
      {"authorKeyEnabled", report.key_info.author_key_enabled()},
      {"authorKeyDigest", HexOf(report.author_key_digest)},
      {"reportId", HexOf(report.report_id)},
      {"reportIdMa", HexOf(report.report_id_ma)},
      {"chipId", HexOf(report.chip_id)},
      {"reportedTcb", tcb(report.reported_tcb)},
      {"committedTcb", tcb(report.committed_tcb)},
      {"currentTcb", tcb(report.current_tcb)},
      {"launchTcb", tcb(report.launch_tcb)},
      {"currentFirmware", TextOf(report.current_firmware)},
      {"committedFirmware", TextOf(report.committed_firmware)},
      {"launchMitigations", HexNumber(report.launch_mitigations)},
      {"currentMitigations", HexNumber(report.current_mitigations)},
  });
}

Json ClaimsOf(const AuthenticReport& report) {
  Json claims = ClaimsOf(*report);
  claims.Set("authentic", true);
  claims.Set("signingKey", NameOf(report.key_kind()));
  Json certificate = Json::Object({{"notAfter", FormatTimestamp(report.certificate().not_after())},
                                   {"productName", report.leaf().product_name}});
  if (report.leaf().hwid) certificate.Set("hwId", codec::EncodeHex(*report.leaf().hwid));
  if (report.leaf().csp_id) certificate.Set("cspId", *report.leaf().csp_id);
  claims.Set("certificate", std::move(certificate));
  return claims;
}

std::vector<std::string> NotProvenBy(const AuthenticReport& report) {
  std::vector<std::string> out{
      "The evidence does not say what the workload does with the key.",
      "The measurement covers what was loaded at launch, not what the guest loaded or ran since.",
      "The evidence does not say where the machine stands or who can touch its memory bus.",
  };
  if (report.key_kind() == KeyKind::kVlek)
    out.emplace_back("A VLEK names a cloud provider: no certificate binds the report to one chip.");
  else if (report->chip_id.IsZero())
    out.emplace_back("The report masks its chip id: only the certificate names the chip.");
  return out;
}

}  // namespace portcullis::snp
