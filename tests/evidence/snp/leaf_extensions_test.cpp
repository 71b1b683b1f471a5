#include <gtest/gtest.h>

#include "tests/support/evidence_builder.h"

namespace portcullis::snp {
namespace {

using lab::LaunchState;
using lab::LeafSpec;

constexpr std::string_view kArc = "1.3.6.1.4.1.3704.1.";

crypto::Certificate LeafWith(const LaunchState& state, const std::function<void(LeafSpec&)>& change) {
  LeafSpec spec = lab::LeafSpecFor(state);
  change(spec);
  return lab::LabPki::Shared().Issue(spec).certificate;
}

ByteBuffer Octets(std::initializer_list<int> values) {
  ByteBuffer out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

/// Puts raw bytes in the place of an extension.
std::function<void(LeafSpec&)> Replace(const std::string& arc, const ByteBuffer& value) {
  return [=](LeafSpec& spec) {
    spec.without.insert(std::string(kArc) + arc);
    spec.further.push_back({std::string(kArc) + arc, value, false});
  };
}

void ExpectMismatch(const crypto::Certificate& leaf, const std::string& arc) {
  const auto extensions = ParseLeafExtensions(leaf);
  ASSERT_FALSE(extensions.has_value());
  EXPECT_EQ(extensions.error().code, ReasonCode::kCertificateMismatch);
  EXPECT_EQ(extensions.error().where, std::string(kArc) + arc);
}

TEST(ParseLeafExtensions, ReadsAVcek) {
  const LaunchState state = LaunchState::Genoa();
  const auto extensions = ParseLeafExtensions(LeafWith(state, [](LeafSpec&) {}));
  ASSERT_TRUE(extensions.has_value()) << extensions.error().ToString();
  EXPECT_EQ(extensions->struct_version, 0);
  EXPECT_EQ(extensions->product_name, "Genoa");
  EXPECT_EQ(extensions->tcb, state.reported_tcb);
  EXPECT_TRUE(SameBytes(*extensions->hwid, state.chip_id.bytes()));
  EXPECT_FALSE(extensions->csp_id.has_value());
}

TEST(ParseLeafExtensions, ReadsAVlek) {
  LaunchState state;
  state.key_kind = KeyKind::kVlek;
  const auto extensions = ParseLeafExtensions(LeafWith(state, [](LeafSpec&) {}));
  ASSERT_TRUE(extensions.has_value());
  EXPECT_EQ(extensions->csp_id, state.csp_id);
  EXPECT_FALSE(extensions->hwid.has_value());
}

TEST(ParseLeafExtensions, ReadsLevelsAbove127) {
  LaunchState state;
  state.SetTcb({.bootloader = 127, .tee = 128, .snp = 255, .microcode = 200});
  EXPECT_EQ(ParseLeafExtensions(LeafWith(state, [](LeafSpec&) {}))->tcb, state.reported_tcb);
}

TEST(ParseLeafExtensions, RefusesEachThatIsMissing) {
  for (const std::string arc : {"1", "2", "3.1", "3.2", "3.3", "3.8", "3.9"})
    ExpectMismatch(
        LeafWith(LaunchState::Turin(), [&](LeafSpec& s) { s.without.insert(std::string(kArc) + arc); }), arc);
}

TEST(ParseLeafExtensions, RefusesIntegersThatAreNotOneOf0To255) {
  const ByteBuffer kBad[] = {
      {},                       // nothing
      Octets({2}),              // no length
      Octets({2, 0}),           // no content
      Octets({2, 1}),           // content missing
      Octets({2, 1, 0x80}),     // negative
      Octets({2, 2, 0, 0x7F}),  // a byte too many
      Octets({2, 2, 1, 0}),     // 256
      Octets({2, 1, 1, 0}),     // trailing byte
      Octets({2, 0x81, 1, 1}),  // long form of the length
      Octets({4, 1, 1}),        // an OCTET STRING
      Octets({1}),              // raw
  };
  for (const ByteBuffer& value : kBad) ExpectMismatch(LeafWith({}, Replace("3.3", value)), "3.3");
}

TEST(ParseLeafExtensions, RefusesReservedLevelsThatAreNotZero) {
  for (const std::string arc : {"3.4", "3.5", "3.6", "3.7"})
    ExpectMismatch(LeafWith({}, Replace(arc, Octets({2, 1, 1}))), arc);
}

TEST(ParseLeafExtensions, RefusesAnFmcLevelInStructureVersion0) {
  ExpectMismatch(LeafWith({}, Replace("3.9", Octets({2, 1, 0}))), "3.9");
}

TEST(ParseLeafExtensions, RefusesAStructureVersionThatIsNotKnown) {
  ExpectMismatch(LeafWith({}, [](LeafSpec& s) { s.struct_version = 2; }), "1");
}

TEST(ParseLeafExtensions, RefusesTextThatIsNotPrintableIa5) {
  const ByteBuffer kBad[] = {Octets({0x16, 0}),      Octets({0x0C, 1, 'x'}),  Octets({0x16, 1, 0}),
                             Octets({0x16, 2, 'x'}), Octets({0x16, 1, 0x80}), Octets({0x16, 1, 'x', 'y'})};
  for (const ByteBuffer& value : kBad) {
    ExpectMismatch(LeafWith({}, Replace("2", value)), "2");
    ExpectMismatch(LeafWith({}, Replace("5", value)), "5");
  }
}

TEST(ParseLeafExtensions, RefusesHardwareIdsOfOtherSizes) {
  for (const std::size_t size : {0u, 1u, 7u, 9u, 63u, 65u, 67u})
    ExpectMismatch(LeafWith({}, Replace("4", ByteBuffer(size, std::byte{4}))), "4");
  // 66 and 10 bytes are a wrapped id only with the right tag and length.
  ExpectMismatch(LeafWith({}, Replace("4", ByteBuffer(66, std::byte{4}))), "4");
}

TEST(ParseLeafExtensions, ReadsARawHardwareIdThatLooksLikeDer) {
  ByteBuffer raw(64, std::byte{0x11});
  raw[0] = std::byte{0x04};
  raw[1] = std::byte{0x3E};  // a DER OCTET STRING of the other 62 bytes
  const auto extensions = ParseLeafExtensions(LeafWith({}, Replace("4", raw)));
  ASSERT_TRUE(extensions.has_value());
  EXPECT_EQ(*extensions->hwid, raw);
}

}  // namespace
}  // namespace portcullis::snp
