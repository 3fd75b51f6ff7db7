// Owns the rules of the scalar ops that are instructions: `of` is what the loop interpreter computes, `range`
// the interval of a whole result from those of the operands (without one nothing is known), `implied` what a
// comparison that holds says of its operands. scalar_ops.def names the rule of each op.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "ir/loop/ranges.h"
#include "ir/loop/scalar_info.h"
#include "support/interval.h"

namespace dlg::loop::rules {

using Args = std::span<const Interval>;
// Integers wrap; x / 0 is 0, so that no instruction traps.
using Wide = std::uint64_t;

/// Of what has no operands: where it stands says what it is.
struct Source {};

struct Neg {
  template <class T>
  static T of(const T* a) {
    return -a[0];
  }
  static std::int64_t of(const std::int64_t* a) {
    return static_cast<std::int64_t>(Wide{0} - static_cast<Wide>(a[0]));
  }
  // Arithmetic with an open end may have wrapped around.
  static Interval range(Args a) { return (-a[0]).if_finite(); }
};

struct Abs {
  template <class T>
  static T of(const T* a) {
    return std::abs(a[0]);
  }
  static std::int64_t of(const std::int64_t* a) { return a[0] < 0 ? Neg::of(a) : a[0]; }
  static Interval range(Args a) { return absolute(a[0]).if_finite(); }
};

struct Sqrt {
  template <class T>
  static T of(const T* a) {
    return std::sqrt(a[0]);
  }
};

struct Add {
  template <class T>
  static T of(const T* a) {
    return a[0] + a[1];
  }
  static std::int64_t of(const std::int64_t* a) {
    return static_cast<std::int64_t>(static_cast<Wide>(a[0]) + static_cast<Wide>(a[1]));
  }
  static Interval range(Args a) { return (a[0] + a[1]).if_finite(); }
};

struct Sub {
  template <class T>
  static T of(const T* a) {
    return a[0] - a[1];
  }
  static std::int64_t of(const std::int64_t* a) {
    return static_cast<std::int64_t>(static_cast<Wide>(a[0]) - static_cast<Wide>(a[1]));
  }
  static Interval range(Args a) { return (a[0] - a[1]).if_finite(); }
};

struct Mul {
  template <class T>
  static T of(const T* a) {
    return a[0] * a[1];
  }
  static std::int64_t of(const std::int64_t* a) {
    return static_cast<std::int64_t>(static_cast<Wide>(a[0]) * static_cast<Wide>(a[1]));
  }
  static Interval range(Args a) { return (a[0] * a[1]).if_finite(); }
};

struct Div {
  template <class T>
  static T of(const T* a) {
    return a[0] / a[1];
  }
  static std::int64_t of(const std::int64_t* a) {
    if (a[1] == 0) return 0;
    return a[1] == -1 ? Neg::of(a) : a[0] / a[1];
  }
  static Interval range(Args a) { return quotient(a[0], a[1]); }
};

/// NaN wins; of equal ones the first.
struct Max {
  template <class T>
  static T of(const T* a) {
    if (a[0] != a[0]) return a[0];
    return a[0] >= a[1] ? a[0] : a[1];
  }
  static Interval range(Args a) { return larger(a[0], a[1]); }
};

struct Min {
  template <class T>
  static T of(const T* a) {
    if (a[0] != a[0]) return a[0];
    return a[0] <= a[1] ? a[0] : a[1];
  }
  static Interval range(Args a) { return smaller(a[0], a[1]); }
};

struct Fma {
  template <class T>
  static T of(const T* a) {
    return std::fma(a[0], a[1], a[2]);
  }
  /// Where there is no instruction for it.
  template <class T>
  static T in_two(const T* a) {
    return a[0] * a[1] + a[2];
  }
};

// Comparisons, logic and select work on the exact double images of their operands, whatever their dtype.
inline Interval at_most(double high) {
  return {-std::numeric_limits<double>::infinity(), high};
}

inline Interval at_least(double low) {
  return {low, std::numeric_limits<double>::infinity()};
}

struct Eq {
  static bool of(const double* a) { return a[0] == a[1]; }
  static Implied implied(Interval a, Interval b) { return {b, a}; }
};

struct Ne {
  static bool of(const double* a) { return a[0] != a[1]; }
};

struct Lt {
  static bool of(const double* a) { return a[0] < a[1]; }
  static Implied implied(Interval a, Interval b) { return {at_most(b.high - 1), at_least(a.low + 1)}; }
};

struct Le {
  static bool of(const double* a) { return a[0] <= a[1]; }
  static Implied implied(Interval a, Interval b) { return {at_most(b.high), at_least(a.low)}; }
};

struct Gt {
  static bool of(const double* a) { return a[0] > a[1]; }
  static Implied implied(Interval a, Interval b) { return {at_least(b.low + 1), at_most(a.high - 1)}; }
};

struct Ge {
  static bool of(const double* a) { return a[0] >= a[1]; }
  static Implied implied(Interval a, Interval b) { return {at_least(b.low), at_most(a.high)}; }
};

struct And {
  static bool of(const double* a) { return a[0] != 0 && a[1] != 0; }
};

struct Or {
  static bool of(const double* a) { return a[0] != 0 || a[1] != 0; }
};

struct Not {
  static bool of(const double* a) { return a[0] == 0; }
};

struct Select {
  static double of(const double* a) { return a[0] != 0 ? a[1] : a[2]; }
  static Interval range(Args a) { return united(a[1], a[2]); }
};

/// Its values are those of `converted`.
struct Cast {
  static Interval range(Args a) { return a[0].if_finite(); }
};

}  // namespace dlg::loop::rules

