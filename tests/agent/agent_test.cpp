#include "agent/agent.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "agent/azure_tee.h"
#include "tests/agent/fake_broker.h"
#include "tests/lab/programs/lab_azure.h"
#include "tests/lab/programs/lab_tsm.h"
#include "tests/support/fake_clock.h"

namespace portcullis::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// A machine without configfs-tsm.
class NoTsm final : public Files {
 public:
  Result<> MakeDirectory(const std::string&) override { return Error{ReasonCode::kNotFound, "no such file"}; }
  Result<> RemoveDirectory(const std::string&) override {
    return Error{ReasonCode::kNotFound, "no such file"};
  }
  Result<> Write(const std::string&, Bytes) override { return Error{ReasonCode::kNotFound, "no such file"}; }
  Result<ByteBuffer> Read(const std::string&, std::size_t) override {
    return Error{ReasonCode::kNotFound, "no such file"};
  }
};

/// A guest whose hardware is another vendor's.
class OtherTee final : public Files {
 public:
  Result<> MakeDirectory(const std::string&) override { return Done{}; }
  Result<> RemoveDirectory(const std::string&) override { return Done{}; }
  Result<> Write(const std::string&, Bytes) override { return Done{}; }
  Result<ByteBuffer> Read(const std::string& path, std::size_t) override {
    return ToBuffer(AsBytes(path.ends_with("/provider") ? "arm_cca_guest\n" : "1\n"));
  }
};

class AgentMainTest : public ::testing::Test {
 protected:
  AgentMainTest() {
    std::string name = "/dev/shm/portcullis-agent-XXXXXX";
    directory = mkdtemp(name.data());
    unsetenv("PORTCULLIS_INIT_DATA");
  }
  ~AgentMainTest() override { fs::remove_all(directory); }

