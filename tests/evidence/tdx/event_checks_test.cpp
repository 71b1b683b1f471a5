#include <gmock/gmock.h>

#include "tests/evidence/tdx/manifest.h"
#include "tests/lab/tdx_lab.h"

namespace portcullis::tdx {
namespace {

using lab::LabEvent;
using lab::TdState;
using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNow = ParseTimestamp("2026-03-01T00:00:00Z").value();
const LabEvent kRuntimeEvent = lab::TextEvent(3, 6, "a policy's event");

/// What refuses a TD of this state under a policy that demands these events.
std::vector<std::string> RefusalsOf(const TdState& state, std::vector<RequiredEvent> events) {
  const lab::TdxLabPki& pki = lab::TdxLabPki::Shared();
  const Binding binding{TdState::Filled<ReportData>(0x42), std::nullopt};
  const Evidence evidence = pki.MintEvidence(state, binding.report_data);
  ReferenceValues reference = test::DefaultReference(ParseQuote(evidence.quote)->report);
  reference.events = std::move(events);
  const test::OneCollateral collateral(pki.CollateralFor(state, {.issued = kNow}));
  return test::Refusals(VerifyTdx(evidence, collateral, pki.anchors(), kNow, &reference, &binding).tree);
}

TdState WithRuntimeEvent() {
  TdState state;
  std::vector<LabEvent> events = lab::TypicalEvents();
  events.push_back(kRuntimeEvent);
  state.SetEvents(std::move(events));
  return state;
}
RequiredEvent Demanded() { return {3, 6, {kRuntimeEvent.DigestOf()}}; }

TEST(TdxRuntimeEvents, CountInARegisterThatReplays) {
  EXPECT_THAT(RefusalsOf(WithRuntimeEvent(), {Demanded()}), IsEmpty());
}

// Some guests extend RTMR3 without an entry in the log.
TEST(TdxRuntimeEvents, OfRtmr3MatterOnlyToAPolicyThatUsesThem) {
  TdState state = WithRuntimeEvent();
  state.rtmrs[3] = TdState::Filled<Measurement>(0x33);
  EXPECT_THAT(RefusalsOf(state, {}), IsEmpty());
  EXPECT_THAT(RefusalsOf(state, {Demanded()}), ElementsAre("tdx.events"));
  const LabEvent boot = lab::TypicalEvents().front();
  EXPECT_THAT(RefusalsOf(state, {{boot.rtmr, boot.type, {boot.DigestOf()}}}), IsEmpty());
}

TEST(TdxRuntimeEvents, OfTheBootMustReplayWhateverThePolicySays) {
  for (std::size_t i = 0; i < 3; ++i) {
    TdState state;
    state.rtmrs[i] = TdState::Filled<Measurement>(0x33);
    EXPECT_THAT(RefusalsOf(state, {}), ElementsAre("tdx.eventlog-mismatch")) << i;
    state.has_event_log = false;
    EXPECT_THAT(RefusalsOf(state, {}), IsEmpty()) << i;
    EXPECT_THAT(RefusalsOf(state, {Demanded()}), ElementsAre("tdx.eventlog-missing")) << i;
  }
}

}  // namespace
}  // namespace portcullis::tdx
