#include "audit/row.h"

#include "audit/merkle.h"
#include "codec/text.h"

namespace portcullis::audit {
namespace {

constexpr std::string_view kDigestPrefix = "sha256:";

codec::Json EntryJson(const Entry& entry) {
  return codec::Json::Object({
      {"kind", entry.kind},
      {"requestId", entry.request_id},
      {"verdict", entry.verdict},
      {"reason", entry.reason},
      {"subject", entry.subject},
      {"resource", entry.resource},
      {"detail", entry.detail},
  });
}

Result<> CheckEntry(const codec::Json& value) {
  auto entry = TRY(codec::ObjectReader::Open(value));
  for (const std::string_view name : {"kind", "requestId", "verdict", "reason", "subject", "resource"})
    (void)TRY(entry.Text(name));
  (void)TRY(entry.Any("detail"));
  return entry.Finish();
}

Result<crypto::Sha256Digest> ParseDigest(std::string_view text) {
  if (!text.starts_with(kDigestPrefix))
    return Error{ReasonCode::kRequestMalformed, "a digest starts with sha256:", "previous"};
  return TRY_AT("previous", codec::FixedFromHex<crypto::Sha256Digest>(text.substr(kDigestPrefix.size())));
}

}  // namespace

Result<ParsedRow> ParseRow(std::string_view canonical) {
  const codec::Json json = TRY(codec::ParseJson(canonical, {.max_bytes = kMaxRowBytes}));
  auto in = TRY(codec::ObjectReader::Open(json));
  const codec::Json* entry = TRY(in.Object("entry"));
  TRY_AT("entry", CheckEntry(*entry));
  const std::string previous = TRY(in.Text("previous"));
  const std::int64_t sequence = TRY(in.Integer("sequence", 1, INT64_MAX));
  const std::string time = TRY(in.Text("time"));
  TRY(in.Finish());

  const auto previous_leaf = TRY(ParseDigest(previous));
  const WallTime parsed_time = TRY_AT("time", ParseTimestamp(time));
  ParsedRow out{
      .row = {.sequence = sequence,
              .canonical = std::string(canonical),
              .leaf = LeafHash(AsBytes(canonical)),
              .previous = previous_leaf},
      .time = parsed_time,
  };
  // Two texts for one row would be two logs that both look right.
  if (codec::ToCanonicalText(json) != canonical || FormatTimestampMicro(out.time) != time ||
      crypto::DigestText(out.row.previous) != previous)
    return Error{ReasonCode::kRequestMalformed, "the row is not in canonical form"};
  return out;
}

Result<Row> MakeRow(std::int64_t sequence, const crypto::Sha256Digest& previous, WallTime time,
                    const Entry& entry) {
  const std::string canonical = codec::ToCanonicalText(codec::Json::Object({
      {"sequence", sequence},
      {"time", FormatTimestampMicro(time)},
      {"entry", EntryJson(entry)},
      {"previous", crypto::DigestText(previous)},
  }));
  // A row that can't be read back would break the log for good at the next start.
  auto parsed = ParseRow(canonical);
  if (!parsed)
    return Error{ReasonCode::kInternalError, "an audit entry can't be written", parsed.error().ToString()};
  return std::move(parsed->row);
}

}  // namespace portcullis::audit
