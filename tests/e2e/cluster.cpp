#include "tests/e2e/cluster.h"

#include <cstdlib>
#include <sstream>

namespace portcullis::e2e {

std::filesystem::path SourceRoot() {
  const char* chosen = std::getenv("PORTCULLIS_SOURCE");
  return chosen == nullptr ? PORTCULLIS_SOURCE_ROOT : chosen;
}

std::filesystem::path BinFolder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }

Result<std::unique_ptr<Cluster>> Cluster::Start(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder.parent_path());
  std::unique_ptr<Cluster> cluster(new Cluster(folder));
  const std::filesystem::path log = folder.string() + "-up.log";
  const auto up =
      TRY(RunCommand({(SourceRoot() / "tests/controlplane/up.sh").string(), folder.string()}, log));
  if (up.exit_code != 0)
    return Error{ReasonCode::kInternalError, "the control plane did not start", log.string()};
  cluster->bin_ = cluster->Variable("BIN");
  cluster->api_ = TRY(kube::ConnectKubeconfig(cluster->kubeconfig(), cluster->metrics_));
  return cluster;
}

Cluster::~Cluster() {
  (void)RunCommand({(SourceRoot() / "tests/controlplane/down.sh").string(), folder_.string()},
                   folder_.string() + "-down.log");
}

std::string Cluster::Variable(const std::string& name) const {
  std::istringstream lines(ReadText(folder_ / "env"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
  return "";
}

Result<std::string> Cluster::Kubectl(std::vector<std::string> arguments, std::string_view input) {
  arguments.insert(arguments.begin(), {kubectl(), "--kubeconfig", kubeconfig().string()});
  const std::filesystem::path log = folder_ / "kubectl.log";
  auto finished =
      TRY(RunCommand(arguments, log, {{"KUBECACHEDIR", (folder_ / "kubecache").string()}}, input));
  if (finished.exit_code != 0) {
    const std::string errors = ReadText(log);
    const auto start = errors.size() > 600 ? errors.size() - 600 : 0;
    return Error{ReasonCode::kRequestMalformed, "kubectl failed", errors.substr(start)};
  }
  return std::move(finished.output);
}

Result<std::filesystem::path> Cluster::KubeconfigFor(const std::string& namespace_name,
                                                     const std::string& service_account) {
  std::string token =
      TRY(Kubectl({"create", "token", service_account, "-n", namespace_name, "--duration=2h"}));
  while (!token.empty() && token.back() == '\n') token.pop_back();
  const std::filesystem::path path = folder_ / (service_account + ".kubeconfig");
  WriteText(folder_ / (service_account + ".token"), token);
  WriteText(
      path,
      "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster:\n    server: " +
          Variable("APISERVER") + "\n    certificate-authority: " + Variable("CA_FILE") +
          "\nusers:\n- name: u\n  user:\n    tokenFile: " +
          (folder_ / (service_account + ".token")).string() +
          "\ncontexts:\n- name: c\n  context: {cluster: c, user: u}\n");
  return path;
}

}  // namespace portcullis::e2e