  int Run(std::vector<std::string> arguments) { return RunOn(tsm, std::move(arguments)); }
  int RunOn(Files& files, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "portcullis-agent");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    const AgentPorts ports{
        .files = files,
        .clock = clock,
        .random = random,
        .connect = [this](const http::ClientOptions& options) -> Result<std::shared_ptr<http::Client>> {
          if (options.base_url == kMetadataUrl) return metadata;
          connections.push_back(options);
          return std::shared_ptr<http::Client>(broker);
        },
        .sleep =
            [this](milliseconds time) {
              sleeps.push_back(time);
              clock.Advance(time);
            },
        .open_vtpm = open_vtpm,
    };
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    const int exit_code = AgentMain(static_cast<int>(argv.size()), argv.data(), ports);
    output = ::testing::internal::GetCapturedStdout();
    errors = ::testing::internal::GetCapturedStderr();
    prctl(PR_SET_DUMPABLE, 1);  // leak checkers need to look into this process at its end
    return exit_code;
  }
  int Fetch() { return Run({"fetch", "--init-data", annotation, "--out", directory}); }

  std::string KeyFile(const std::string& name = "llama") const {
    std::ifstream in(directory + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void ExpectOneLine(std::string_view reason) const {
    EXPECT_EQ(std::ranges::count(errors, '\n'), 1) << errors;
    EXPECT_TRUE(errors.starts_with("portcullis-agent: " + std::string(reason) + ": ")) << errors;
    EXPECT_EQ(output, "");
  }

  const crypto::EcPrivateKey signing_key = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const std::string annotation = test::AnnotationWith(test::Claim(signing_key.public_key()));
  lab::LabTsm tsm{lab::LabPki::Shared(), test::LaunchedWith(annotation)};
  std::shared_ptr<test::FakeBroker> broker = std::make_shared<test::FakeBroker>(signing_key);
  test::FakeClock clock;
  test::SeededRandom random;
  std::function<Result<std::unique_ptr<Vtpm>>()> open_vtpm;
  std::shared_ptr<http::Client> metadata;
  std::vector<http::ClientOptions> connections;
  std::vector<milliseconds> sleeps;
  std::string directory, output, errors;
};

TEST_F(AgentMainTest, FetchesTheKeyIntoAFileOfTheKeysName) {
  ASSERT_EQ(Fetch(), 0) << errors;
  EXPECT_EQ(KeyFile(), "the model key");
  EXPECT_EQ(errors.find("the model key"), std::string::npos);
  EXPECT_TRUE(sleeps.empty());
}

TEST_F(AgentMainTest, LetsTheReadersInThatItIsToldOf) {
  ASSERT_EQ(Run({"fetch", "--init-data", annotation, "--out", directory, "--owner", std::to_string(geteuid()),
                 "--group-readable"}),
            0)
      << errors;
  struct stat status {};
  ASSERT_EQ(stat((directory + "/llama").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0440u);
  EXPECT_EQ(status.st_uid, geteuid());
}

TEST_F(AgentMainTest, ReachesTheBrokerThatInitDataNamesAndTrustsItsCaOnly) {
  ASSERT_EQ(Fetch(), 0) << errors;
  ASSERT_EQ(connections.size(), 1u);
  EXPECT_EQ(connections[0].base_url, "https://kbs.example:8443");
  EXPECT_EQ(connections[0].ca_pem, "the CA");
}

TEST_F(AgentMainTest, TakesInitDataFromTheEnvironmentAsThePodGivesIt) {
  setenv("PORTCULLIS_INIT_DATA", annotation.c_str(), 1);
  EXPECT_EQ(Run({"fetch", "--out", directory, "--name", "other"}), 0) << errors;
  unsetenv("PORTCULLIS_INIT_DATA");
  EXPECT_EQ(KeyFile("other"), "the model key");
}

TEST_F(AgentMainTest, MakesAKeyOnTheCurveAskedFor) {
  ASSERT_EQ(Run({"fetch", "--init-data", annotation, "--out", directory, "--curve", "P-521"}), 0) << errors;
  EXPECT_EQ(broker->bodies[1].TextAt({"runtime-data", "tee-pubkey", "crv"}), "P-521");
  EXPECT_EQ(KeyFile(), "the model key");
}

TEST_F(AgentMainTest, RefusesInitDataThatTheHardwareDidNotMeasureBeforeAnyCall) {
  auto claim = test::Claim(signing_key.public_key());
  claim.Member("kbs").Set("url", "https://attacker.example");
  EXPECT_EQ(Run({"fetch", "--init-data", test::AnnotationWith(claim), "--out", directory}), 3);
  ExpectOneLine("InitDataMismatch");
  EXPECT_TRUE(connections.empty());
  EXPECT_TRUE(broker->requests.empty());
  EXPECT_EQ(KeyFile(), "");
}

TEST_F(AgentMainTest, SaysInOneLineWhyItWasDeniedAndWhatToDo) {
  auto response = test::RefusalOf(ReasonCode::kMeasurementNotAllowed, false);
  auto body = codec::ParseJson(response.body).value();
  body.Set("reasons", codec::Json::Array({"MeasurementNotAllowed", "TcbBelowFloor", "Made\nup"}));
  response.body = codec::ToText(body);
  broker->attest_answers = {response};
  EXPECT_EQ(Fetch(), 3);
  ExpectOneLine("MeasurementNotAllowed");
  EXPECT_NE(errors.find(ReasonFor(ReasonCode::kMeasurementNotAllowed).remedy), std::string::npos);
  EXPECT_NE(errors.find("All reasons: MeasurementNotAllowed TcbBelowFloor."), std::string::npos) << errors;
  EXPECT_NE(errors.find("r-1"), std::string::npos);
  EXPECT_EQ(errors.find("Made"), std::string::npos);
  EXPECT_TRUE(sleeps.empty()) << "nothing changes by itself, so it is not tried again";
  EXPECT_EQ(KeyFile(), "");
}

TEST_F(AgentMainTest, KeepsRequestIdsFitToPrint) {
  auto response = test::RefusalOf(ReasonCode::kDebugEnabled, false);
  auto body = codec::ParseJson(response.body).value();
  body.Set("requestId", "a\nb\x1b[31m");
  response.body = codec::ToText(body);
  broker->attest_answers = {response};
  EXPECT_EQ(Fetch(), 3);
  ExpectOneLine("DebugEnabled");
  EXPECT_EQ(errors.find('\x1b'), std::string::npos);
}

TEST_F(AgentMainTest, DeniesABrokerThatIsNotTheOneNamed) {
  const auto stranger = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  broker->token_signer = &stranger;
  EXPECT_EQ(Fetch(), 3);
  ExpectOneLine("SignatureInvalid");
  EXPECT_EQ(KeyFile(), "");
}

TEST_F(AgentMainTest, TriesAgainWhatTimeCanCure) {
  broker->auth_answers = {Error{ReasonCode::kUnreachable, "connection refused"},
                          test::RefusalOf(ReasonCode::kReleaseUnknown, true)};
  broker->attest_answers = {test::RefusalOf(ReasonCode::kChallengeExpired, true),
                            test::RefusalOf(ReasonCode::kOverloaded, false, 503)};
  ASSERT_EQ(Fetch(), 0) << errors;
  ASSERT_EQ(sleeps.size(), 4u);
  for (std::size_t i = 0; i < sleeps.size(); ++i) {
    EXPECT_GE(sleeps[i], milliseconds(500 << i));
    EXPECT_LE(sleeps[i], milliseconds(750 << i));
  }
  EXPECT_EQ(connections.size(), 1u);
}

TEST_F(AgentMainTest, GivesUpWhenItsTimeIsOver) {
  for (int i = 0; i < 1000; ++i)
    broker->auth_answers.push_back(Error{ReasonCode::kUnreachable, "connection refused"});
  const SteadyTime started = clock.Steady();
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--out", directory, "--timeout", "60"}), 5);
  const auto took = clock.Steady() - started;
  EXPECT_GT(took, std::chrono::seconds(30));
  EXPECT_LT(took, std::chrono::seconds(70));
  EXPECT_LE(*std::ranges::max_element(sleeps), milliseconds(15'000));
  EXPECT_NE(errors.find("portcullis-agent: Unreachable: "), std::string::npos) << errors;
}

TEST_F(AgentMainTest, SaysTheLastRefusalWhenItsTimeIsOver) {
  for (int i = 0; i < 1000; ++i)
    broker->auth_answers.push_back(test::RefusalOf(ReasonCode::kPolicyMissing, true));
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--out", directory, "--timeout", "5"}), 3);
  EXPECT_NE(errors.find("portcullis-agent: PolicyMissing: "), std::string::npos) << errors;
}

TEST_F(AgentMainTest, TellsABrokerThatCanNotServeFromOneThatDenies) {
  for (const auto& [code, exit_code] :
       {std::pair{ReasonCode::kOverloaded, 5}, std::pair{ReasonCode::kAuditUnavailable, 5},
        std::pair{ReasonCode::kInternalError, 1}}) {
    broker->auth_answers.clear();
    for (int i = 0; i < 100; ++i) broker->auth_answers.push_back(test::RefusalOf(code, true, 503));
    EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--out", directory, "--timeout", "1"}), exit_code)
        << errors;
  }
}

TEST_F(AgentMainTest, CallsMalformedInputByItsName) {
  EXPECT_EQ(Run({"fetch", "--init-data", "not init-data", "--out", directory}), 4);
  ExpectOneLine("RequestMalformed");
  broker->auth_answers = {http::Response::Text(200, "not JSON")};
  EXPECT_EQ(Fetch(), 4);
  ExpectOneLine("RequestMalformed");
}

TEST_F(AgentMainTest, SaysThatTheMachineIsNoGuestItServes) {
  NoTsm no_tsm;
  EXPECT_EQ(RunOn(no_tsm, {"fetch", "--init-data", annotation, "--out", directory}), 2);
  ExpectOneLine("NotFound");
  OtherTee other_tee;
  EXPECT_EQ(RunOn(other_tee, {"fetch", "--init-data", annotation, "--out", directory}), 2);
  ExpectOneLine("TeeMismatch");
  EXPECT_TRUE(connections.empty());
}

TEST_F(AgentMainTest, AsksABusyMachineAgainBeforeItsFirstReport) {
  tsm.BeBusy(9);  // a request is made eight times
  ASSERT_EQ(Fetch(), 0) << errors;
  EXPECT_EQ(sleeps.size(), 9u) << "seven pauses, one wait, one pause";
  tsm.BeBusy(1'000'000);
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--out", directory, "--timeout", "20"}), 5);
  EXPECT_NE(errors.find("portcullis-agent: Overloaded: "), std::string::npos) << errors;
}

TEST_F(AgentMainTest, FetchesTheKeyInATdToo) {
  lab::LabTsm td(lab::TdxLabPki::Shared(), test::TdLaunchedWith(annotation));
  ASSERT_EQ(RunOn(td, {"fetch", "--init-data", annotation, "--out", directory}), 0) << errors;
  EXPECT_EQ(KeyFile(), "the model key");
  EXPECT_EQ(broker->bodies[0].TextAt({"tee"}), "tdx");
}

TEST_F(AgentMainTest, FetchesTheKeyInAnAzureVmToo) {
  lab::AzureState state;
  const auto init_data = codec::DecodeInitDataAnnotation(annotation).value();
  state.ExtendInitData(crypto::Sha256(AsBytes(init_data.text)));
  auto machine = std::make_unique<lab::LabAzure>(lab::LabPki::Shared(), lab::LaunchState::Milan(), state);
  metadata = machine->Metadata();
  open_vtpm = [&]() -> Result<std::unique_ptr<Vtpm>> { return std::unique_ptr<Vtpm>(std::move(machine)); };
  NoTsm no_tsm;
  ASSERT_EQ(RunOn(no_tsm, {"fetch", "--init-data", annotation, "--out", directory}), 0) << errors;
  EXPECT_EQ(KeyFile(), "the model key");
  EXPECT_EQ(broker->bodies[0].TextAt({"tee"}), "az-snp-vtpm");
}

TEST_F(AgentMainTest, AsksTheVtpmOnlyWhereThereIsNoConfigfs) {
  open_vtpm = []() -> Result<std::unique_ptr<Vtpm>> {
    ADD_FAILURE() << "opened";
    return Error{ReasonCode::kNotFound, "there is no TPM"};
  };
  EXPECT_EQ(Fetch(), 0) << errors;
}

TEST_F(AgentMainTest, SaysWhatIsMissingWhereThereIsNeither) {
  NoTsm no_tsm;
  open_vtpm = []() -> Result<std::unique_ptr<Vtpm>> {
    return Error{ReasonCode::kNotFound, "there is no TPM"};
  };
  EXPECT_EQ(RunOn(no_tsm, {"fetch", "--init-data", annotation, "--out", directory}), 2);
  ExpectOneLine("NotFound");
  EXPECT_NE(errors.find("there is no configfs-tsm"), std::string::npos) << errors;
  EXPECT_NE(errors.find("docs/install.md"), std::string::npos) << errors;
  EXPECT_EQ(errors.find("Check namespace and name"), std::string::npos) << "of what?";
  open_vtpm = []() -> Result<std::unique_ptr<Vtpm>> {
    return Error{ReasonCode::kInternalError, "the TPM can't be opened"};
  };
  EXPECT_EQ(RunOn(no_tsm, {"fetch", "--init-data", annotation, "--out", directory}), 1);
  EXPECT_NE(errors.find("the TPM can't be opened"), std::string::npos) << errors;
}

TEST_F(AgentMainTest, RefusesInitDataThatATdWasNotLaunchedWith) {
  lab::TdState state = test::TdLaunchedWith(annotation);
  state.mr_config_id = {};
  lab::LabTsm td(lab::TdxLabPki::Shared(), state);
  EXPECT_EQ(RunOn(td, {"fetch", "--init-data", annotation, "--out", directory}), 3);
  ExpectOneLine("InitDataMismatch");
  EXPECT_TRUE(connections.empty());
}

TEST_F(AgentMainTest, RefusesAKeyDirectoryThatIsNotMemory) {
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--out", "/proc/self"}), 2);
  EXPECT_NE(errors.find("tmpfs"), std::string::npos) << errors;
}

TEST_F(AgentMainTest, TakesUsageErrorsForUsageErrors) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"fetch"}), 2);
  EXPECT_EQ(Run({"steal", "--init-data", annotation}), 2);
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--curve", "P-384"}), 2);
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--timeout", "0"}), 2);
  EXPECT_EQ(Run({"exec", "--init-data", annotation}), 2);
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--owner", "-1"}), 2);
  EXPECT_EQ(Run({"fetch", "--init-data", annotation, "--owner", "root"}), 2);
  EXPECT_EQ(Run({"exec", "--init-data", annotation, "--owner", "1", "--", "/bin/true"}), 2);
  EXPECT_TRUE(connections.empty());
}

TEST_F(AgentMainTest, ExplainsItself) {
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_NE(output.find("fetch"), std::string::npos);
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_NE(output.find("portcullis-agent"), std::string::npos);
  EXPECT_EQ(Run({"fetch", "--help"}), 0);
  for (const char* option : {"--owner", "--group-readable", "0440"})
    EXPECT_NE(output.find(option), std::string::npos) << output;
}

TEST_F(AgentMainTest, SaysThatACommandCanNotBeRun) {
  EXPECT_EQ(Run({"exec", "--init-data", annotation, "--", "/no/such/command"}), 1);
  EXPECT_NE(errors.find("portcullis-agent: InternalError: the command can't be run"), std::string::npos)
      << errors;
}

}  // namespace
}  // namespace portcullis::agent