namespace dlg::loop {

/// The rule of one op as functions; null where it has none.
struct ScalarRule {
  float (*f32)(const float*) = nullptr;
  double (*f64)(const double*) = nullptr;
  std::int64_t (*integer)(const std::int64_t*) = nullptr;
  double (*exact)(const double*) = nullptr;  // on the double images of operands of any dtype
  Interval (*range)(rules::Args) = nullptr;
  Implied (*implied)(Interval left, Interval right) = nullptr;
};

template <class Rule, Typing typing>
constexpr ScalarRule scalar_rule() {
  ScalarRule row;
  if constexpr (typing == Typing::kFloat || typing == Typing::kNumber) {
    row.f32 = Rule::of;
    row.f64 = Rule::of;
  }
  if constexpr (typing == Typing::kNumber) row.integer = Rule::of;
  if constexpr (typing == Typing::kCompare || typing == Typing::kLogic || typing == Typing::kSelect) {
    row.exact = [](const double* a) { return static_cast<double>(Rule::of(a)); };
  }
  if constexpr (requires { Rule::range; }) row.range = Rule::range;
  if constexpr (requires { Rule::implied; }) row.implied = Rule::implied;
  return row;
}

/// Indexed by Op. An elementary function has no rule: its lane form is its meaning, and no result is whole.
inline constexpr ScalarRule kScalarRules[] = {
#define DLG_ROW_kPlain(typing, rule) scalar_rule<rules::rule, Typing::typing>()
#define DLG_ROW_kDivider(typing, rule) scalar_rule<rules::rule, Typing::typing>()
#define DLG_ROW_kFunction(typing, rule) \
  ScalarRule {}
#define DLG_SCALAR_OP(name, text, arity, typing, unit, rule) DLG_ROW_##unit(typing, rule),
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP
#undef DLG_ROW_kFunction
#undef DLG_ROW_kDivider
#undef DLG_ROW_kPlain
};

constexpr const ScalarRule& rule_of(Op op) {
  return kScalarRules[static_cast<std::size_t>(op)];
}

}  // namespace dlg::loop
