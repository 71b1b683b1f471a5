#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "codec/json.h"
#include "kube/objects.h"
#include "tests/support/testdata.h"

namespace portcullis::kube {
namespace {

using codec::Json;

// The one place where unknown members are kept: the signed document.
constexpr std::string_view kKeepsUnknown = "releasepolicies.spec.policy";

const Resource kKinds[] = {kModelKeys, kReleasePolicies, kKeyReleases};

Json Crd(const Resource& resource) {
  const auto path =
      std::filesystem::path(PORTCULLIS_SOURCE_ROOT) / "crds" / (std::string(resource.plural) + ".yaml");
  auto crd = codec::ParseYaml(test::ReadFile(path));
  EXPECT_TRUE(crd) << path << ": " << crd.error().ToString();
  return std::move(crd).value_or(Json());
}

const Json& Version(const Json& crd) { return (*crd.At({"spec", "versions"})->if_array()).at(0); }
const Json& Schema(const Json& crd) { return *Version(crd).At({"schema", "openAPIV3Schema"}); }

/// Calls `visit(path, schema)` for a schema and all inside it.
template <typename Visit>
void Walk(const std::string& path, const Json& schema, const Visit& visit) {
  visit(path, schema);
  if (const Json* properties = schema.Find("properties"))
    for (const auto& [name, property] : *properties->if_object()) Walk(path + "." + name, property, visit);
  if (const Json* items = schema.Find("items")) Walk(path + "[]", *items, visit);
}

template <typename Visit>
void WalkAll(const Visit& visit) {
  for (const Resource& resource : kKinds) Walk(std::string(resource.plural), Schema(Crd(resource)), visit);
}

/// Whether a column's or a selectable field's path leads to a field of the schema.
bool Resolves(const Json& schema, std::string_view path) {
  const Json* at = &schema;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find_first_of(".["), path.size());
    at = at->At({"properties", path.substr(0, end)});
    if (at == nullptr) return false;
    path.remove_prefix(end);
    if (path.starts_with("[")) {
      at = at->Find("items");
      path.remove_prefix(path.find(']') + 1);
      if (at == nullptr) return false;
    }
  }
  return true;
}

TEST(Crds, CarryTheNamesThatTheCodeUses) {
  for (const Resource& resource : kKinds) {
    const Json crd = Crd(resource);
    EXPECT_EQ(crd.TextAt({"metadata", "name"}),
              std::string(resource.plural) + "." + std::string(resource.group));
    EXPECT_EQ(crd.TextAt({"spec", "group"}), resource.group);
    EXPECT_EQ(crd.TextAt({"spec", "scope"}), "Namespaced");
    EXPECT_EQ(crd.TextAt({"spec", "names", "kind"}), resource.kind);
    EXPECT_EQ(crd.TextAt({"spec", "names", "plural"}), resource.plural);
    EXPECT_EQ(*crd.At({"spec", "names", "categories"}), Json::Array({"portcullis"}));
    EXPECT_EQ(Version(crd).TextAt({"name"}), resource.version);
    EXPECT_NE(Version(crd).At({"subresources", "status"}), nullptr);
  }
}

TEST(Crds, GiveEveryFieldATypeAndABound) {
  WalkAll([](const std::string& path, const Json& schema) {
    SCOPED_TRACE(path);
    const std::string_view type = schema.TextAt({"type"});
    EXPECT_FALSE(type.empty());
    EXPECT_TRUE(type != "string" || schema.Find("maxLength") || schema.Find("enum"));
    EXPECT_TRUE(type != "array" || (schema.Find("maxItems") && schema.Find("items")));
    EXPECT_TRUE(type != "integer" || (schema.Find("minimum") && schema.TextAt({"format"}) == "int64"));
    EXPECT_EQ(schema.Find("additionalProperties"), nullptr);
    EXPECT_EQ(schema.Find("default"), nullptr) << "what is not said is not allowed";
  });
}

