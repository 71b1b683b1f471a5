#include "tests/agent/tpm2/software_tpm.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "agent/tpm2/esys.h"

namespace portcullis::test {
namespace {

using agent::EsysMemory;
using agent::EsysPtr;
using agent::TctiPtr;
using agent::TpmObject;

constexpr TPM2_HANDLE kHclReportIndex = 0x01400001, kReportDataIndex = 0x01400002,
                      kAttestationKey = 0x81000003;
constexpr std::size_t kChunk = 512;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// A bound socket at this port, or at any for 0; -1 where it is taken.
int Bound(std::uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(port);
  socklen_t size = sizeof address;
  auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  if (bind(fd, generic, size) != 0) {
    close(fd);
    return -1;
  }
  getsockname(fd, generic, &size);
  port = ntohs(address.sin_port);
  return fd;
}

/// A port that is free together with the next one: commands and control.
std::uint16_t FreePair() {
  for (int attempt = 0; attempt < 50; ++attempt) {
    std::uint16_t first = 0;
    const int commands = Bound(first);
    std::uint16_t second = static_cast<std::uint16_t>(first + 1);
    const int control = Bound(second);
    close(commands);
    if (control < 0) continue;
    close(control);
    return first;
  }
  return 0;
}

bool Answers(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool connected =
      connect(fd, static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) == 0;
  close(fd);
  return connected;
}

/// A connection for as long as the test plays the paravisor.
struct Session {
  explicit Session(const std::string& name) {
    setenv("TSS2_LOG", "all+none", 0);  // as the agent does, since the library reads it once
    TSS2_TCTI_CONTEXT* opened = nullptr;
    EXPECT_EQ(Tss2_TctiLdr_Initialize(name.c_str(), &opened), TSS2_RC_SUCCESS);
    tcti.reset(opened);
    ESYS_CONTEXT* made = nullptr;
    EXPECT_EQ(Esys_Initialize(&made, opened, nullptr), TSS2_RC_SUCCESS);
    esys.reset(made);
  }
  ESYS_CONTEXT* context() const { return esys.get(); }
  TctiPtr tcti;
  EsysPtr esys;
};

TPM2B_PUBLIC AttestationKeyTemplate() {
  TPM2B_PUBLIC out{};
  out.publicArea.type = TPM2_ALG_RSA;
  out.publicArea.nameAlg = TPM2_ALG_SHA256;
  out.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_NODA;
  TPMS_RSA_PARMS& rsa = out.publicArea.parameters.rsaDetail;
  rsa.symmetric.algorithm = TPM2_ALG_NULL;
  rsa.scheme.scheme = TPM2_ALG_RSASSA;
  rsa.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
  rsa.keyBits = 2048;
  return out;
}

}  // namespace

SoftwareTpm::SoftwareTpm() {
  folder_ = std::filesystem::temp_directory_path() / "portcullis-swtpm-XXXXXX";
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  for (int attempt = 0; attempt < 3 && !Start(); ++attempt) continue;
  EXPECT_TRUE(running()) << "swtpm (Debian package swtpm) does not start";
}

SoftwareTpm::~SoftwareTpm() {
  if (process_ > 0) {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
}

bool SoftwareTpm::Start() {
  port_ = FreePair();
  std::string state = "dir=" + folder_;
  std::string commands = "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port_);
  std::string control = "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port_ + 1);
  std::vector<std::string> words = {"swtpm",
                                    "socket",
                                    "--tpm2",
                                    "--tpmstate",
                                    state,
                                    "--server",
                                    commands,
                                    "--ctrl",
                                    control,
                                    "--flags",
                                    "not-need-init,startup-clear"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (posix_spawnp(&process_, "swtpm", nullptr, nullptr, argv.data(), environ) != 0) {
    process_ = -1;
    return false;
  }
  for (int wait = 0; wait < 500; ++wait) {
    if (Answers(static_cast<std::uint16_t>(port_ + 1))) return true;
    if (waitpid(process_, nullptr, WNOHANG) != 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  process_ = -1;
  return false;
}

ByteBuffer SoftwareTpm::MakeAttestationKey() {
  const Session session(tcti());
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC wanted = AttestationKeyTemplate();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION creation{};
  ESYS_TR key = ESYS_TR_NONE, kept = ESYS_TR_NONE;
  TPM2B_PUBLIC* made = nullptr;
  EXPECT_EQ(
      Esys_CreatePrimary(session.context(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                         &sensitive, &wanted, &outside, &creation, &key, &made, nullptr, nullptr, nullptr),
      TSS2_RC_SUCCESS);
  const EsysMemory<TPM2B_PUBLIC> owned(made);
  EXPECT_EQ(Esys_EvictControl(session.context(), ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, kAttestationKey, &kept),
            TSS2_RC_SUCCESS);
  EXPECT_EQ(Esys_FlushContext(session.context(), key), TSS2_RC_SUCCESS);
  const TPM2B_PUBLIC_KEY_RSA& modulus = made->publicArea.unique.rsa;
  return ToBuffer(std::as_bytes(std::span(modulus.buffer, modulus.size)));
}

void SoftwareTpm::StoreHclReport(Bytes report) {
  const Session session(tcti());
  TPM2B_NV_PUBLIC wanted{};
  wanted.nvPublic.nvIndex = kHclReportIndex;
  wanted.nvPublic.nameAlg = TPM2_ALG_SHA256;
  wanted.nvPublic.attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD;
  wanted.nvPublic.dataSize = static_cast<UINT16>(report.size());
  const TPM2B_AUTH no_password{};
  ESYS_TR index = ESYS_TR_NONE;
  ASSERT_EQ(Esys_NV_DefineSpace(session.context(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                ESYS_TR_NONE, &no_password, &wanted, &index),
            TSS2_RC_SUCCESS);
  for (std::size_t done = 0; done < report.size(); done += kChunk) {
    const Bytes part = report.subspan(done, std::min(kChunk, report.size() - done));
    TPM2B_MAX_NV_BUFFER content{};
    content.size = static_cast<UINT16>(part.size());
    std::ranges::transform(part, content.buffer, [](std::byte b) { return std::to_integer<BYTE>(b); });
    ASSERT_EQ(Esys_NV_Write(session.context(), ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                            ESYS_TR_NONE, &content, static_cast<UINT16>(done)),
              TSS2_RC_SUCCESS);
  }
}

void SoftwareTpm::ExtendPcr(unsigned pcr, Bytes digest) {
  const Session session(tcti());
  TPML_DIGEST_VALUES values{};
  values.count = 1;
  values.digests[0].hashAlg = TPM2_ALG_SHA256;
  std::ranges::transform(digest, values.digests[0].digest.sha256,
                         [](std::byte b) { return std::to_integer<BYTE>(b); });
  EXPECT_EQ(Esys_PCR_Extend(session.context(), ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                            ESYS_TR_NONE, &values),
            TSS2_RC_SUCCESS);
}

ByteBuffer SoftwareTpm::ReadReportData() {
  const Session session(tcti());
  const auto index = TpmObject::Open(session.context(), kReportDataIndex);
  EXPECT_TRUE(index);
  if (!index) return {};
  TPM2B_MAX_NV_BUFFER* read = nullptr;
  EXPECT_EQ(Esys_NV_Read(session.context(), ESYS_TR_RH_OWNER, index->id(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                         ESYS_TR_NONE, agent::ReportData::kSize, 0, &read),
            TSS2_RC_SUCCESS);
  const EsysMemory<TPM2B_MAX_NV_BUFFER> owned(read);
  return ToBuffer(std::as_bytes(std::span(read->buffer, read->size)));
}

}  // namespace portcullis::test
