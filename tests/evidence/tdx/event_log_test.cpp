#include "evidence/tdx/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "codec/json.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "tests/support/testdata.h"

// Logs of OVMF, GRUB, Google's and Alibaba's firmware and td-shim, defects of them, and small logs made here.
namespace portcullis::tdx {
namespace {

void Put(ByteBuffer& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xFF));
}
void Put(ByteBuffer& out, std::string_view text) { Append(out, AsBytes(text)); }

Measurement DigestOf(Bytes data) { return Measurement(crypto::Sha384(data).array()); }

/// A log written field by field; each defect of it is one change of one member.
struct LogWriter {
  struct Digest {
    std::uint16_t algorithm;
    ByteBuffer bytes;
  };
  struct Record {
    std::uint32_t index;
    std::uint32_t type;
    std::vector<Digest> digests;
    ByteBuffer data;
  };
  std::uint32_t first_type = kEvNoAction;
  std::string signature = std::string("Spec ID Event03\0", 16);
  std::vector<std::pair<std::uint16_t, std::uint16_t>> algorithms = {{0xC, 48}};
  std::string vendor;
  std::string after_vendor;
  std::vector<Record> records;
  ByteBuffer filler;

  LogWriter& Add(std::uint32_t index, std::uint32_t type, std::string_view data) {
    records.push_back(
        {index, type, {{0xC, ToBuffer(DigestOf(AsBytes(data)).bytes())}}, ToBuffer(AsBytes(data))});
    return *this;
  }
  ByteBuffer Write() const {
    ByteBuffer spec;
    Put(spec, signature);
    Put(spec, 0, 4);
    Put(spec, 0x02000200, 4);
    Put(spec, algorithms.size(), 4);
    for (const auto& [algorithm, size] : algorithms) {
      Put(spec, algorithm, 2);
      Put(spec, size, 2);
    }
    Put(spec, vendor.size(), 1);
    Put(spec, vendor);
    Put(spec, after_vendor);

    ByteBuffer out;
    Put(out, 1, 4);
    Put(out, first_type, 4);
    Append(out, ByteBuffer(20));
    Put(out, spec.size(), 4);
    Append(out, spec);
    for (const Record& record : records) {
      Put(out, record.index, 4);
      Put(out, record.type, 4);
      Put(out, record.digests.size(), 4);
      for (const Digest& digest : record.digests) {
        Put(out, digest.algorithm, 2);
        Append(out, digest.bytes);
      }
      Put(out, record.data.size(), 4);
      Append(out, record.data);
    }
    Append(out, filler);
    return out;
  }
};

LogWriter TwoEvents() { return LogWriter().Add(1, kEvSeparator, "first").Add(4, kEvSeparator, "second"); }

bool Refused(Bytes log) {
  const auto parsed = ParseEventLog(log);
  return !parsed && parsed.error().code == ReasonCode::kEvidenceMalformed;
}

codec::Json Cases(const std::filesystem::path& folder) {
  return codec::ParseJson(test::ReadFile(folder / "cases.json")).value();
}

std::vector<std::string> ReplayedHex(const EventLog& log) {
  std::vector<std::string> out;
  for (const Measurement& rtmr : log.Replay()) out.push_back(codec::EncodeHex(rtmr.bytes()));
  return out;
}

TEST(EventLogCases, EachHasItsVerdictAndReplaysToItsRegisters) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/ccel");
  const codec::Json cases = Cases(folder);
  ASSERT_EQ(cases.Find("cases")->if_array()->size(), 15u);
  for (const codec::Json& one : *cases.Find("cases")->if_array()) {
    const std::string name(one.TextAt({"log"}));
    SCOPED_TRACE(name);
    const ByteBuffer bytes = test::ReadBytes(folder / name);
    const std::string_view expected = one.TextAt({"expect"});
    if (expected == "eventlog_malformed" || expected == "eventlog_missing") {
      EXPECT_TRUE(Refused(bytes));
      continue;
    }
    // A mismatch is a log that is well formed and replays to something else: its registers stand in the case.
    ASSERT_TRUE(expected == "ok" || expected == "eventlog_mismatch");
    const auto log = ParseEventLog(bytes);
    ASSERT_TRUE(log) << log.error().ToString();
    if (const codec::Json* events = one.Find("events")) {
      EXPECT_EQ(log->records, events->if_uint64());
    }
    const auto replayed = ReplayedHex(*log);
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_EQ(replayed[i], *(*one.Find("rtmr")->if_array())[i].if_string());
  }
}

