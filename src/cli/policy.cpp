#include "policy/policy.h"

#include <CLI/CLI.hpp>
#include <ostream>

#include "cli/commands.h"
#include "cli/documents.h"

namespace portcullis::cli {
namespace {

struct PolicyOptions {
  std::string in, key, authority, format;
  bool add = false;
};

struct Loaded {
  PolicyFile file;
  policy::Policy policy;
};

Result<Loaded> Load(const std::string& path, const CliPorts& ports) {
  PolicyFile file = TRY(ReadPolicyFile(path, ports));
  policy::Policy policy = TRY_AT(Quoted(path), policy::ParsePolicy(file.document));
  return Loaded{std::move(file), std::move(policy)};
}

/// A ReleasePolicy object that kubectl can apply as it is.
codec::Json ReleasePolicyObject(const Loaded& loaded, const std::vector<std::string>& signatures) {
  return codec::Json::Object(
      {{"apiVersion", kApiVersion},
       {"kind", "ReleasePolicy"},
       {"metadata",
        codec::Json::Object({{"name", loaded.policy.name}, {"namespace", loaded.policy.namespace_name}})},
       {"spec",
        codec::Json::Object({{"policy", loaded.file.document},
                             {"signatures", codec::JsonArray(signatures.begin(), signatures.end())}})}});
}

Result<Exit> Sign(const PolicyOptions& options, const Context& context) {
  const Loaded loaded = TRY(Load(options.in, context.ports()));
  const crypto::EcPrivateKey key = TRY(ReadPrivateKey(options.key));
  std::vector<std::string> signatures;
  if (options.add) signatures = loaded.file.signatures;
  signatures.push_back(policy::SignPolicy(loaded.file.document, key));
  const codec::Json object = ReleasePolicyObject(loaded, signatures);
  if (options.format == "json")
    context.PrintJson(object);
  else
    context.out() << codec::ToYaml(object);
  return Exit::kDone;
}

Result<Exit> Explain(const PolicyOptions& options, const Context& context) {
  const Loaded loaded = TRY(Load(options.in, context.ports()));
  const std::string text = policy::Explain(loaded.policy);
  if (options.format == "json")
    context.PrintJson(codec::Json::Object({{"namespace", loaded.policy.namespace_name},
                                           {"name", loaded.policy.name},
                                           {"revision", loaded.policy.revision},
                                           {"digest", crypto::DigestText(loaded.policy.digest)},
                                           {"explanation", text}}));
  else
    context.out() << text;
  return Exit::kDone;
}

Result<Exit> Verify(const PolicyOptions& options, const Context& context) {
  const Loaded loaded = TRY(Load(options.in, context.ports()));
  const crypto::EcPublicKey authority = TRY(ReadPublicKey(options.authority));
  TRY_AT(Quoted(options.in),
         policy::VerifySignature(loaded.file.document, loaded.file.signatures, authority));
  const std::string digest = crypto::DigestText(loaded.policy.digest);
  if (options.format == "json")
    context.PrintJson(codec::Json::Object({{"valid", true},
                                           {"namespace", loaded.policy.namespace_name},
                                           {"name", loaded.policy.name},
                                           {"revision", loaded.policy.revision},
                                           {"digest", digest},
                                           {"authority", authority.Thumbprint()}}));
  else
    context.out() << context.Paint(Colour::kGood, "valid") << ": policy " << loaded.policy.namespace_name
                  << "/" << loaded.policy.name << " revision " << loaded.policy.revision << ", " << digest
                  << ", signed by " << authority.Thumbprint() << "\n";
  return Exit::kDone;
}

void AddInput(CLI::App& command, PolicyOptions& options) {
  options.in = "-";
  command
      .add_option("--in", options.in, "Policy document or ReleasePolicy, JSON or YAML; - for standard input")
      ->type_name("FILE")
      ->capture_default_str();
}

void AddSign(CLI::App& policy, Context& context) {
  const auto options = std::make_shared<PolicyOptions>();
  CLI::App* const sign =
      policy.add_subcommand("sign", "Sign a policy document and print a ReleasePolicy ready to apply");
  sign->add_option("--key", options->key, "The authority's private key, of portcullis key generate")
      ->required()
      ->type_name("FILE");
  AddInput(*sign, *options);
  sign->add_flag("--add", options->add,
                 "Keep the signatures of a ReleasePolicy and add one (for a second authority)");
  AddOutputOption(*sign, options->format, {"yaml", "json"});
  sign->footer(R"(Examples:
  portcullis policy sign --key authority.pem --in policy.yaml > release-policy.yaml
  portcullis policy sign --key authority.pem --in policy.yaml | kubectl apply -f -)");
  sign->callback([options, &context] { context.Finish(Sign(*options, context), options->format); });
}

void AddExplain(CLI::App& policy, Context& context) {
  const auto options = std::make_shared<PolicyOptions>();
  CLI::App* const explain = policy.add_subcommand("explain", "Say in plain words what a policy allows");
  AddInput(*explain, *options);
  AddOutputOption(*explain, options->format, {"text", "json"});
  explain->footer(R"(Examples:
  portcullis policy explain --in policy.yaml
  kubectl get releasepolicy llama -o json | portcullis policy explain)");
  explain->callback([options, &context] { context.Finish(Explain(*options, context), options->format); });
}

void AddVerify(CLI::App& policy, Context& context) {
  const auto options = std::make_shared<PolicyOptions>();
  CLI::App* const verify =
      policy.add_subcommand("verify", "Check that a ReleasePolicy is complete and signed by an authority");
  verify->add_option("--authority", options->authority, "The authority's public key, PEM or JWK")
      ->required()
      ->type_name("FILE");
  AddInput(*verify, *options);
  AddOutputOption(*verify, options->format, {"text", "json"});
  verify->footer(R"(Examples:
  portcullis policy verify --authority authority.pub --in release-policy.yaml
  kubectl get releasepolicy llama -o json | portcullis policy verify --authority authority.pub)");
  verify->callback([options, &context] { context.Finish(Verify(*options, context), options->format); });
}

}  // namespace

void AddPolicyCommands(CLI::App& program, Context& context) {
  CLI::App* const policy = program.add_subcommand("policy", "Sign, read and check release policies offline");
  policy->require_subcommand(1);
  AddSign(*policy, context);
  AddExplain(*policy, context);
  AddVerify(*policy, context);
}

}  // namespace portcullis::cli
