#pragma once

#include <memory>
#include <optional>
#include <span>

#include "evidence/check.h"
#include "evidence/snp/leaf.h"

namespace portcullis::snp {

/// What the rows of the chain table look at; gathered by Authenticate().
struct ChainSubject {
  const Report& report;
  Bytes raw;
  std::optional<KeyKind> kind;                         // of SIGNING_KEY
  const ProductAnchors* anchors = nullptr;             // null where no root is pinned for the product
  std::shared_ptr<const ExaminedLeaf> leaf = nullptr;  // null where no certificate is of the kind
  WallTime now;
};

/// What a row needs before it can run.
enum class ChainNeeds : std::uint8_t { kReport, kKind, kLeaf, kExtensions };
struct ChainRow {
  ChainNeeds needs;
  evidence::Check<ChainSubject> check;
};
std::span<const ChainRow> ChainRows();

}  // namespace portcullis::snp
