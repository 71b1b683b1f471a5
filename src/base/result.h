#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/reason.h"

namespace portcullis {

/// A string literal. Only the compiler makes one, so it can never carry request bytes or secrets.
class StaticText {
 public:
  template <std::size_t N>
  consteval StaticText(const char (&literal)[N]) : text_(literal, N - 1) {}  // NOLINT: implicit by design
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

/// Text from outside made fit to print: printable ASCII, quotes and backslashes escaped, at most 200
/// characters. Never pass secrets; nothing here can tell them apart.
std::string Quoted(std::string_view untrusted);

/// What went wrong: a code, a literal and, for people, where (a field, a path, an offset).
struct Error {
  ReasonCode code;
  StaticText text;
  std::string where = {};  // our own words or Quoted() text; never raw request bytes, never a secret

  /// The same error with its place named; outer places go in front: At("spec").At("policy") reads
  /// "policy.spec".
  Error At(std::string_view place) && {
    where =
        where.empty() ? std::string(place) : std::string(place) + (where.front() == '[' ? "" : ".") + where;
    return std::move(*this);
  }
  /// "reason: text (where)", for logs and terminals.
  std::string ToString() const;
};

/// What Result<> holds when there is nothing to hold.
struct Done {};

/// A value or an Error. Reading the absent side aborts: that is a bug, not a condition.
template <typename T = Done>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return Require<0>(state_); }
  const T& value() const& { return Require<0>(state_); }
  T&& value() && { return std::move(Require<0>(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return Require<1>(state_); }
  const Error& error() const& { return Require<1>(state_); }
  Error&& error() && { return std::move(Require<1>(state_)); }

  T value_or(T fallback) && { return has_value() ? std::move(*this).value() : std::move(fallback); }

 private:
  template <std::size_t I, typename State>
  static auto& Require(State& state) {
    auto* side = std::get_if<I>(&state);
    if (side == nullptr) std::abort();
    return *side;
  }
  std::variant<T, Error> state_;
};

}  // namespace portcullis

// Each use gets a variable of its own, so that one TRY can stand inside another.
#define PORTCULLIS_TRY_JOIN_(a, b) a##b
#define PORTCULLIS_TRY_NAME_(id) PORTCULLIS_TRY_JOIN_(portcullis_try_, id)
#define PORTCULLIS_TRY_(result, expression, on_error)       \
  ({                                                        \
    auto result = (expression);                             \
    if (!result) return std::move(result).error() on_error; \
    std::move(result).value();                              \
  })

/// The value of a Result, or return its Error from the enclosing function. Not inside the braces of an
/// initializer behind a member that owns something: neither g++ 12 nor clang 14 destroys members already made
/// when a return leaves the braces, so memory would leak and secrets stay unwiped. Name the value first.
#define TRY(expression) PORTCULLIS_TRY_(PORTCULLIS_TRY_NAME_(__COUNTER__), expression, )

/// As TRY, naming the place where it happened in front of the Error's own.
#define TRY_AT(place, expression) PORTCULLIS_TRY_(PORTCULLIS_TRY_NAME_(__COUNTER__), expression, .At(place))
