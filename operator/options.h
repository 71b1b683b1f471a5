#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "http/client.h"
#include "http/server.h"

namespace portcullis::control {

/// The configuration file of portcullis-operator (docs/reference/api.md).
struct Options {
  LogLevel log_level = LogLevel::kInfo;
  std::string cluster;         // names this cluster at the broker
  std::string namespace_name;  // our own
  std::string kubeconfig;      // "" in a cluster
  std::string broker_url, broker_ca_file, broker_certificate_file, broker_key_file;
  std::string guest_url, guest_ca_file;  // what init-data tells guests of their broker
  std::string agent_image;
  http::ServerOptions webhook, ops;
  std::string webhook_service, webhook_secret, mutating_configuration, validating_configuration;
  std::string lease_name;
  std::vector<std::string> runtime_classes;       // confidential ones, exact names
  std::vector<std::string> node_selector_labels;  // that pin a pod to attested nodes
};

/// Errors: ConfigurationInvalid, naming the field.
Result<Options> ParseOptions(std::string_view yaml);
Result<Options> LoadOptions(const std::string& path);

}  // namespace portcullis::control
