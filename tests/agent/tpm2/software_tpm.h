#pragma once

#include <string>

#include "agent/tsm.h"
#include "base/bytes.h"

namespace portcullis::test {

/// An swtpm process on loopback with a state of its own, in which a test plays the paravisor: it makes the
/// attestation key and the NV index of the HCL report. One connection at a time, as swtpm has it.
class SoftwareTpm {
 public:
  SoftwareTpm();
  ~SoftwareTpm();
  SoftwareTpm(const SoftwareTpm&) = delete;
  SoftwareTpm& operator=(const SoftwareTpm&) = delete;

  bool running() const { return process_ > 0; }
  std::string tcti() const { return "swtpm:host=127.0.0.1,port=" + std::to_string(port_); }

  /// Makes a restricted RSA-2048 signing key at 0x81000003; its modulus.
  ByteBuffer MakeAttestationKey();
  /// Makes NV index 0x01400001 with this content: at most 2048 bytes, where Azure's holds 2600.
  void StoreHclReport(Bytes report);
  void ExtendPcr(unsigned pcr, Bytes digest);
  /// What the agent wrote to 0x01400002.
  ByteBuffer ReadReportData();

 private:
  bool Start();
  std::string folder_;
  std::uint16_t port_ = 0;
  int process_ = -1;
};

}  // namespace portcullis::test