TEST(EventLogCases, TheLogOfAQuoteReplaysToTheRegistersThatItSigns) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx");
  const ByteBuffer quote = test::ReadBytes(folder / "quotes/v4-gcp-cos113.bin");
  const ByteBuffer bytes = test::ReadBytes(folder / "ccel/cos113.bin");
  const auto registers = ParseEventLog(bytes).value().Replay();
  // Header of 48 bytes, then the body of a TD 1.0 quote with its RTMRs at 328.
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(SameBytes(registers[i].bytes(), Bytes(quote).subspan(48 + 328 + 48 * i, 48))) << "RTMR" << i;
}

std::size_t BoundEvents(const EventLog& log) {
  return static_cast<std::size_t>(std::ranges::count_if(log.events, DataIsBound));
}

TEST(EventLogCases, DataIsBoundWhereTheTypesRuleHolds) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/ccel");
  for (const auto& [name, bound] : {std::pair{"cos113.bin", 31},
                                    {"gke.bin", 14},
                                    {"trustee-grub.bin", 19},
                                    {"trustee-ovmf.bin", 12},
                                    {"alibaba-aael.bin", 73},
                                    {"tdshim.bin", 2}}) {
    SCOPED_TRACE(name);
    const ByteBuffer bytes = test::ReadBytes(folder / name);
    EXPECT_EQ(BoundEvents(ParseEventLog(bytes).value()), static_cast<std::size_t>(bound));
  }
}

TEST(EventLogCases, CommandsOfGrubAreReadBehindTheirPrefix) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/ccel");
  const ByteBuffer bytes = test::ReadBytes(folder / "cos113.bin");
  std::vector<std::string> texts;
  const EventLog log = ParseEventLog(bytes).value();
  for (const Event& event : log.events)
    if (const auto bound = BoundData(event); bound && event.type == kEvIpl) texts.push_back(ToText(*bound));
  EXPECT_THAT(texts, testing::Contains("defaultA=2"));
  EXPECT_THAT(texts, testing::Contains(testing::StartsWith("/syslinux/vmlinuz.A init=")));
}

TEST(EventLogCases, ChangedDataIsNotBoundThoughTheReplayStaysTheSame) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/ccel");
  const ByteBuffer base_bytes = test::ReadBytes(folder / "trustee-ovmf.bin");
  const ByteBuffer changed_bytes = test::ReadBytes(folder / "neg-data-flip.bin");
  const EventLog base = ParseEventLog(base_bytes).value();
  const EventLog changed = ParseEventLog(changed_bytes).value();
  EXPECT_EQ(base.Replay(), changed.Replay());
  std::size_t different = 0;
  for (std::size_t i = 0; i < base.events.size(); ++i)
    if (!SameBytes(base.events[i].data, changed.events[i].data)) {
      ++different;
      EXPECT_FALSE(DataIsBound(changed.events[i]));
    }
  EXPECT_EQ(different, 1u);
}

TEST(ParseEventLog, ReadsTheEventsOfEachRegister) {
  const ByteBuffer bytes = TwoEvents().Write();
  const EventLog log = ParseEventLog(bytes).value();
  ASSERT_EQ(log.events.size(), 2u);
  EXPECT_EQ(log.records, 2u);
  EXPECT_EQ(log.events[0].rtmr, 0u);
  EXPECT_EQ(log.events[1].rtmr, 3u);
  EXPECT_EQ(log.events[1].type, kEvSeparator);
  EXPECT_EQ(log.events[1].digest, DigestOf(AsBytes("second")));
  EXPECT_EQ(AsText(log.events[1].data), "second");
}

