#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace portcullis::evidence {

enum class Outcome : std::uint8_t { kPassed, kFailed, kNotEvaluated };
std::string_view NameOf(Outcome outcome);  // "passed", "failed", "notEvaluated"

/// What one check saw: both sides as text fit to print, and where the actual value came from
/// ("report@0x090").
struct Comparison {
  bool passed;
  std::string expected;
  std::string actual;
  bool evaluated =
      true;  // false: there is nothing to compare with, since what it rests on failed; never a pass
};

/// Text of a table of checks. The tables are constants, so that a finding can point into them: a tree has
/// some eighty rows, and copying their names would cost a tenth of what a P-256 verification does.
class TableText : public std::string_view {
 public:
  constexpr TableText() = default;
  constexpr TableText(std::string_view literal) : std::string_view(literal) {}  // NOLINT: implicit by design
  template <std::size_t N>
  constexpr TableText(const char (&literal)[N]) : std::string_view(literal, N - 1) {}  // NOLINT
  TableText(const std::string&) = delete;  // it would be gone before the finding is
};

/// One row of a table of checks. The predicate is pure: no clock, no network, no log.
template <typename Subject>
struct Check {
  TableText id;       // "snp.debug-off": metric label, audit field, anchor in docs/reference/checks.md
  ReasonCode reason;  // what its refusal is called
  TableText source;   // document and section that demands it
  Comparison (*compare)(const Subject&);
};

/// A node of the proof tree.
struct Finding {
  TableText check_id;
  ReasonCode reason;
  Outcome outcome;
  std::string expected;
  std::string actual;
  TableText source;
};

/// All findings of an appraisal, in the order of the tables.
struct ProofTree {
  std::vector<Finding> findings;

  bool allowed() const;                     // at least one finding, and every one passed
  std::vector<ReasonCode> reasons() const;  // of failed findings, in order, each once
  /// [{"id","reason","outcome","expected","actual","source"}...], as every output shows it.
  codec::Json ToJson() const;
};

/// Runs every row; a denial lists all that is wrong.
template <typename Subject>
void Appraise(std::span<const Check<Subject>> checks, const Subject& subject, ProofTree& into) {
  for (const Check<Subject>& check : checks) {
    Comparison seen = check.compare(subject);
    const Outcome judged = seen.passed ? Outcome::kPassed : Outcome::kFailed;
    into.findings.push_back({check.id, check.reason, seen.evaluated ? judged : Outcome::kNotEvaluated,
                             std::move(seen.expected), std::move(seen.actual), check.source});
  }
}
/// Marks rows that can't run since what they rest on failed.
template <typename Subject>
void NotEvaluated(std::span<const Check<Subject>> checks, ProofTree& into) {
  for (const Check<Subject>& check : checks)
    into.findings.push_back({check.id, check.reason, Outcome::kNotEvaluated, "", "", check.source});
}

}  // namespace portcullis::evidence
