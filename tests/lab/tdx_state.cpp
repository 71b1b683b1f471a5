#include "tests/lab/tdx_state.h"

namespace portcullis::lab {

TdState TdState::Version5() {
  TdState state;
  state.version = 5;
  state.tdx15 = tdx::TdReport15{state.tee_tcb_svn, {}};
  return state;
}

TdState TdState::Outdated() {
  TdState state;
  state.tee_tcb_svn = Starting<tdx::TeeTcbSvn>({13, 1, 2});
  state.components = {2, 2, 2, 2, 3, 1, 0, 5};
  return state;
}

TdState& TdState::SetEvents(std::vector<LabEvent> its_events) {
  events = std::move(its_events);
  rtmrs = RtmrsOf(events);
  has_event_log = true;
  return *this;
}

ByteBuffer TdState::EventLog() const { return has_event_log ? WriteEventLog(events) : ByteBuffer(); }

tdx::QeSigner TdState::IntelQeSigner() {
  return Starting<tdx::QeSigner>({0xDC, 0x9E, 0x2A, 0x7C, 0x6F, 0x94, 0x8F, 0x17, 0x47, 0x4E, 0x34,
                                  0xA7, 0xFC, 0x43, 0xED, 0x03, 0x0F, 0x7C, 0x15, 0x63, 0xF1, 0xBA,
                                  0xBD, 0xDF, 0x63, 0x40, 0xC8, 0x2E, 0x0E, 0x54, 0xA8, 0xC5});
}

}  // namespace portcullis::lab
