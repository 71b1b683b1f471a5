#include "tests/lab/tdx_collateral_spec.h"

#include "codec/text.h"
#include "tests/lab/tdx_certificates.h"
#include "tests/lab/tdx_quote_writer.h"

namespace portcullis::lab {
namespace {

using codec::Json;
using codec::JsonArray;

constexpr std::string_view kNoSigner =
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
constexpr std::string_view kStandardDate = "2024-11-13T00:00:00Z", kEarlyDate = "2025-08-13T00:00:00Z",
                           kOldDate = "2024-03-13T00:00:00Z";
constexpr std::string_view kOldAdvisories[] = {"INTEL-SA-01036", "INTEL-SA-01079", "INTEL-SA-01099"};

std::string UpperHex(Bytes bytes) {
  std::string out = codec::EncodeHex(bytes);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return out;
}

std::string DateText(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

bool IsEarly(const TdxCollateralOptions& options) { return options.set == tdx::EvaluationSet::kEarly; }

std::uint32_t NumberOf(const TdxCollateralOptions& options) {
  if (options.evaluation_number != 0) return options.evaluation_number;
  return IsEarly(options) ? 20 : 18;
}

Json Level(Json tcb, std::string_view date, std::string_view status,
           const std::vector<std::string>& advisories) {
  Json out = Json::Object({{"tcb", std::move(tcb)}, {"tcbDate", date}, {"tcbStatus", status}});
  JsonArray listed;
  for (const std::string& advisory : advisories) listed.emplace_back(advisory);
  if (!listed.empty()) out.Set("advisoryIDs", std::move(listed));
  return out;
}

std::vector<std::string> OldAdvisories() { return {std::begin(kOldAdvisories), std::end(kOldAdvisories)}; }

Json SvnLevel(std::uint16_t svn, std::string_view date, std::string_view status, bool old) {
  return Level(Json::Object({{"isvsvn", svn}}), date, status,
               old ? OldAdvisories() : std::vector<std::string>());
}

/// 16 component SVNs, of which the first ones are given.
Json Components(std::initializer_list<int> first) {
  JsonArray out;
  for (const int svn : first) out.push_back(Json::Object({{"svn", svn}}));
  while (out.size() < 16) out.push_back(Json::Object({{"svn", 0}}));
  return out;
}

Json PlatformLevel(std::initializer_list<int> sgx, std::initializer_list<int> tdx, std::string_view date,
                   std::string_view status, const std::vector<std::string>& advisories) {
  return Level(
      Json::Object(
          {{"sgxtcbcomponents", Components(sgx)}, {"pcesvn", 13}, {"tdxtcbcomponents", Components(tdx)}}),
      date, status, advisories);
}

Json PlatformLevels(const TdxCollateralOptions& options) {
  const std::vector<std::string> advisories(options.advisories.begin(), options.advisories.end());
  JsonArray out;
  if (IsEarly(options))
    out.push_back(
        PlatformLevel({4, 4, 2, 2, 4, 1, 0, 5}, {5, 0, 4}, kEarlyDate, options.platform_status, advisories));
  out.push_back(PlatformLevel({3, 3, 2, 2, 4, 1, 0, 5}, {5, 0, 3}, kStandardDate,
                              IsEarly(options) ? "OutOfDate" : std::string_view(options.platform_status),
                              IsEarly(options) ? OldAdvisories() : advisories));
  out.push_back(PlatformLevel({2, 2, 2, 2, 3, 1, 0, 5}, {5, 0, 2}, kOldDate, "OutOfDate", OldAdvisories()));
  return out;
}

Json Module(std::string_view id, JsonArray levels) {
  return Json::Object({{"id", id},
                       {"mrsigner", kNoSigner},
                       {"attributes", "0000000000000000"},
                       {"attributesMask", "FFFFFFFFFFFFFFFF"},
                       {"tcbLevels", std::move(levels)}});
}

Json ModuleIdentities(const TdxCollateralOptions& options) {
  const std::uint16_t newest = IsEarly(options) ? 11 : 6;
  const std::string_view date = IsEarly(options) ? kEarlyDate : kStandardDate;
  JsonArray out;
  for (const std::string_view id : {"TDX_03", "TDX_01"}) {
    JsonArray levels;
    levels.push_back(SvnLevel(newest, date, options.module_status, false));
    levels.push_back(SvnLevel(4, kOldDate, "OutOfDate", true));
    out.push_back(Module(id, std::move(levels)));
  }
  return out;
}

void SetHead(Json& document, std::string_view id, int version, const TdxCollateralOptions& options) {
  document.Set("id", id);
  document.Set("version", version);
  document.Set("issueDate", DateText(options.issued));
  document.Set("nextUpdate", DateText(options.issued + options.window));
}

ByteBuffer SignList(const SignedList& list) {
  return SignCrlEcdsa(list.list, *IntelName(list.issuer_name), list.signer);
}

}  // namespace

Json TcbInfoOf(const TdState& state, const TdxCollateralOptions& options) {
  Json out;
  SetHead(out, "TDX", 3, options);
  out.Set("fmspc", UpperHex(state.fmspc.bytes()));
  out.Set("pceId", UpperHex(std::as_bytes(std::span(state.pce_id))));
  out.Set("tcbType", 0);
  out.Set("tcbEvaluationDataNumber", NumberOf(options));
  out.Set("tdxModule", Json::Object({{"mrsigner", kNoSigner},
                                     {"attributes", "0000000000000000"},
                                     {"attributesMask", "FFFFFFFFFFFFFFFF"}}));
  out.Set("tdxModuleIdentities", ModuleIdentities(options));
  out.Set("tcbLevels", PlatformLevels(options));
  return out;
}

Json QeIdentityOf(const TdxCollateralOptions& options) {
  Json out;
  SetHead(out, "TD_QE", 2, options);
  out.Set("tcbEvaluationDataNumber", NumberOf(options));
  out.Set("miscselect", "00000000");
  out.Set("miscselectMask", "FFFFFFFF");
  out.Set("attributes", "11000000000000000000000000000000");
  out.Set("attributesMask", "FBFFFFFFFFFFFFFF0000000000000000");
  out.Set("mrsigner", UpperHex(TdState::IntelQeSigner().bytes()));
  out.Set("isvprodid", 2);
  JsonArray levels;
  levels.push_back(SvnLevel(IsEarly(options) ? 6 : 4, IsEarly(options) ? kEarlyDate : kStandardDate,
                            options.qe_status, false));
  levels.push_back(SvnLevel(2, kOldDate, "OutOfDate", true));
  out.Set("tcbLevels", std::move(levels));
  return out;
}

std::string SignDocument(std::string_view member, std::string_view object, const SharedKey& signer) {
  std::string out = "{\"";
  out.append(member).append("\":").append(object).append(",\"signature\":\"");
  return out + codec::EncodeHex(RawSignature(signer, AsBytes(object))) + "\"}";
}

tdx::CollateralBytes SignCollateral(const TdxCollateralSpec& spec) {
  const std::string tcb_info = SignDocument("tcbInfo", codec::ToText(spec.tcb_info), spec.tcb_info_signer);
  const std::string qe_identity =
      SignDocument("enclaveIdentity", codec::ToText(spec.qe_identity), spec.qe_identity_signer);
  return {.tcb_info = ToBuffer(AsBytes(tcb_info)),
          .qe_identity = ToBuffer(AsBytes(qe_identity)),
          .tcb_info_chain = spec.tcb_info_chain,
          .qe_identity_chain = spec.qe_identity_chain,
          .pck_crl = SignList(spec.pck_crl),
          .root_crl = SignList(spec.root_crl),
          .pck_crl_chain = spec.pck_crl_chain};
}

}  // namespace portcullis::lab