TEST(Crds, PruneUnknownMembersEverywhereButInTheSignedDocument) {
  std::set<std::string> keeping;
  WalkAll([&](const std::string& path, const Json& schema) {
    if (schema.Find("x-kubernetes-preserve-unknown-fields") == nullptr) return;
    keeping.insert(path);
    EXPECT_NE(schema.Find("maxProperties"), nullptr);
    EXPECT_NE(schema.TextAt({"description"}).find("signature"), std::string_view::npos);
  });
  EXPECT_EQ(keeping, std::set<std::string>{std::string(kKeepsUnknown)});
}

TEST(Crds, RequireOnlyFieldsThatExist) {
  WalkAll([](const std::string& path, const Json& schema) {
    const Json* required = schema.Find("required");
    if (required == nullptr) return;
    for (const Json& name : *required->if_array()) {
      ASSERT_NE(name.if_string(), nullptr) << path << ": YAML 1.1 reads a bare y as true";
      EXPECT_NE(schema.At({"properties", *name.if_string()}), nullptr) << path << "." << *name.if_string();
    }
  });
}

TEST(Crds, ExplainEveryRule) {
  std::set<std::string> rules;
  WalkAll([&](const std::string& path, const Json& schema) {
    const Json* all = schema.Find("x-kubernetes-validations");
    if (all == nullptr) return;
    for (const Json& rule : *all->if_array()) {
      EXPECT_FALSE(rule.TextAt({"message"}).empty()) << path;
      rules.insert(path + ": " + std::string(rule.TextAt({"rule"})));
    }
  });
  for (const std::string rule : {
           "keyreleases.spec: self == oldSelf",
           "modelkeys.spec.authority: self == oldSelf",
           "modelkeys.spec.resource: self == oldSelf",
           "releasepolicies.spec: self.policy.revision >= oldSelf.policy.revision",
           "releasepolicies: self.spec.policy.name == self.metadata.name",
       })
    EXPECT_TRUE(rules.contains(rule)) << rule;
}

TEST(Crds, AnswerWhichPodsHoldWhichKeyAndWhyNot) {
  const Json crd = Crd(kKeyReleases);
  std::vector<std::string> names;
  for (const Json& column : *Version(crd).Find("additionalPrinterColumns")->if_array())
    if (column.Find("priority") == nullptr) names.emplace_back(column.TextAt({"name"}));
  EXPECT_EQ(names,
            (std::vector<std::string>{"Pod", "Key", "Policy", "Verdict", "Reason", "TEE", "Ready", "Age"}));
}

TEST(Crds, PointColumnsAndSelectorsAtFieldsThatExist) {
  for (const Resource& resource : kKinds) {
    const Json crd = Crd(resource);
    for (const std::string_view list : {"additionalPrinterColumns", "selectableFields"})
      for (const Json& entry : *Version(crd).Find(list)->if_array()) {
        const std::string_view path = entry.TextAt({"jsonPath"});
        if (path == ".metadata.creationTimestamp") continue;
        EXPECT_TRUE(Resolves(Schema(crd), path)) << resource.plural << path;
      }
  }
}

TEST(Crds, HoldTheLimitsThatTheCodeKeeps) {
  const Json crd = Crd(kKeyReleases);
  const Json& status = *Schema(crd).At({"properties", "status", "properties"});
  const auto number = [&](std::initializer_list<std::string_view> path) {
    return static_cast<std::size_t>(status.At(path)->if_uint64().value_or(0));
  };
  EXPECT_EQ(number({"reasons", "maxItems"}), kMaxReasons);
  EXPECT_EQ(number({"failedChecks", "maxItems"}), kMaxFailedChecks);
  EXPECT_EQ(number({"failedChecks", "items", "properties", "actual", "maxLength"}), kMaxCheckText);
  EXPECT_EQ(number({"notProven", "maxItems"}), kMaxNotProven);
  EXPECT_EQ(number({"notProven", "items", "maxLength"}), kMaxNotProvenText);
}

}  // namespace
}  // namespace portcullis::kube