TEST(ParseEventLog, RefusesEveryTruncationThatIsNotTheEndOfARecord) {
  LogWriter writer = TwoEvents();
  writer.vendor = "firmware";
  const ByteBuffer whole = writer.Write();
  std::set<std::size_t> ends;
  LogWriter shorter = writer;
  for (; !shorter.records.empty(); shorter.records.pop_back()) ends.insert(shorter.Write().size());
  ends.insert(shorter.Write().size());
  for (std::size_t size = 0; size <= whole.size(); ++size)
    EXPECT_EQ(Refused(Bytes(whole).first(size)), !ends.contains(size)) << size;
}

TEST(ParseEventLog, NoMutationKeepsTheRegistersAndChangesWhatIsBound) {
  PORTCULLIS_TESTDATA_OR_SKIP(folder, "tdx/ccel");
  const ByteBuffer whole = test::ReadBytes(folder / "trustee-ovmf.bin");
  const EventLog genuine = ParseEventLog(whole).value();
  const auto registers = genuine.Replay();
  std::size_t same_registers = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const std::byte flip : {std::byte{0x01}, std::byte{0x80}, std::byte{0xFF}}) {
      ByteBuffer changed = whole;
      changed[i] ^= flip;
      const auto log = ParseEventLog(changed);
      if (!log) {
        EXPECT_EQ(log.error().code, ReasonCode::kEvidenceMalformed);
        continue;
      }
      if (log->Replay() != registers) continue;
      ++same_registers;
      ASSERT_EQ(log->events.size(), genuine.events.size());
      for (std::size_t k = 0; k < genuine.events.size(); ++k) {
        EXPECT_EQ(log->events[k].digest, genuine.events[k].digest);
        if (const auto bound = BoundData(log->events[k])) {
          ASSERT_TRUE(DataIsBound(genuine.events[k])) << i;
          EXPECT_TRUE(SameBytes(*bound, *BoundData(genuine.events[k]))) << i;
        }
      }
    }
  EXPECT_GT(same_registers, 0u);
}

struct Defect {
  const char* name;
  void (*spoil)(LogWriter&);
};
const Defect kDefects[] = {
    {"FirstRecordOfAnotherType", [](LogWriter& log) { log.first_type = kEvSeparator; }},
    {"OtherSignature", [](LogWriter& log) { log.signature[14] = '2'; }},
    {"NoAlgorithm", [](LogWriter& log) { log.algorithms.clear(); }},
    {"NineAlgorithms",
     [](LogWriter& log) {
       log.algorithms.assign(9, {0xC, 48});
     }},
    {"AlgorithmTwice",
     [](LogWriter& log) {
       log.algorithms.assign(2, {0xC, 48});
     }},
    {"UnknownAlgorithm",
     [](LogWriter& log) {
       log.algorithms.push_back({0x30, 48});
     }},
    {"AlgorithmOfAnotherSize",
     [](LogWriter& log) {
       log.algorithms = {{0xC, 32}};
     }},
    {"NoSha384",
     [](LogWriter& log) {
       log.algorithms = {{0xB, 32}}, log.records.clear();
     }},
    {"BytesAfterTheVendors", [](LogWriter& log) { log.after_vendor = "x"; }},
    {"NoDigest", [](LogWriter& log) { log.records[0].digests.clear(); }},
    {"DigestTwice", [](LogWriter& log) { log.records[0].digests.push_back(log.records[0].digests[0]); }},
    {"DigestThatTheSpecIdDoesNotName",
     [](LogWriter& log) {
       log.records[0].digests.push_back({0xB, ByteBuffer(32)});
     }},
    {"ExtendWithoutSha384",
     [](LogWriter& log) {
       log.algorithms = {{0xC, 48}, {0xB, 32}};
       log.records[0].digests = {{0xB, ByteBuffer(32)}};
     }},
    {"RegisterZero", [](LogWriter& log) { log.records[0].index = 0; }},
    {"RegisterFive", [](LogWriter& log) { log.records[0].index = 5; }},
    {"DataAboveItsLimit", [](LogWriter& log) { log.records[0].data.resize(kMaxEventDataBytes + 1); }},
    {"FillerTooShort", [](LogWriter& log) { log.filler.assign(7, std::byte{0xFF}); }},
    {"FillerOfAnotherByte", [](LogWriter& log) { log.filler.assign(8, std::byte{0x11}); }},
    {"FillerThatEnds",
     [](LogWriter& log) {
       log.filler.assign(16, std::byte{0xFF});
       log.filler.back() = std::byte{0};
     }},
    {"FillerOfBoth",
     [](LogWriter& log) {
       log.filler.assign(8, std::byte{0xFF});
       log.filler.resize(16);
     }},
};

