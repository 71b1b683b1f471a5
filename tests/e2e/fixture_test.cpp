#include "tests/e2e/fixture.h"

#include <cstdio>
#include <cstdlib>

namespace portcullis::e2e {
namespace {

std::unique_ptr<World>& TheWorld() {
  static std::unique_ptr<World> world;
  return world;
}

std::filesystem::path TemporaryFolder(std::string pattern) {
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

/// Takes the world down after the last test, while the process is still whole.
class WorldsEnd final : public ::testing::Environment {
 public:
  void TearDown() override { World::Destroy(); }
};
[[maybe_unused]] const auto* const kTearDown = ::testing::AddGlobalTestEnvironment(new WorldsEnd);

}  // namespace

World& World::Get() {
  if (!TheWorld()) {
    TheWorld().reset(new World);
    if (const auto ready = TheWorld()->SetUp(); !ready) {
      std::fprintf(stderr, "end to end: %s\n", ready.error().ToString().c_str());
      Destroy();
      std::exit(1);
    }
  }
  return *TheWorld();
}

void World::Destroy() { TheWorld().reset(); }

Result<> World::SetUp() {
  folder_ = TemporaryFolder("/tmp/portcullis-e2e.XXXXXX");
  memory_ = TemporaryFolder("/dev/shm/portcullis-e2e.XXXXXX");
  cluster_ = TRY(Cluster::Start(folder_ / "control-plane"));
  installation_ = TRY(Installation::Prepare(*cluster_, folder_ / "portcullis"));
  job_ = std::make_unique<MainJob>(*installation_, memory_, [](const std::string&) {});
  TRY(installation_->InstallChart());
  TRY(job_->PrepareCluster());
  TRY(installation_->StartAll());
  return job_->PublishKeyAndPolicy();
}

World::~World() {
  job_.reset();
  installation_.reset();
  cluster_.reset();
  const bool keep = std::getenv("PORTCULLIS_E2E_KEEP") != nullptr;
  if (keep) std::fprintf(stderr, "end to end: kept %s\n", folder_.c_str());
  std::error_code ignored;
  if (!keep) std::filesystem::remove_all(folder_, ignored);
  std::filesystem::remove_all(memory_, ignored);
}

}  // namespace portcullis::e2e
