#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/e2e/main_job.h"

namespace portcullis::e2e {

/// One control plane with Portcullis on it for all end-to-end tests of this process; stopped and removed at
/// its end.
class World {
 public:
  /// Aborts the test run with the reason where it can't be set up: nothing below could mean anything.
  static World& Get();
  static void Destroy();
  ~World();

  MainJob& job() { return *job_; }
  Installation& installation() { return *installation_; }
  Cluster& cluster() { return *cluster_; }

 private:
  World() = default;
  Result<> SetUp();
  std::filesystem::path folder_, memory_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Installation> installation_;
  std::unique_ptr<MainJob> job_;
};

}  // namespace portcullis::e2e
