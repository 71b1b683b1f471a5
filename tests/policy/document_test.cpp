#include <gtest/gtest.h>

#include <functional>

#include "policy/policy.h"
#include "tests/policy/complete_policy.h"
#include "tests/policy/document_place.h"
#include "tests/support/golden.h"

namespace portcullis::policy {
namespace {

using codec::Json;
using test::At;
using test::CompletePolicy;

/// One object of a document: its path, and how to find it in a copy.
struct Place {
  std::string path;
  std::function<Json&(Json&)> find;
};

/// Members that a policy may choose: those of these objects are asked for by nobody.
bool HasMembersOfChoice(const std::string& path) {
  return path.ends_with("initData") || path.ends_with("pcrs");
}

/// All objects of a document, but for those whose members are not ours to name.
void CollectObjects(const Json& value, const Place& here, std::vector<Place>& out) {
  if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      CollectObjects((*array)[i],
                     {here.path + "[" + std::to_string(i) + "]",
                      [find = here.find, i](Json& root) -> Json& { return (*find(root).if_array())[i]; }},
                     out);
    return;
  }
  const auto* object = value.if_object();
  if (object == nullptr || HasMembersOfChoice(here.path)) return;
  out.push_back(here);
  for (const auto& [name, member] : *object)
    CollectObjects(member,
                   {here.path + (here.path.empty() ? "" : ".") + name,
                    [find = here.find, member_name = name](Json& root) -> Json& {
                      return *find(root).Find(member_name);
                    }},
                   out);
}

std::vector<Place> Objects(const Json& document) {
  std::vector<Place> out;
  CollectObjects(document, {"", [](Json& root) -> Json& { return root; }}, out);
  return out;
}

TEST(PolicyDocument, ReadsEveryMember) {
  const auto policy = ParsePolicy(CompletePolicy());
  ASSERT_TRUE(policy) << policy.error().ToString();
  EXPECT_EQ(policy->namespace_name, "team-a");
  EXPECT_EQ(policy->name, "llama");
  EXPECT_EQ(policy->revision, 7);
  EXPECT_EQ(policy->asset_class, "ModelWeights");
  EXPECT_EQ(policy->keys, (std::vector<std::string>{"llama-70b", "llama-8b"}));
  ASSERT_EQ(policy->subjects.size(), 2u);
  EXPECT_EQ(policy->subjects[0].service_account, "inference");
  EXPECT_EQ(policy->subjects[0].init_data.count("policy.rego"), 1u);
  EXPECT_TRUE(policy->subjects[1].init_data.empty());
  EXPECT_EQ(policy->challenge_lifetime.count(), 60);
  EXPECT_EQ(policy->lease.count(), 86400);
  EXPECT_EQ(policy->max_releases, 3);
  EXPECT_EQ(policy->delivery, Delivery::kSecret);
}

TEST(PolicyDocument, ReadsEveryMemberOfItsSnpRules) {
  const auto policy = ParsePolicy(CompletePolicy());
  ASSERT_TRUE(policy && policy->snp);
  const snp::ReferenceValues& rules = *policy->snp;
  EXPECT_EQ(rules.min_version, 3u);
  EXPECT_EQ(rules.key_kinds.size(), 2u);
  EXPECT_EQ(rules.vmpls, std::set<std::uint32_t>{0});
  EXPECT_EQ(rules.guest_policy_must_set, 1u << 16);
  EXPECT_EQ(rules.guest_policy_must_clear, (1u << 18) | (1u << 19));
  EXPECT_EQ(rules.platform_must_set, 1u << 5);
  EXPECT_EQ(rules.platform_must_clear, 1u << 7);
  EXPECT_FALSE(rules.provisional_firmware_allowed);
  ASSERT_EQ(rules.products.size(), 2u);
  EXPECT_EQ(rules.products[0].tcb_floor.microcode, 219);
  EXPECT_EQ(rules.products[0].firmware_build, 29);
  EXPECT_EQ(rules.products[1].tcb_floor.bootloader, 1);
  EXPECT_EQ(rules.products[1].current_mitigations, 0x1fu);
  EXPECT_FALSE(rules.any_genuine_chip);
  EXPECT_EQ(rules.allowed_chips.size(), 1u);
  EXPECT_EQ(rules.denied_chips.size(), 1u);
  EXPECT_FALSE(rules.masked_chip_id_allowed);
  EXPECT_EQ(rules.csps.count("CN=cc-test.example"), 1u);
  EXPECT_EQ(rules.measurements.size(), 1u);
  EXPECT_EQ(rules.family_id.mode, snp::DigestRule<snp::FamilyId>::Mode::kAny);
  EXPECT_EQ(rules.image_id.mode, snp::DigestRule<snp::ImageId>::Mode::kAbsent);
  EXPECT_EQ(rules.id_key.listed.size(), 1u);
}

TEST(PolicyDocument, ReadsEveryMemberOfItsTdxRules) {
  const auto policy = ParsePolicy(CompletePolicy());
  ASSERT_TRUE(policy && policy->tdx);
  using Mode = tdx::MeasurementRule::Mode;
  const tdx::ReferenceValues& rules = *policy->tdx;
  EXPECT_EQ(rules.mr_td.size(), 1u);
  EXPECT_EQ(rules.mr_seam.mode, Mode::kListed);
  EXPECT_EQ(rules.mr_seam.listed.size(), 1u);
  EXPECT_EQ(rules.rtmrs[0].mode, Mode::kAny);
  EXPECT_EQ(rules.rtmrs[1].mode, Mode::kListed);
  EXPECT_EQ(rules.rtmrs[2].mode, Mode::kAny);
  EXPECT_EQ(rules.rtmrs[3].mode, Mode::kAbsent);
  ASSERT_EQ(rules.events.size(), 1u);
  EXPECT_EQ(rules.events[0].rtmr, 2u);
  EXPECT_EQ(rules.events[0].type, 6u);
  EXPECT_EQ(rules.events[0].digests.size(), 1u);
  EXPECT_EQ(rules.mr_owner.mode, Mode::kAbsent);
  EXPECT_EQ(rules.mr_owner_config.mode, Mode::kAbsent);
  EXPECT_EQ(rules.mr_service_td.mode, Mode::kAbsent);
  EXPECT_EQ(rules.td_attributes_must_set, std::uint64_t{1} << 28);
  EXPECT_EQ(rules.td_attributes_must_clear, (std::uint64_t{1} << 29) | (std::uint64_t{1} << 63) | 0x71)
      << "and what lets the host look in";
  EXPECT_EQ(rules.xfam_allowed, 0x602E7u);
  EXPECT_EQ(rules.evaluation_set, tdx::EvaluationSet::kStandard);
  EXPECT_EQ(rules.min_evaluation_number, 1u);
  EXPECT_EQ(rules.tcb_statuses, std::set{tdx::TcbStatus::kUpToDate});
  ASSERT_EQ(rules.tcb_exceptions.size(), 1u);
  EXPECT_EQ(rules.tcb_exceptions[0].status, tdx::TcbStatus::kSwHardeningNeeded);
  EXPECT_EQ(rules.tcb_exceptions[0].advisories, std::set<std::string>{"INTEL-SA-00837"});
  EXPECT_EQ(FormatTimestamp(rules.tcb_exceptions[0].tcb_date_floor), "2024-03-13T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(rules.tcb_exceptions[0].until), "2027-06-30T00:00:00Z");
  EXPECT_EQ(rules.denied_advisories, std::set<std::string>{"INTEL-SA-01397"});
  EXPECT_FALSE(rules.any_genuine_platform);
  EXPECT_EQ(rules.allowed_platforms.size(), 1u);
  EXPECT_EQ(rules.denied_platforms.size(), 1u);
  EXPECT_EQ(rules.fmspcs.size(), 1u);
}

TEST(PolicyDocument, ReadsEveryMemberOfItsAzureRules) {
  const auto policy = ParsePolicy(CompletePolicy());
  ASSERT_TRUE(policy && policy->az_snp && policy->az_tdx);
  EXPECT_EQ(policy->az_snp->snp.measurements, policy->snp->measurements);
  EXPECT_EQ(policy->az_tdx->tdx.mr_td, policy->tdx->mr_td);
  for (const azure::VtpmReferenceValues* vtpm : {&policy->az_snp->vtpm, &policy->az_tdx->vtpm}) {
    ASSERT_EQ(vtpm->pcrs.size(), 1u);
    EXPECT_EQ(vtpm->pcrs.at(4).size(), 1u);
    EXPECT_TRUE(vtpm->secure_boot_required);
  }
}

TEST(PolicyDocument, MayServeAnyTeeAlone) {
  for (const char* tee : {"snp", "tdx", "az-snp-vtpm", "az-tdx-vtpm"}) {
    SCOPED_TRACE(tee);
    Json document = CompletePolicy();
    document.Set("tees", Json::Object({{tee, *CompletePolicy().At({"tees", tee})}}));
    const auto policy = ParsePolicy(document);
    ASSERT_TRUE(policy) << policy.error().ToString();
    EXPECT_EQ(policy->snp.has_value(), tee == kSnp);
    EXPECT_EQ(policy->tdx.has_value(), tee == kTdx);
    EXPECT_EQ(policy->az_snp.has_value(), tee == kAzSnp);
    EXPECT_EQ(policy->az_tdx.has_value(), tee == kAzTdx);
  }
}

TEST(PolicyDocument, WantsTheServiceTdNamedOfAGuestThatMayMigrate) {
  Json document = CompletePolicy();
  Json& tdx = *document.Find("tees")->Find("tdx");
  At(tdx, {"tdAttributes", "mustClear"}) = codec::JsonArray();
  EXPECT_TRUE(ParsePolicy(document)) << "no service TD at all";
  At(tdx, {"mrServiceTd", "mode"}) = "Any";
  const auto open = ParsePolicy(document);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().where, "tees.tdx.tdAttributes.mustClear");
  tdx.Set("mrServiceTd",
          Json::Object({{"mode", "Listed"}, {"digests", Json::Array({std::string(96, 'd')})}}));
  EXPECT_TRUE(ParsePolicy(document));
  tdx.Set("mrServiceTd", Json::Object({{"mode", "Absent"}, {"digests", codec::JsonArray()}}));
  At(tdx, {"tdAttributes", "mustSet"}) = Json::Array({"MIGRATABLE"});
  const auto nobody = ParsePolicy(document);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().where, "tees.tdx.tdAttributes.mustSet = \"MIGRATABLE\"");
}

