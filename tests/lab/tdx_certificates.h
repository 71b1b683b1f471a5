#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "tests/lab/tdx_state.h"
#include "tests/lab/x509_writer.h"

namespace portcullis::lab {

inline constexpr std::string_view kTdxRootName = "Intel SGX Root CA";
inline constexpr std::string_view kTdxPckName = "Intel SGX PCK Certificate";
inline constexpr std::string_view kTdxTcbSigningName = "Intel SGX TCB Signing";
std::string_view NameOfAuthority(tdx::PckCa ca);  // "Intel SGX PCK Platform CA"

SharedKey GenerateP256();
/// Intel's names: O, L, ST and C are the same everywhere.
NamePtr IntelName(std::string_view common_name);

/// A certificate in Intel's profile, unless a member says otherwise.
struct TdxCertificateSpec {
  enum class Role : std::uint8_t { kRoot, kAuthority, kEndEntity } role;
  std::string common_name, issuer_name;
  std::uint64_t serial;  // below 2^63
  WallTime not_before, not_after;
  std::string crl_url;
  struct Extension {
    std::string oid;
    ByteBuffer value;
    bool critical;
  };
  std::vector<Extension> further = {};
  std::string digest = "SHA256";
};
/// `issuer` null: signs itself.
crypto::Certificate SignCertificate(const TdxCertificateSpec& spec, const SharedKey& subject_key,
                                    const crypto::Certificate* issuer, const SharedKey& issuer_key);

/// The SGX extension of a PCK certificate (1.2.840.113741.1.13.1), as wrong as a test wants it.
struct SgxExtension {
  ByteBuffer ppid;
  std::array<std::uint32_t, 16> components;
  std::uint32_t pce_svn;
  ByteBuffer cpu_svn;
  ByteBuffer pce_id, fmspc;
  std::uint8_t sgx_type;
  std::optional<ByteBuffer> platform_instance_id;  // this and the configuration: Platform CA only
  bool has_configuration;
  std::set<std::string> without;    // arcs left out: "1", "2.17"
  std::set<std::string> twice;      // arcs written twice
  std::vector<ByteBuffer> further;  // whole SEQUENCEs behind the fields

  ByteBuffer Encode() const;
};

/// What a PCK certificate says. PckSpecFor() gives what Intel would issue.
struct PckSpec {
  TdxCertificateSpec certificate;
  std::optional<SgxExtension> extension;
  tdx::PckCa issuer;                     // whose key signs it
  bool p256 = true;                      // else P-384
  std::optional<std::string> pck_chain;  // PEM in place of PCK, CA and root
};
PckSpec PckSpecFor(const TdState& state);
/// The serial number of the PCK certificate: it goes by platform and TCB.
std::uint64_t PckSerialOf(const TdState& state);

std::string PemOf(const crypto::Certificate& certificate);

}  // namespace portcullis::lab
