#include "kube/kubeconfig.h"

#include <gtest/gtest.h>

#include "codec/text.h"
#include "tests/kube/temporary_file.h"
#include "tests/support/fake_clock.h"

namespace portcullis::kube {
namespace {

constexpr std::string_view kCluster = R"(
    server: https://127.0.0.1:6443
    certificate-authority-data: Y2E=
    tls-server-name: kubernetes.default.svc
)";
constexpr std::string_view kUser = R"(
    client-certificate-data: Y2VydA==
    client-key-data: a2V5
)";

std::string Kubeconfig(std::string_view cluster, std::string_view user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: here\npreferences: {}\n"
         "contexts:\n- name: there\n  context:\n    cluster: x\n    user: y\n"
         "- name: here\n  context:\n    cluster: c\n    user: u\n    namespace: default\n"
         "clusters:\n- name: c\n  cluster:" +
         std::string(cluster) + "users:\n- name: u\n  user:" + std::string(user);
}

class KubeconfigTest : public testing::Test {
 protected:
  Result<Endpoint> Parse(std::string_view cluster, std::string_view user) {
    return ParseKubeconfig(Kubeconfig(cluster, user), folder_, clock_);
  }
  test::FakeClock clock_;
  std::string folder_ = "/nowhere";
};

TEST_F(KubeconfigTest, ReadsTheCurrentContext) {
  const auto endpoint = Parse(kCluster, kUser);
  ASSERT_TRUE(endpoint) << endpoint.error().ToString();
  EXPECT_EQ(endpoint->url, "https://127.0.0.1:6443");
  EXPECT_EQ(endpoint->server_name, "kubernetes.default.svc");
  EXPECT_EQ(endpoint->ca_pem, "ca");
  EXPECT_EQ(endpoint->client_certificate_pem, "cert");
  endpoint->client_key_pem->Expose([](Bytes key) { EXPECT_EQ(AsText(key), "key"); });
  EXPECT_EQ(endpoint->token->Authorization(), "");
}

TEST_F(KubeconfigTest, ReadsTokensFromTextAndFile) {
  EXPECT_EQ(Parse(kCluster, "\n    token: abc\n")->token->Authorization(), "Bearer abc");
  const test::TemporaryFile token("from-file\n");
  folder_ = token.folder();
  EXPECT_EQ(Parse(kCluster, "\n    tokenFile: file\n")->token->Authorization(), "Bearer from-file");
  EXPECT_FALSE(Parse(kCluster, "\n    tokenFile: absent\n"));
}

TEST_F(KubeconfigTest, ReadsCertificatesBesideTheFile) {
  const test::TemporaryFile ca("authority");
  folder_ = ca.folder();
  const auto endpoint = Parse("\n    server: https://a\n    certificate-authority: file\n", kUser);
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->ca_pem, "authority");
}

struct Refused {
  const char* name;
  std::string cluster, user;
};

TEST_F(KubeconfigTest, RefusesWhatItWouldHaveToIgnore) {
  const std::string cluster(kCluster), user(kUser);
  const Refused cases[] = {
      {"InsecureServer", cluster + "    insecure-skip-tls-verify: true\n", user},
      {"Proxy", cluster + "    proxy-url: http://proxy\n", user},
      {"ExecPlugin", cluster, "\n    exec:\n      command: aws\n"},
      {"AuthProvider", cluster, "\n    auth-provider:\n      name: gcp\n"},
      {"Password", cluster, "\n    username: a\n    password: b\n"},
      {"Impersonation", cluster, user + "    as: admin\n"},
      {"CertificateWithoutKey", cluster, "\n    client-certificate-data: Y2VydA==\n"},
      {"NoServer", "\n    certificate-authority-data: Y2E=\n", user},
      {"BadBase64", "\n    server: https://a\n    certificate-authority-data: '*'\n", user},
  };
  for (const Refused& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_FALSE(Parse(c.cluster, c.user));
  }
  EXPECT_TRUE(Parse(cluster + "    insecure-skip-tls-verify: false\n", user));
}

TEST_F(KubeconfigTest, RefusesAContextThatIsNotThere) {
  std::string text = Kubeconfig(kCluster, kUser);
  text.replace(text.find("current-context: here"), 21, "current-context: gone");
  const auto endpoint = ParseKubeconfig(text, folder_, clock_);
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ReasonCode::kConfigurationInvalid);
  EXPECT_EQ(endpoint.error().where, "contexts.\"gone\"");
}

}  // namespace
}  // namespace portcullis::kube