TEST(PolicyDocument, WantsARegisterOrAnEventOfATdx) {
  Json document = CompletePolicy();
  Json& tdx = *document.Find("tees")->Find("tdx");
  for (const char* name : {"rtmr0", "rtmr1", "rtmr2", "rtmr3"})
    At(tdx, {"rtmrs", name}) = Json::Object({{"mode", "Any"}, {"digests", codec::JsonArray()}});
  EXPECT_TRUE(ParsePolicy(document)) << "an event of the log names the guest";
  tdx.Set("events", codec::JsonArray());
  const auto policy = ParsePolicy(document);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().where, "tees.tdx.rtmrs");
  document.Find("tees")->Find("az-tdx-vtpm")->Set("tdx", tdx);
  document.Find("tees")->Erase("tdx");
  EXPECT_TRUE(ParsePolicy(document)) << "PCRs name the guest";
}

TEST(PolicyDocument, TakesAnAllowListOfExceptionsAlone) {
  Json document = CompletePolicy();
  At(document, {"tees", "tdx", "tcb", "statuses"}) = codec::JsonArray();
  EXPECT_TRUE(ParsePolicy(document));
  At(document, {"tees", "tdx", "tcb", "exceptions"}) = codec::JsonArray();
  const auto policy = ParsePolicy(document);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().where, "tees.tdx.tcb.statuses");
}

