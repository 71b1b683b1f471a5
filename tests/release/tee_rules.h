#pragma once

#include "codec/text.h"
#include "tests/lab/azure_lab.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::test {

inline codec::Json MeasurementRule(std::string_view mode, codec::JsonArray digests = {}) {
  return codec::Json::Object({{"mode", mode}, {"digests", std::move(digests)}});
}

/// `tees.tdx` of a policy: the lab's healthy TD, named by MRTD and the register of its kernel.
inline codec::Json TdxRules() {
  using codec::Json;
  const lab::TdState td;
  const Json none = codec::JsonArray();
  return Json::Object(
      {{"mrTd", Json::Array({codec::EncodeHex(td.mr_td.bytes())})},
       {"mrSeam", MeasurementRule("Any")},
       {"rtmrs", Json::Object({{"rtmr0", MeasurementRule("Any")},
                               {"rtmr1", MeasurementRule("Listed", {codec::EncodeHex(td.rtmrs[1].bytes())})},
                               {"rtmr2", MeasurementRule("Any")},
                               {"rtmr3", MeasurementRule("Any")}})},
       {"events", none},
       {"mrOwner", MeasurementRule("Absent")},
       {"mrOwnerConfig", MeasurementRule("Absent")},
       {"mrServiceTd", MeasurementRule("Absent")},
       {"tdAttributes", Json::Object({{"mustSet", Json::Array({"SEPT_VE_DISABLE"})},
                                      {"mustClear", Json::Array({"MIGRATABLE", "PERFMON"})}})},
       {"xfamAllowed", "0x602e7"},
       {"tcb", Json::Object({{"evaluation", Json::Object({{"set", "standard"}, {"minNumber", 1}})},
                             {"statuses", Json::Array({"UpToDate"})},
                             {"exceptions", none},
                             {"deniedAdvisories", none}})},
       {"platforms", Json::Object({{"mode", "AnyGenuine"}, {"allow", none}, {"deny", none}})},
       {"fmspcs", Json::Object({{"mode", "Any"}, {"values", none}})}});
}

/// `tees.az-tdx-vtpm.tdx`: there the RTMRs are zero, as the vTPM names the workload.
inline codec::Json AzureTdxRules() {
  codec::Json rules = TdxRules();
  for (const char* name : {"rtmr0", "rtmr1", "rtmr2", "rtmr3"})
    rules.Find("rtmrs")->Set(name, MeasurementRule("Absent"));
  return rules;
}

/// `vtpm` of the rules for Azure: the lab's healthy VM, named by PCR 4.
inline codec::Json VtpmRules() {
  using codec::Json;
  const lab::AzureState vm;
  return Json::Object({{"pcrs", Json::Object({{"4", Json::Array({codec::EncodeHex(vm.pcrs[4].bytes())})}})},
                       {"secureBoot", "Required"}});
}

}  // namespace portcullis::test
