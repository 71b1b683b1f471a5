#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/clock.h"
#include "codec/text.h"
#include "crypto/certificate.h"

namespace portcullis::http::test {

/// A certificate with its key, as PEM.
struct Identity {
  std::string certificate_pem;
  std::shared_ptr<const SecretBytes> key_pem;
  ByteBuffer der;

  std::string KeyText() const {
    return key_pem->Expose([](Bytes bytes) { return ToText(bytes); });
  }
};

inline crypto::CertificateTemplate Wanted(const std::string& common_name) {
  const WallTime now = SystemClock().Now();
  crypto::CertificateTemplate wanted;
  wanted.common_name = common_name;
  wanted.not_before = now - std::chrono::hours(1);
  wanted.not_after = now + std::chrono::hours(1);
  return wanted;
}

inline Identity AsIdentity(Result<crypto::IssuedCertificate> issued) {
  if (!issued) throw std::runtime_error(issued.error().ToString());
  return {codec::EncodePem("CERTIFICATE", issued->certificate_der),
          std::make_shared<const SecretBytes>(std::move(issued->private_key_pem)), issued->certificate_der};
}

/// A throw-away authority.
class Authority {
 public:
  Authority() {
    auto wanted = Wanted("test CA");
    wanted.is_ca = true;
    own_ = AsIdentity(crypto::IssueCertificate(wanted));
  }
  const std::string& pem() const { return own_.certificate_pem; }
  Identity Issue(const crypto::CertificateTemplate& wanted) const {
    return AsIdentity(crypto::IssueCertificate(wanted, own_.der, *own_.key_pem));
  }
  Identity Server(std::vector<std::string> dns_names = {"localhost"},
                  std::vector<std::string> addresses = {"127.0.0.1"}) const {
    auto wanted = Wanted("server");
    wanted.server_auth = true;
    wanted.dns_names = std::move(dns_names);
    wanted.ip_addresses = std::move(addresses);
    return Issue(wanted);
  }
  Identity Client(const std::string& name = "operator") const {
    auto wanted = Wanted(name);
    wanted.client_auth = true;
    wanted.uris = {"spiffe://cluster/" + name};
    return Issue(wanted);
  }

 private:
  Identity own_;
};

/// A folder that goes when the test does.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/portcullis-http-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  /// Written aside and renamed, as whoever renews a certificate should.
  std::string Write(const std::string& name, const std::string& content) const {
    const auto path = path_ / name;
    std::ofstream(path.string() + ".new") << content;
    std::filesystem::rename(path.string() + ".new", path);
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace portcullis::http::test