TEST(PolicyDocument, IsIncompleteWithoutAnySingleMember) {
  const Json complete = CompletePolicy();
  std::size_t tried = 0;
  for (const Place& place : Objects(complete)) {
    if (place.path == "tees") continue;  // which of them are served is a choice
    Json probe = complete;
    for (const auto& [name, unused] : *place.find(probe).if_object()) {
      Json document = complete;
      place.find(document).Erase(name);
      const std::string path = place.path + (place.path.empty() ? "" : ".") + name;
      SCOPED_TRACE(path);
      const auto policy = ParsePolicy(document);
      ASSERT_FALSE(policy);
      EXPECT_EQ(policy.error().code, ReasonCode::kPolicyIncomplete);
      EXPECT_EQ(policy.error().where, path);
      ++tried;
    }
  }
  EXPECT_GT(tried, 180u);
}

TEST(PolicyDocument, IsIncompleteWithAnyMemberNull) {
  const Json complete = CompletePolicy();
  for (const Place& place : Objects(complete)) {
    Json probe = complete;
    for (const auto& [name, unused] : *place.find(probe).if_object()) {
      Json document = complete;
      place.find(document).Set(name, nullptr);
      SCOPED_TRACE(place.path + " " + name);
      const auto policy = ParsePolicy(document);
      ASSERT_FALSE(policy);
      EXPECT_EQ(policy.error().code, ReasonCode::kPolicyIncomplete);
    }
  }
}

TEST(PolicyDocument, RefusesAMemberThatNobodyKnowsWhereverItStands) {
  const Json complete = CompletePolicy();
  for (const Place& place : Objects(complete)) {
    Json document = complete;
    place.find(document).Set("insecureSkipVerify", true);
    SCOPED_TRACE(place.path);
    const auto policy = ParsePolicy(document);
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().code, ReasonCode::kPolicyIncomplete);
    EXPECT_NE(policy.error().ToString().find("insecureSkipVerify"), std::string::npos);
  }
}

