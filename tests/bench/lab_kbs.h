#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "tests/e2e/process.h"
#include "tests/http/pki.h"
#include "tests/release/lab_guest.h"

namespace portcullis::bench {

/// A portcullis-kbs-lab process on loopback, on a database on disk, with a model key and a policy for the
/// lab's guests (tests/release/lab_guest.h). Killed and removed when the object goes.
class LabKbs {
 public:
  /// `program` is the executable's path.
  static Result<std::unique_ptr<LabKbs>> Start(const std::string& program);

  /// As the controller registers an admitted pod.
  Result<> Register(const test::LabGuest& guest);
  std::uint16_t guest_port() const { return guest_port_; }
  const std::string& ca_pem() const { return authority_.pem(); }
  pid_t pid() const { return process_->pid(); }
  std::string folder() const { return folder_.path(); }

 private:
  LabKbs() = default;
  Result<> Launch(const std::string& program);
  Result<> Provision();
  Result<codec::Json> Put(const std::string& path, const codec::Json& body);

  struct Folder : http::test::TemporaryFolder {
    std::string path() const { return std::filesystem::path(Write("here", "")).parent_path(); }
  };
  Folder folder_;
  const http::test::Authority authority_;
  const test::KeyOwner owner_;
  std::uint16_t guest_port_ = e2e::FreePort(), broker_port_ = e2e::FreePort(), ops_port_ = e2e::FreePort();
  std::shared_ptr<http::Client> control_;
  std::optional<e2e::Process> process_;
};

}  // namespace portcullis::bench
