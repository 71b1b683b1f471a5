#include "evidence/tdx/claims.h"

#include "codec/text.h"
#include "evidence/tdx/attributes.h"
#include "evidence/tdx/text.h"

namespace portcullis::tdx {
namespace {

using codec::Json;

template <typename T>
Json HexOf(const T& value) {
  return codec::EncodeHex(value.bytes());
}

Json AttributesJson(std::uint64_t attributes) {
  codec::JsonArray names;
  for (const AttributeBit& known : kTdAttributeBits)
    if ((attributes >> known.bit & 1) != 0) names.emplace_back(known.name);
  return Json::Object({{"bits", HexNumber(attributes)}, {"names", std::move(names)}});
}

Json WindowJson(const Json& digest, WallTime issued, WallTime next_update) {
  return Json::Object({{"sha256", digest},
                       {"issued", FormatTimestamp(issued)},
                       {"nextUpdate", FormatTimestamp(next_update)}});
}

template <typename Document>
Json DocumentJson(const Document& document) {
  Json out = WindowJson(HexOf(document.digest), *document.head.issued, *document.head.next_update);
  out.Set("tcbEvaluationDataNumber", *document.head.evaluation_number);
  return out;
}

Json ListJson(const crypto::Crl& list) {
  return WindowJson(HexOf(list.fingerprint()), list.this_update(), list.next_update());
}

Json CollateralJson(const Collateral::Impl& collateral) {
  return Json::Object({{"tcbInfo", DocumentJson(collateral.tcb_info)},
                       {"qeIdentity", DocumentJson(collateral.qe_identity)},
                       {"pckCrl", ListJson(*collateral.pck_crl.list())},
                       {"rootCrl", ListJson(*collateral.root_crl.list())}});
}

Json TcbJson(const TcbEvaluation& tcb) {
  codec::JsonArray advisories(tcb.advisories.begin(), tcb.advisories.end());
  Json out = Json::Object({{"status", tcb.supported() ? tcb.status_name : "NotSupported"},
                           {"advisories", std::move(advisories)},
                           {"module", tcb.module_id}});
  if (tcb.supported())
    out.Set("tcbDate", FormatTimestamp(tcb.tcb_date));
  else
    out.Set("notSupported", tcb.not_supported);
  return out;
}

}  // namespace

Json ClaimsOf(const Quote& quote) {
  const TdReport& report = quote.report;
  codec::JsonArray rtmrs;
  for (const Measurement& rtmr : report.rtmrs) rtmrs.push_back(HexOf(rtmr));
  Json out = Json::Object({
      {"authentic", false},
      {"version", quote.version},
      {"teeTcbSvn", HexOf(report.tee_tcb_svn)},
      {"mrSeam", HexOf(report.mr_seam)},
      {"mrSignerSeam", HexOf(report.mr_signer_seam)},
      {"tdAttributes", AttributesJson(report.td_attributes)},
      {"xfam", HexNumber(report.xfam)},
      {"mrTd", HexOf(report.mr_td)},
      {"mrConfigId", HexOf(report.mr_config_id)},
      {"mrOwner", HexOf(report.mr_owner)},
      {"mrOwnerConfig", HexOf(report.mr_owner_config)},
      {"rtmrs", std::move(rtmrs)},
      {"reportData", HexOf(report.report_data)},
      {"qeIsvSvn", quote.qe_report.isv_svn},
  });
  if (report.tdx15) {
    out.Set("teeTcbSvn2", HexOf(report.tdx15->tee_tcb_svn_2));
    out.Set("mrServiceTd", HexOf(report.tdx15->mr_service_td));
  }
  return out;
}

Json ClaimsOf(const AuthenticQuote& quote) {
  Json claims = ClaimsOf(*quote);
  claims.Set("authentic", true);
  claims.Set("fmspc", HexOf(quote.pck().fmspc));
  claims.Set("ppid", HexOf(quote.pck().ppid));
  claims.Set("pckCa", NameOf(quote.ca()));
  claims.Set("tcb", TcbJson(quote.tcb()));
  claims.Set("collateral", CollateralJson(quote.collateral()));
  claims.Set("certificate", Json::Object({{"notAfter", FormatTimestamp(quote.certificate().not_after())}}));
  return claims;
}

std::vector<std::string> NotProvenBy(const AuthenticQuote& quote, bool with_event_log) {
  std::vector<std::string> out{
      "The evidence does not say what the workload does with the key.",
      "MRTD and the RTMRs cover what was measured at launch and boot, not what the guest ran since.",
      "The evidence does not say where the machine stands or who can touch its memory bus: keys drawn from "
      "such a machine sign quotes like this one.",
  };
  if (quote->report.td_attributes >> 29 & 1)
    out.emplace_back("The TD can be migrated: later it may run on a platform that was not attested.");
  if (!with_event_log) out.emplace_back("No event log came along: the RTMRs are digests of unseen events.");
  return out;
}

}  // namespace portcullis::tdx
