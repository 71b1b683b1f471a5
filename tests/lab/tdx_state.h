#pragma once

#include <array>
#include <optional>

#include "codec/json.h"
#include "evidence/tdx/collateral.h"
#include "evidence/tdx/quote.h"
#include "tests/lab/event_log_writer.h"

namespace portcullis::lab {

/// What a pretended platform and TD are: all that a quote says but REPORTDATA, the event log, and what the
/// platform's PCK certificate says. The default is a healthy TD of TDX 1.0 in a quote of version 4;
/// Version5() and Outdated() are others.
struct TdState {
  // The quote.
  std::uint16_t version = 4;
  tdx::TeeTcbSvn tee_tcb_svn = Starting<tdx::TeeTcbSvn>({13, 1, 4});
  tdx::Measurement mr_seam = Filled<tdx::Measurement>(0x5E), mr_signer_seam;
  std::uint64_t seam_attributes = 0;
  std::uint64_t td_attributes = 0x10000000;  // SEPT_VE_DISABLE
  std::uint64_t xfam = 0x602E7;
  tdx::Measurement mr_td = Filled<tdx::Measurement>(0xD0);
  tdx::Measurement mr_config_id, mr_owner, mr_owner_config;
  std::vector<LabEvent> events = TypicalEvents();                    // the log that the guest hands over
  std::array<tdx::Measurement, 4> rtmrs = RtmrsOf(TypicalEvents());  // and what the hardware says of it
  bool has_event_log = true;
  std::optional<tdx::TdReport15> tdx15;  // TDX 1.5, in version 5 only

  // The quoting enclave.
  std::uint32_t qe_misc_select = 0;
  tdx::QeAttributes qe_attributes = Starting<tdx::QeAttributes>({0x15, 0, 0, 0, 0, 0, 0, 0, 0xE7});
  tdx::QeSigner qe_mr_signer = IntelQeSigner();
  std::uint16_t qe_isv_prod_id = 2, qe_isv_svn = 8;

  // The platform, as its PCK certificate says.
  tdx::PckCa ca = tdx::PckCa::kPlatform;
  tdx::Ppid ppid = Filled<tdx::Ppid>(0x9D);
  std::array<std::uint8_t, 16> components{4, 4, 2, 2, 4, 1, 0, 5};
  std::uint16_t pce_svn = 13;
  tdx::Fmspc fmspc = LabFmspc();
  std::array<std::uint8_t, 2> pce_id{};

  static TdState Version5();
  /// A platform without its microcode update: OutOfDate in the lab's collateral of both sets.
  static TdState Outdated();
  /// RTMRs and log of these events.
  TdState& SetEvents(std::vector<LabEvent> its_events);
  /// What the CCEL file of this TD holds; empty where it has none.
  ByteBuffer EventLog() const;

  static tdx::Fmspc LabFmspc() { return Starting<tdx::Fmspc>({0x90, 0xC0, 0x6F}); }
  static tdx::QeSigner IntelQeSigner();

  template <typename T>
  static T Filled(std::uint8_t value) {
    std::array<std::byte, T::kSize> bytes{};
    bytes.fill(std::byte{value});
    return T(bytes);
  }
  template <typename T>
  static T Starting(std::initializer_list<std::uint8_t> first) {
    std::array<std::byte, T::kSize> bytes{};
    std::ranges::transform(first, bytes.begin(), [](std::uint8_t value) { return std::byte{value}; });
    return T(bytes);
  }
};

/// The state as a file of the lab's agent, which tells it from an SNP guest's by "tee": "tdx": every member
/// optional, what is left out is the healthy default. Bytes are hex text, bit masks "0x…" text; "events" are
/// [{"rtmr", "type", "data", "digest"?}] and set the RTMRs, which "rtmrs" may then contradict. Errors:
/// RequestMalformed.
Result<TdState> TdStateFromJson(const codec::Json& value);
codec::Json ToJson(const TdState& state);

}  // namespace portcullis::lab