class ParseEventLogDefects : public testing::TestWithParam<Defect> {};

TEST_P(ParseEventLogDefects, AreRefused) {
  LogWriter log = TwoEvents();
  ASSERT_TRUE(ParseEventLog(log.Write()));
  GetParam().spoil(log);
  EXPECT_TRUE(Refused(log.Write()));
}
INSTANTIATE_TEST_SUITE_P(Each, ParseEventLogDefects, testing::ValuesIn(kDefects),
                         [](const auto& tested) { return tested.param.name; });

TEST(ParseEventLog, EndsAtFillerOfEitherKind) {
  for (const std::byte filler : {std::byte{0xFF}, std::byte{0}}) {
    LogWriter log = TwoEvents();
    for (const std::size_t size : {8, 64}) {
      log.filler.assign(size, filler);
      const ByteBuffer bytes = log.Write();
      const auto parsed = ParseEventLog(bytes);
      ASSERT_TRUE(parsed);
      EXPECT_EQ(parsed->records, 2u);
    }
  }
}

TEST(ParseEventLog, ReadsTheSha384DigestAmongOthers) {
  LogWriter log = TwoEvents();
  log.algorithms = {{0x4, 20},  {0xB, 32},  {0xC, 48},  {0xD, 64},
                    {0x12, 32}, {0x27, 32}, {0x28, 48}, {0x29, 64}};
  const LogWriter::Digest ours = log.records[0].digests[0];
  log.records[0].digests = {{0x4, ByteBuffer(20)}, {0xB, ByteBuffer(32)}, {0x29, ByteBuffer(64)}, ours};
  const ByteBuffer bytes = log.Write();
  EXPECT_EQ(ParseEventLog(bytes).value().events[0].digest, DigestOf(AsBytes("first")));
}

TEST(ParseEventLog, LeavesOutWhatExtendsNothing) {
  LogWriter log = TwoEvents();
  log.Add(0, kEvNoAction, "SP800-155 Event3")
      .Add(9, kEvNoAction, "anywhere")
      .Add(0xFFFFFFFF, kEvIpl, "nowhere");
  const ByteBuffer bytes = log.Write();
  const ByteBuffer without_bytes = TwoEvents().Write();
  const EventLog parsed = ParseEventLog(bytes).value();
  EXPECT_EQ(parsed.records, 5u);
  EXPECT_EQ(parsed.events.size(), 2u);
  EXPECT_EQ(parsed.Replay(), ParseEventLog(without_bytes).value().Replay());
}

TEST(ParseEventLog, HoldsItsLimits) {
  LogWriter most;
  for (std::size_t i = 0; i < kMaxEvents; ++i) most.Add(1, kEvSeparator, "");
  EXPECT_TRUE(ParseEventLog(most.Write()));
  most.Add(1, kEvSeparator, "");
  EXPECT_TRUE(Refused(most.Write()));

  LogWriter longest = TwoEvents();
  longest.records[0].data.resize(kMaxEventDataBytes);
  longest.filler.assign(kMaxEventLogBytes - longest.Write().size(), std::byte{0});
  EXPECT_TRUE(ParseEventLog(longest.Write()));
  longest.filler.push_back(std::byte{0});
  EXPECT_TRUE(Refused(longest.Write()));
}

TEST(Replay, ExtendsInOrderAndEachRegisterForItself) {
  const ByteBuffer bytes = LogWriter().Add(2, kEvIpl, "a").Add(2, kEvIpl, "b").Write();
  ByteBuffer extended(48);
  for (const char* text : {"a", "b"}) {
    Append(extended, DigestOf(AsBytes(text)).bytes());
    extended = ToBuffer(DigestOf(extended).bytes());
  }
  const auto registers = ParseEventLog(bytes).value().Replay();
  EXPECT_EQ(registers[1], Measurement::From(extended).value());
  EXPECT_TRUE(registers[0].IsZero());
  EXPECT_TRUE(registers[2].IsZero());
  EXPECT_TRUE(registers[3].IsZero());
  const ByteBuffer swapped = LogWriter().Add(2, kEvIpl, "b").Add(2, kEvIpl, "a").Write();
  EXPECT_NE(ParseEventLog(swapped).value().Replay()[1], registers[1]);
}