TEST(PolicyDocument, AcceptsTheEndsOfItsRanges) {
  for (const auto& [path, value] : std::vector<std::pair<std::vector<std::string>, Json>>{
           {{"revision"}, (std::int64_t{1} << 53) - 1},
           {{"freshness", "challengeSeconds"}, 10},
           {{"freshness", "challengeSeconds"}, 300},
           {{"lease", "seconds"}, 60},
           {{"lease", "seconds"}, 30 * 86400},
           {{"maxReleases"}, 1},
           {{"maxReleases"}, 1000},
           {{"tees", "snp", "minReportVersion"}, 5},
           {{"tees", "snp", "minGuestSvn"}, 4294967295u},
           {{"tees", "snp", "products", "0", "mitigations", "launch"}, "0xffffffffffffffff"},
           {{"tees", "snp", "guestPolicy", "minAbi"}, "255.255"},
           {{"tees", "tdx", "xfamAllowed"}, "0x6dbe7"},
           {{"tees", "tdx", "tcb", "evaluation", "minNumber"}, 4294967295u},
           {{"tees", "tdx", "events", "0", "type"}, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
           {{"tees", "az-snp-vtpm", "vtpm", "pcrs", "0"}, Json::Array({std::string(64, 'c')})},
           {{"tees", "az-snp-vtpm", "vtpm", "pcrs", "23"}, Json::Array({std::string(64, 'c')})}}) {
    Json document = CompletePolicy();
    At(document, path) = value;
    SCOPED_TRACE(codec::ToText(value));
    EXPECT_TRUE(ParsePolicy(document));
  }
}

TEST(PolicyDocument, NamesTheValueAndWhatItMustBe) {
  Json document = CompletePolicy();
  At(document, {"tees", "snp", "products", "0", "product"}) = "Rome";
  const auto policy = ParsePolicy(document);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().ToString(),
            "PolicyIncomplete: must be Milan, Genoa or Turin (tees.snp.products[0].product = \"Rome\")");
}

TEST(PolicyDocument, HasADigestThatDoesNotDependOnTheOrderOfMembers) {
  Json turned = CompletePolicy();
  std::ranges::reverse(*turned.if_object());
  const auto digest = ParsePolicy(CompletePolicy())->digest;
  EXPECT_EQ(ParsePolicy(turned)->digest, digest);
  EXPECT_EQ(digest, crypto::Sha256(AsBytes(codec::ToCanonicalText(CompletePolicy()))));
  At(turned, {"revision"}) = 8;
  EXPECT_NE(ParsePolicy(turned)->digest, digest);
}

/// What stands between ```yaml and ``` on a page, in order.
std::vector<Json> ExamplesOf(const std::string& page) {
  constexpr std::string_view kFence = "```yaml\n";
  std::vector<Json> out;
  for (std::size_t at = page.find(kFence); at != std::string::npos; at = page.find(kFence, at)) {
    at += kFence.size();
    const auto example = codec::ParseYaml(page.substr(at, page.find("```", at) - at));
    EXPECT_TRUE(example) << example.error().ToString();
    if (example) out.push_back(*example);
  }
  return out;
}

TEST(PolicyDocument, IsAsTheReferencePageShows) {
  const auto examples = ExamplesOf(test::ReadSource("docs/reference/policy.md"));
  ASSERT_EQ(examples.size(), 3u);
  std::set<std::string> tees;
  for (const Json& example : examples) {
    Json document = examples.front();
    document.Set("tees", *example.Find("tees"));  // the others show this member alone
    const auto policy = ParsePolicy(document);
    EXPECT_TRUE(policy) << policy.error().ToString();
    for (const auto& [name, unused] : *example.Find("tees")->if_object()) tees.insert(name);
  }
  EXPECT_EQ(tees, (std::set<std::string>{"az-tdx-vtpm", "snp", "tdx"}));
}

TEST(PolicyDocument, RefusesMoreThan256KiB) {
  Json document = CompletePolicy();
  document.Set("padding", std::string(kMaxPolicyBytes, 'x'));
  const auto policy = ParsePolicy(document);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, ReasonCode::kRequestMalformed);
}

TEST(PolicyDocument, RefusesWhatIsNoObject) {
  for (const Json& value : {Json(), Json("policy"), Json(codec::JsonArray()), Json(7)})
    EXPECT_FALSE(ParsePolicy(value));
}

}  // namespace
}  // namespace portcullis::policy
