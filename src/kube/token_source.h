#pragma once

#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/secret_bytes.h"

namespace portcullis::kube {

/// The bearer token of a service account or kubeconfig. One from a file is read again each minute, since the
/// kubelet rotates it, and at once after Expire(). While the file can't be read, the last token stays in use.
/// Thread-safe.
class TokenSource {
 public:
  /// No token: Authorization() is "".
  explicit TokenSource(const Clock& clock) : clock_(clock) {}
  static Result<std::unique_ptr<TokenSource>> FromFile(std::string path, const Clock& clock);
  static std::unique_ptr<TokenSource> Fixed(SecretBytes token, const Clock& clock);

  /// "Bearer ..." for the Authorization field.
  std::string Authorization();
  /// The API server refused the token: the next use reads the file again.
  void Expire();

 private:
  Result<> Reload();

  const Clock& clock_;
  std::mutex mutex_;
  std::string path_;
  SecretBytes token_;
  bool expired_ = false;
  SteadyTime read_at_{};
};

}  // namespace portcullis::kube