std::string Variable(std::string_view name, std::string_view value) {
  ByteBuffer out(16);
  Put(out, name.size() / 2, 8);
  Put(out, value.size(), 8);
  Put(out, name);
  Put(out, value);
  return ToText(out);
}

/// What of `data` is bound when `hashed` is what was measured.
std::optional<std::string> Bound(std::uint32_t type, std::string_view data, std::string_view hashed,
                                 std::uint32_t rtmr = 0) {
  const Event event{rtmr, type, DigestOf(AsBytes(hashed)), AsBytes(data)};
  const auto bound = BoundData(event);
  EXPECT_EQ(DataIsBound(event), bound.has_value());
  return bound ? std::optional(ToText(*bound)) : std::nullopt;
}

TEST(BoundData, IsAllOfItForTypesThatMeasureTheirData) {
  for (const std::uint32_t type :
       {kEvSeparator, kEvEfiAction, kEvEfiGptEvent, kEvEfiVariableDriverConfig, kEvEfiVariableAuthority}) {
    EXPECT_EQ(Bound(type, "data", "data"), "data");
    EXPECT_EQ(Bound(type, "data", "date"), std::nullopt);
  }
}

TEST(BoundData, IsTheValueOfABootVariableAndNotItsName) {
  const std::string data = Variable(std::string("B\0o\0", 4), "value");
  EXPECT_EQ(Bound(kEvEfiVariableBoot, data, "value"), "value");
  EXPECT_EQ(Bound(kEvEfiVariableBoot, data, data), std::nullopt);
  EXPECT_EQ(Bound(kEvEfiVariableBoot, data + "x", "value"), std::nullopt);
  EXPECT_EQ(Bound(kEvEfiVariableBoot, data.substr(0, data.size() - 1), "valu"), std::nullopt);
  ByteBuffer endless(16);
  Put(endless, ~std::uint64_t{0}, 8);
  Put(endless, 0, 8);
  EXPECT_EQ(Bound(kEvEfiVariableBoot, AsText(endless), ""), std::nullopt);
}

TEST(BoundData, IsTheTextBehindGrubsPrefixUpToItsNul) {
  using std::string_literals::operator""s;
  EXPECT_EQ(Bound(kEvIpl, "grub_cmd: set a=1\0"s, "set a=1"), "set a=1");
  EXPECT_EQ(Bound(kEvIpl, "kernel_cmdline: ro\0"s, "ro"), "ro");
  EXPECT_EQ(Bound(kEvIpl, "grub_cmd set a=1\0x"s, "set a=1\0"s), "set a=1\0"s);
  EXPECT_EQ(Bound(kEvIpl, "grub_cmd: set a=1\0"s, "set a=2"), std::nullopt);
  EXPECT_EQ(Bound(kEvIpl, "grub_cmd: set a=1", "set a=1"), std::nullopt);
  EXPECT_EQ(Bound(kEvIpl, "/boot/vmlinuz\0"s, "/boot/vmlinuz\0"s), std::nullopt);
}

TEST(BoundData, IsAllOfARuntimeEventOfTheAgent) {
  using std::string_literals::operator""s;
  const std::string event = "LEAA\4\0\0\0a b "s;
  EXPECT_EQ(Bound(kEvEventTag, event, event, 3), event);
  EXPECT_EQ(Bound(kEvEventTag, event, event, 2), std::nullopt);
  EXPECT_EQ(Bound(kEvEventTag, event + "x", event + "x", 3), std::nullopt);
  const std::string other = "LEAB\4\0\0\0a b "s;
  EXPECT_EQ(Bound(kEvEventTag, other, other, 3), std::nullopt);
}

TEST(BoundData, IsNothingForTypesWithoutARule) {
  for (const std::uint32_t type : {0x80000003u, 0x8000000Au, 0x8000000Bu, 0x0000000Au, 0x00000005u})
    EXPECT_EQ(Bound(type, "data", "data"), std::nullopt);
}

}  // namespace
}  // namespace portcullis::tdx
