#include <cstdlib>

#include "kube/kubeconfig.h"

/// A kubeconfig never names a file outside the texts it holds here, and never leaves the server unnamed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;  // NOLINT: the entry point stands in no namespace
  static const SystemClock clock;
  const auto endpoint =
      kube::ParseKubeconfig(AsText(std::as_bytes(std::span(data, size))), "/nonexistent", clock);
  if (endpoint && endpoint->url.empty()) std::abort();
  return 0;
}
