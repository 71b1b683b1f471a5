#include <gtest/gtest.h>

#include "policy/policy.h"
#include "tests/policy/complete_policy.h"
#include "tests/policy/document_place.h"

namespace portcullis::policy {
namespace {

using codec::Json;
using test::At;
using test::CompletePolicy;

/// A value that is not allowed at a place: `path` has names and, for items, numbers.
struct BadValue {
  const char* name;
  std::vector<std::string> path;
  Json value;

  friend void PrintTo(const BadValue& bad, std::ostream* out) { *out << bad.name; }
};

class RefusesValue : public testing::TestWithParam<BadValue> {};

TEST_P(RefusesValue, AsIncomplete) {
  Json document = CompletePolicy();
  At(document, GetParam().path) = GetParam().value;
  const auto policy = ParsePolicy(document);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, ReasonCode::kPolicyIncomplete);
  EXPECT_NE(policy.error().where.find(GetParam().path.front()), std::string::npos)
      << policy.error().ToString();
}

const Json kNone = codec::JsonArray();
const std::string kChip(128, 'b');
const std::string kDigest(96, 'd');
const std::string kPcr(64, 'c');
Json Rule(const char* mode) { return Json::Object({{"mode", mode}, {"digests", codec::JsonArray()}}); }

const BadValue kBadValues[] = {
    {"FormatOfALaterVersion", {"format"}, "portcullis.dev/policy.v2"},
    {"NamespaceThatIsNoLabel", {"namespace"}, "team.a"},
    {"NamespaceWithCapitals", {"namespace"}, "Team"},
    {"NameWithSlash", {"name"}, "a/b"},
    {"NameEmpty", {"name"}, ""},
    {"NameWithEmptyLabel", {"name"}, "a..b"},
    {"RevisionZero", {"revision"}, 0},
    {"RevisionAbove53Bits", {"revision"}, std::int64_t{1} << 53},
    {"RevisionAsText", {"revision"}, "7"},
    {"RevisionWithFraction", {"revision"}, 7.5},
    {"AssetClassUnknown", {"assetClass"}, "Weights"},
    {"KeysEmpty", {"keys"}, kNone},
    {"KeysTwice", {"keys"}, Json::Array({"llama", "llama"})},
    {"KeysOfAnotherNamespace", {"keys"}, Json::Array({"team-b/llama"})},
    {"SubjectsEmpty", {"subjects"}, kNone},
    {"SubjectTwice", {"subjects", "1"}, CompletePolicy().At({"subjects"})->if_array()->front()},
    {"ServiceAccountEmpty", {"subjects", "0", "serviceAccount"}, ""},
    {"ServiceAccountWildcard", {"subjects", "0", "serviceAccount"}, "*"},
    {"PinWithoutDigest", {"subjects", "0", "initData", "policy.rego"}, kNone},
    {"PinOfShortDigest", {"subjects", "0", "initData", "policy.rego"}, Json::Array({"abcd"})},
    {"PinOfTheWebhooksEntry",
     {"subjects", "0", "initData", "portcullis.json"},
     Json::Array({std::string(64, 'a')})},
    {"TeesEmpty", {"tees"}, Json::Object({})},
    {"TeesOfAnotherKind", {"tees", "sgx"}, Json::Object({})},
    {"TeesByTheirOldName", {"tees", "azsnpvtpm"}, *CompletePolicy().At({"tees", "az-snp-vtpm"})},
    {"ReportVersion2", {"tees", "snp", "minReportVersion"}, 2},
    {"ReportVersion6", {"tees", "snp", "minReportVersion"}, 6},
    {"KeyKindsEmpty", {"tees", "snp", "keyKinds"}, kNone},
    {"KeyKindUnknown", {"tees", "snp", "keyKinds"}, Json::Array({"VCEK", "None"})},
    {"VmplsEmpty", {"tees", "snp", "vmpls"}, kNone},
    {"Vmpl4", {"tees", "snp", "vmpls"}, Json::Array({4})},
    {"VmplOfTheHost", {"tees", "snp", "vmpls"}, Json::Array({4294967295u})},
    {"VmplNegative", {"tees", "snp", "vmpls"}, Json::Array({-1})},
    {"BitUnknown", {"tees", "snp", "guestPolicy", "mustSet"}, Json::Array({"Smt"})},
    {"BitOfTheOtherRegister", {"tees", "snp", "guestPolicy", "mustSet"}, Json::Array({"SmtEnabled"})},
    {"BitUnknownOfThePlatform", {"tees", "snp", "platform", "mustClear"}, Json::Array({"Bit6"})},
    {"BitSetAndClear", {"tees", "snp", "guestPolicy", "mustClear"}, Json::Array({"SmtAllowed"})},
    {"BitSetAndClearOnThePlatform",
     {"tees", "snp", "platform", "mustClear"},
     Json::Array({"AliasCheckComplete"})},
    {"DebugDemanded",
     {"tees", "snp", "guestPolicy"},
     Json::Object({{"mustSet", Json::Array({"Debug"})}, {"mustClear", kNone}, {"minAbi", "0.0"}})},
    {"AbiAsNumber", {"tees", "snp", "guestPolicy", "minAbi"}, 1.55},
    {"AbiOfThreeNumbers", {"tees", "snp", "guestPolicy", "minAbi"}, "1.55.1"},
    {"AbiAbove255", {"tees", "snp", "guestPolicy", "minAbi"}, "1.256"},
    {"AbiWithLeadingZero", {"tees", "snp", "guestPolicy", "minAbi"}, "1.055"},
    {"AbiWithSign", {"tees", "snp", "guestPolicy", "minAbi"}, "1.+5"},
    {"ProvisionalAsFlag", {"tees", "snp", "provisionalFirmware"}, true},
    {"MigrationAgentShort", {"tees", "snp", "migrationAgents"}, Json::Array({"00"})},
    {"MigrationAgentsWithTheBitClear",
     {"tees", "snp", "migrationAgents"},
     Json::Array({std::string(64, 'c')})},
    {"ProductsEmpty", {"tees", "snp", "products"}, kNone},
    {"ProductUnknown", {"tees", "snp", "products", "0", "product"}, "Rome"},
    {"ProductOfAnotherModel", {"tees", "snp", "products", "0", "model"}, 17},
    {"ProductOfAnotherFamily", {"tees", "snp", "products", "0", "family"}, 26},
    {"ProductTwice",
     {"tees", "snp", "products", "1"},
     *CompletePolicy().At({"tees", "snp", "products"})->if_array()->begin()},
    {"SteppingAbove255", {"tees", "snp", "products", "0", "stepping"}, 256},
    {"TcbNegative", {"tees", "snp", "products", "0", "tcbFloor", "snp"}, -1},
    {"FmcOnMilan", {"tees", "snp", "products", "0", "tcbFloor", "fmc"}, 0},
    {"FirmwareOfTwoNumbers", {"tees", "snp", "products", "0", "firmwareFloor"}, "1.55"},
    {"FirmwareEmptyPart", {"tees", "snp", "products", "0", "firmwareFloor"}, "1..29"},
    {"MaskWithoutPrefix", {"tees", "snp", "products", "0", "mitigations", "launch"}, "0"},
    {"MaskEmpty", {"tees", "snp", "products", "0", "mitigations", "launch"}, "0x"},
    {"MaskAbove64Bits", {"tees", "snp", "products", "0", "mitigations", "launch"}, "0x10000000000000000"},
    {"MaskWithOtherLetters", {"tees", "snp", "products", "0", "mitigations", "launch"}, "0x1g"},
    {"ChipModeUnknown", {"tees", "snp", "chips", "mode"}, "Any"},
    {"ChipListWithAnyGenuine", {"tees", "snp", "chips", "mode"}, "AnyGenuine"},
    {"ChipListEmpty", {"tees", "snp", "chips", "allow"}, kNone},
    {"ChipAllowedAndDenied",
     {"tees", "snp", "chips", "deny"},
     *CompletePolicy().At({"tees", "snp", "chips", "allow"})},
    {"ChipShort", {"tees", "snp", "chips", "allow"}, Json::Array({kChip.substr(2)})},
    {"ChipZero", {"tees", "snp", "chips", "allow"}, Json::Array({std::string(128, '0')})},
    {"MaskedChipIdUnknown", {"tees", "snp", "maskedChipId"}, "Maybe"},
    {"VlekWithoutProvider", {"tees", "snp", "csps"}, kNone},
    {"ProviderWithoutVlek", {"tees", "snp", "keyKinds"}, Json::Array({"VCEK"})},
    {"MeasurementsEmpty", {"tees", "snp", "measurements"}, kNone},
    {"MeasurementOf32Bytes", {"tees", "snp", "measurements"}, Json::Array({std::string(64, 'a')})},
    {"MeasurementZero", {"tees", "snp", "measurements"}, Json::Array({std::string(96, '0')})},
    {"MeasurementWildcard", {"tees", "snp", "measurements"}, Json::Array({"*"})},
    {"GuestSvnAbove32Bits", {"tees", "snp", "minGuestSvn"}, std::int64_t{1} << 32},
    {"DigestModeUnknown", {"tees", "snp", "familyId", "mode"}, "Optional"},
    {"DigestListedEmpty", {"tees", "snp", "idKey", "digests"}, kNone},
    {"DigestWithModeAny", {"tees", "snp", "authorKey", "digests"}, Json::Array({std::string(96, 'a')})},
    {"DigestWithModeAbsent", {"tees", "snp", "imageId", "digests"}, Json::Array({std::string(32, 'a')})},
    {"MrTdEmpty", {"tees", "tdx", "mrTd"}, kNone},
    {"MrTdShort", {"tees", "tdx", "mrTd"}, Json::Array({std::string(94, 'a')})},
    {"MrTdZero", {"tees", "tdx", "mrTd"}, Json::Array({std::string(96, '0')})},
    {"MrSeamAbsent", {"tees", "tdx", "mrSeam"}, Rule("Absent")},
    {"MrSeamListedEmpty", {"tees", "tdx", "mrSeam", "digests"}, kNone},
    {"RtmrModeUnknown", {"tees", "tdx", "rtmrs", "rtmr0", "mode"}, "Replayed"},
    {"RtmrListedEmpty", {"tees", "tdx", "rtmrs", "rtmr1", "digests"}, kNone},
    {"RtmrAnyWithDigests", {"tees", "tdx", "rtmrs", "rtmr2", "digests"}, Json::Array({kDigest})},
    {"RtmrOfAFifth", {"tees", "tdx", "rtmrs", "rtmr4"}, Rule("Any")},
    {"EventOfAFifthRegister", {"tees", "tdx", "events", "0", "rtmr"}, 4},
    {"EventTypeAsNumber", {"tees", "tdx", "events", "0", "type"}, 13},
    {"EventTypeUnknown", {"tees", "tdx", "events", "0", "type"}, "EV_KERNEL"},
    {"EventThatExtendsNothing", {"tees", "tdx", "events", "0", "type"}, "EV_NO_ACTION"},
    {"EventWithoutDigest", {"tees", "tdx", "events", "0", "digests"}, kNone},
    {"EventInARegisterThatMustBeAbsent", {"tees", "tdx", "events", "0", "rtmr"}, 3},
    {"EventsAsObject", {"tees", "tdx", "events"}, Json::Object({})},
    {"MrOwnerListedEmpty", {"tees", "tdx", "mrOwner", "mode"}, "Listed"},
    {"MrOwnerConfigWithDigests", {"tees", "tdx", "mrOwnerConfig", "digests"}, Json::Array({kDigest})},
    {"MrServiceTdModeUnknown", {"tees", "tdx", "mrServiceTd", "mode"}, "None"},
    {"TdAttributeUnknown", {"tees", "tdx", "tdAttributes", "mustSet"}, Json::Array({"SEPT_VE"})},
    {"TdAttributeSetAndClear",
     {"tees", "tdx", "tdAttributes", "mustSet"},
     Json::Array({"SEPT_VE_DISABLE", "PERFMON"})},
    {"TdDebugDemanded", {"tees", "tdx", "tdAttributes", "mustSet"}, Json::Array({"DEBUG"})},
    {"TdProfilingDemanded", {"tees", "tdx", "tdAttributes", "mustSet"}, Json::Array({"PERF_PROF"})},
    {"XfamAsNumber", {"tees", "tdx", "xfamAllowed"}, 3},
    {"XfamWithoutSse", {"tees", "tdx", "xfamAllowed"}, "0x1"},
    {"XfamWithABitThatNoTdHas", {"tees", "tdx", "xfamAllowed"}, "0x602ef"},
    {"EvaluationSetUnknown", {"tees", "tdx", "tcb", "evaluation", "set"}, "Early"},
    {"EvaluationNumberZero", {"tees", "tdx", "tcb", "evaluation", "minNumber"}, 0},
    {"TcbStatusUnknown", {"tees", "tdx", "tcb", "statuses"}, Json::Array({"Fine"})},
    {"TcbStatusRevoked", {"tees", "tdx", "tcb", "statuses"}, Json::Array({"Revoked"})},
    {"TcbExceptionRevoked", {"tees", "tdx", "tcb", "exceptions", "0", "status"}, "Revoked"},
    {"TcbExceptionUpToDate", {"tees", "tdx", "tcb", "exceptions", "0", "status"}, "UpToDate"},
    {"TcbExceptionForWhatIsAccepted",
     {"tees", "tdx", "tcb", "statuses"},
     Json::Array({"UpToDate", "SWHardeningNeeded"})},
    {"AdvisoryMisspelt",
     {"tees", "tdx", "tcb", "exceptions", "0", "advisories"},
     Json::Array({"INTEL-SA-837"})},
    {"AdvisoryInLowerCase", {"tees", "tdx", "tcb", "deniedAdvisories"}, Json::Array({"intel-sa-00837"})},
    {"AdvisoryToleratedAndDenied",
     {"tees", "tdx", "tcb", "deniedAdvisories"},
     Json::Array({"INTEL-SA-00837"})},
    {"TcbDateWithoutTime", {"tees", "tdx", "tcb", "exceptions", "0", "tcbDateFloor"}, "2024-03-13"},
    {"ExceptionWithoutEnd", {"tees", "tdx", "tcb", "exceptions", "0", "until"}, "never"},
    {"ExceptionThatEndsBeforeItsFloor",
     {"tees", "tdx", "tcb", "exceptions", "0", "until"},
     "2024-03-12T00:00:00Z"},
    {"PlatformModeUnknown", {"tees", "tdx", "platforms", "mode"}, "Any"},
    {"PlatformListEmpty", {"tees", "tdx", "platforms", "allow"}, kNone},
    {"PlatformListWithAnyGenuine", {"tees", "tdx", "platforms", "mode"}, "AnyGenuine"},
    {"PlatformAllowedAndDenied",
     {"tees", "tdx", "platforms", "deny"},
     *CompletePolicy().At({"tees", "tdx", "platforms", "allow"})},
    {"PpidShort", {"tees", "tdx", "platforms", "allow"}, Json::Array({"9d9d"})},
    {"FmspcsListedEmpty", {"tees", "tdx", "fmspcs", "values"}, kNone},
    {"FmspcsAnyWithValues", {"tees", "tdx", "fmspcs", "mode"}, "Any"},
    {"FmspcShort", {"tees", "tdx", "fmspcs", "values"}, Json::Array({"90c06f"})},
    {"PcrsEmpty", {"tees", "az-snp-vtpm", "vtpm", "pcrs"}, Json::Object({})},
    {"PcrOfInitData", {"tees", "az-snp-vtpm", "vtpm", "pcrs", "8"}, Json::Array({kPcr})},
    {"PcrAbove23", {"tees", "az-snp-vtpm", "vtpm", "pcrs", "24"}, Json::Array({kPcr})},
    {"PcrWithLeadingZero", {"tees", "az-snp-vtpm", "vtpm", "pcrs", "07"}, Json::Array({kPcr})},
    {"PcrWithoutValue", {"tees", "az-snp-vtpm", "vtpm", "pcrs", "4"}, kNone},
    {"PcrOf48Bytes", {"tees", "az-snp-vtpm", "vtpm", "pcrs", "4"}, Json::Array({kDigest})},
    {"SecureBootAsFlag", {"tees", "az-tdx-vtpm", "vtpm", "secureBoot"}, true},
    {"AzureSnpRulesOfItsOwn", {"tees", "az-snp-vtpm", "snp", "measurements"}, kNone},
    {"AzureTdxWithEvents",
     {"tees", "az-tdx-vtpm", "tdx", "events"},
     *CompletePolicy().At({"tees", "tdx", "events"})},
    {"ChallengeOfNineSeconds", {"freshness", "challengeSeconds"}, 9},
    {"ChallengeOf301Seconds", {"freshness", "challengeSeconds"}, 301},
    {"LeaseOf59Seconds", {"lease", "seconds"}, 59},
    {"LeaseAbove30Days", {"lease", "seconds"}, 30 * 86400 + 1},
    {"ReleasesZero", {"maxReleases"}, 0},
    {"Releases1001", {"maxReleases"}, 1001},
    {"DeliveryUnknown", {"delivery"}, "Volume"},
};

INSTANTIATE_TEST_SUITE_P(PolicyDocument, RefusesValue, testing::ValuesIn(kBadValues),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace portcullis::policy
