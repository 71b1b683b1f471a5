#include "tests/lab/launch_state.h"

#include <cstdlib>

namespace portcullis::lab {

LaunchState LaunchState::Genoa() {
  LaunchState state;
  state.cpuid = {0x19, 0x11, 0x01};
  state.SetTcb(kGenoaTcb);
  state.current_firmware = state.committed_firmware = {1, 55, 40};
  return state;
}

LaunchState LaunchState::Turin() {
  LaunchState state;
  state.version = 5;
  state.cpuid = {0x1A, 0x02, 0x01};
  state.SetTcb(kTurinTcb);
  state.current_firmware = state.committed_firmware = {1, 55, 61};
  std::array<std::byte, snp::ChipId::kSize> chip{};
  for (std::size_t i = 0; i < 8; ++i) chip[i] = static_cast<std::byte>(0x3B + i);
  state.chip_id = snp::ChipId(chip);
  return state;
}

snp::Product LaunchState::product() const {
  const auto product = snp::ProductOf(cpuid);
  if (!product) std::abort();
  return *product;
}

LaunchState& LaunchState::SetTcb(const snp::Tcb& tcb) {
  reported_tcb = committed_tcb = current_tcb = launch_tcb = tcb;
  return *this;
}

}  // namespace portcullis::lab
