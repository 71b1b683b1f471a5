#include <CLI/CLI.hpp>
#include <ostream>

#include "cli/broker.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/files.h"
#include "cli/identity.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "keystore/keystore.h"

namespace portcullis::cli {
namespace {

constexpr std::size_t kMaxModelKeyBytes = 4096;  // keys are 16 to 64 bytes; room for a PEM or a keyset

struct GenerateOptions {
  std::string out, public_out, format;
};

Result<Exit> Generate(const GenerateOptions& options, const Context& context) {
  const crypto::EcPrivateKey key = crypto::EcPrivateKey::Generate(crypto::Curve::kP256);
  const std::string public_pem = codec::EncodePem("PUBLIC KEY", key.public_key().ToSpki());
  const SecretBytes private_pem = key.ToPem();
  TRY(private_pem.Expose([&](Bytes pem) { return WriteNewFile(options.out, pem, 0600); }));
  if (!options.public_out.empty()) TRY(WriteNewFile(options.public_out, AsBytes(public_pem), 0644));
  if (options.format == "json") {
    context.PrintJson(codec::Json::Object({{"privateKeyFile", options.out},
                                           {"thumbprint", key.public_key().Thumbprint()},
                                           {"publicKey", key.public_key().ToJwk()}}));
    return Exit::kDone;
  }
  context.out() << "authority  " << key.public_key().Thumbprint() << "\nprivate    " << options.out
                << " (keep it off the cluster)\n";
  if (options.public_out.empty())
    context.out() << public_pem;
  else
    context.out() << "public     " << options.public_out << "\n";
  return Exit::kDone;
}

struct WrapOptions {
  std::string key, identity, authority, namespace_name, name, resource, expected, format;
  std::int64_t version = 1;
  BrokerOptions broker;
};

Result<SecretBytes> ReadModelKey(const std::string& path, const CliPorts& ports) {
  SecretBytes key = path == "-" ? TRY_AT("standard input", ports.read_input(kMaxModelKeyBytes))
                                : TRY(ReadSecretFile(path, kMaxModelKeyBytes));
  if (key.empty())
    return Error{ReasonCode::kRequestMalformed, "the model key is empty", "--key " + Quoted(path)};
  return key;
}

Result<BrokerIdentity> FindIdentity(const WrapOptions& options, const CliPorts& ports) {
  if (!options.identity.empty()) {
    const codec::Json value = TRY(ReadDocument(options.identity, ports));
    return TRY_AT(Quoted(options.identity), ParseIdentity(value));
  }
  const Broker broker = TRY(Broker::Connect(options.broker, ports));
  const codec::Json value = TRY(broker.GetJson("/v1/identity"));
  return TRY_AT("/v1/identity", ParseIdentity(value));
}

codec::Json ModelKeySpec(const WrapOptions& options, const crypto::EcPublicKey& authority,
                         keystore::ModelKey::Version version) {
  return codec::Json::Object(
      {{"authority", authority.ToJwk()},
       {"resource", options.resource},
       {"versions",
        codec::Json::Array({codec::Json::Object({{"version", version.version},
                                                 {"wrapped", std::move(version.wrapped)},
                                                 {"signature", std::move(version.signature)}})})}});
}

Result<Exit> Wrap(const WrapOptions& options, const Context& context) {
  const CliPorts& ports = context.ports();
  const crypto::EcPrivateKey authority = TRY(ReadPrivateKey(options.authority));
  const BrokerIdentity identity = TRY(FindIdentity(options, ports));
  const std::string broker = identity.wrapping_key.Thumbprint();
  if (!options.expected.empty() && options.expected != broker)
    return Error{ReasonCode::kKeyUnavailable, "the broker has another wrapping key than --wrapping-key says",
                 broker};
  const SecretBytes key = TRY(ReadModelKey(options.key, ports));

  const keystore::KeyVersionId id{options.namespace_name, options.name, options.resource, options.version};
  const codec::Json spec =
      ModelKeySpec(options, authority.public_key(),
                   keystore::WrapModelKey(key, identity.wrapping_key, id, authority, ports.random));
  // The broker's own reading of it: what it would refuse is refused here, before it is in Git.
  TRY_AT("spec", keystore::ParseModelKey(options.namespace_name, options.name, spec));
  const codec::Json object = codec::Json::Object(
      {{"apiVersion", kApiVersion},
       {"kind", "ModelKey"},
       {"metadata", codec::Json::Object({{"name", options.name}, {"namespace", options.namespace_name}})},
       {"spec", spec}});
  if (options.format == "json")
    context.PrintJson(object);
  else
    context.out() << codec::ToYaml(object);
  ports.err << "wrapped to the broker key " << broker << "; compare it with what the broker's owner says\n";
  return Exit::kDone;
}

void AddGenerate(CLI::App& key, Context& context) {
  const auto options = std::make_shared<GenerateOptions>();
  CLI::App* const generate = key.add_subcommand(
      "generate", "Make an authority key (EC P-256), which signs policies and owns model keys");
  generate->add_option("--out", options->out, "Where the private key goes, mode 0600; never overwritten")
      ->required()
      ->type_name("FILE");
  generate->add_option("--public", options->public_out, "Where the public key goes; printed otherwise")
      ->type_name("FILE");
  AddOutputOption(*generate, options->format, {"text", "json"});
  generate->footer(R"(Examples:
  portcullis key generate --out authority.pem --public authority.pub)");
  generate->callback([options, &context] { context.Finish(Generate(*options, context), options->format); });
}

void AddWrap(CLI::App& key, Context& context) {
  const auto options = std::make_shared<WrapOptions>();
  CLI::App* const wrap =
      key.add_subcommand("wrap", "Wrap a model key to a broker, sign it and print a ModelKey for Git");
  wrap->add_option("--key", options->key, "The model key's exact bytes, mode 0600; - for standard input")
      ->required()
      ->type_name("FILE");
  wrap->add_option("--authority", options->authority,
                   "Private key of the authority that may release it, of portcullis key generate")
      ->required()
      ->type_name("FILE");
  wrap->add_option("--namespace", options->namespace_name, "Namespace of the ModelKey")
      ->required()
      ->type_name("NAME");
  wrap->add_option("--name", options->name, "Name of the ModelKey")->required()->type_name("NAME");
  wrap->add_option("--resource", options->resource, "What guests ask for: NAMESPACE/TYPE/TAG")
      ->required()
      ->type_name("PATH");
  wrap->add_option("--version", options->version, "Version of the key; the highest is current")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N");
  auto* const identity = wrap->add_option(
      "--identity", options->identity, "The broker's identity (GET /v1/identity) kept in a file; else --kbs");
  identity->type_name("FILE");
  wrap->add_option("--wrapping-key", options->expected, "Thumbprint that the broker's wrapping key must have")
      ->type_name("THUMBPRINT");
  AddOutputOption(*wrap, options->format, {"yaml", "json"});
  AddBrokerOptions(*wrap, options->broker);
  wrap->footer(R"(Examples:
  portcullis key wrap --key llama.key --identity kbs-identity.json --authority authority.pem \
    --namespace team-a --name llama-70b --resource team-a/model-key/llama-70b > llama-70b.yaml
  head -c 32 /dev/urandom | portcullis key wrap --key - --kbs https://kbs:8444 --ca ca.pem --cert me.pem \
    --client-key me.key --authority authority.pem --namespace team-a --name lora --resource team-a/adapter/lora)");
  wrap->callback([options, &context] { context.Finish(Wrap(*options, context), options->format); });
}

}  // namespace

void AddKeyCommands(CLI::App& program, Context& context) {
  CLI::App* const key = program.add_subcommand("key", "Make authority keys and wrap model keys");
  key->require_subcommand(1);
  AddGenerate(*key, context);
  AddWrap(*key, context);
}

}  // namespace portcullis::cli
