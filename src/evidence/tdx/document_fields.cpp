#include <algorithm>
#include <limits>

#include "codec/text.h"
#include "evidence/tdx/signed_document.h"
#include "evidence/tdx/tcb_info.h"

namespace portcullis::tdx {
namespace {

constexpr std::size_t kMaxLevels = 256;  // 11 in the longest list known
constexpr std::size_t kMaxAdvisories = 256;
constexpr std::size_t kMaxNameLength = 64;

std::optional<std::uint32_t> NumberIn(const codec::Json& object, std::string_view name) {
  const codec::Json* member = object.Find(name);
  const auto value = member != nullptr ? member->if_uint64() : std::nullopt;
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<WallTime> DateIn(const codec::Json& object, std::string_view name) {
  const auto date = ParseDate(object.TextAt({name}));
  if (!date) return std::nullopt;
  return *date;
}

Result<SvnLevel> ReadSvnLevel(const codec::Json& value) {
  auto level = TRY(codec::ObjectReader::Open(value, ReasonCode::kEvidenceMalformed));
  const codec::Json* tcb_value = TRY(level.Object("tcb"));
  auto tcb = TRY(codec::ObjectReader::Open(*tcb_value, ReasonCode::kEvidenceMalformed));
  const auto isv_svn = static_cast<std::uint16_t>(TRY(tcb.Integer("isvsvn", 0, 0xFFFF)));
  auto status = TRY(ReadLevelStatus(level));
  return SvnLevel{isv_svn, std::move(status)};
}

}  // namespace

DocumentHead ReadDocumentHead(const codec::Json& object) {
  return {.id = std::string(object.TextAt({"id"})),
          .version = NumberIn(object, "version"),
          .issued = DateIn(object, "issueDate"),
          .next_update = DateIn(object, "nextUpdate"),
          .evaluation_number = NumberIn(object, "tcbEvaluationDataNumber")};
}

Result<LevelStatus> ReadLevelStatus(codec::ObjectReader& level) {
  LevelStatus out;
  const std::string date = TRY(level.Text("tcbDate", kMaxNameLength));
  out.date = TRY_AT("tcbDate", ParseDate(date));
  out.name = TRY(level.Text("tcbStatus", kMaxNameLength));
  out.status = TcbStatusOf(out.name);
  if (level.Optional("advisoryIDs") != nullptr)
    out.advisories = TRY(level.Texts("advisoryIDs", kMaxAdvisories, kMaxNameLength));
  return out;
}

Result<std::vector<SvnLevel>> ReadSvnLevels(codec::ObjectReader& owner) {
  std::vector<SvnLevel> out;
  for (const codec::Json& value : *TRY(owner.Array("tcbLevels", kMaxLevels)))
    out.push_back(TRY_AT("tcbLevels", ReadSvnLevel(value)));
  std::ranges::stable_sort(out, std::ranges::greater(), &SvnLevel::isv_svn);
  return out;
}

const SvnLevel* LevelReached(const std::vector<SvnLevel>& levels, std::uint16_t svn) {
  const auto found =
      std::ranges::find_if(levels, [&](const SvnLevel& level) { return svn >= level.isv_svn; });
  return found == levels.end() ? nullptr : &*found;
}

TcbInfoTarget ReadTcbInfoTarget(const codec::Json& object) {
  TcbInfoTarget out{.fmspc = std::nullopt, .pce_id = std::nullopt, .tcb_type = NumberIn(object, "tcbType")};
  if (const auto fmspc = codec::FixedFromHex<Fmspc>(object.TextAt({"fmspc"}))) out.fmspc = *fmspc;
  if (const auto pce_id = codec::FixedFromHex<PceId>(object.TextAt({"pceId"}))) out.pce_id = *pce_id;
  return out;
}

}  // namespace portcullis::tdx
