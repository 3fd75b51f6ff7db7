// Owns the number types of the interpreter and their arithmetic: dual numbers (exact forward derivatives),
// dual numbers of dual numbers and running error bounds. A function of numbers is a row of plain functions on
// double: value, slopes and curvatures.
#pragma once

#include <limits>

#include "ir/graph/types.h"

namespace dlg {

/// value + epsilon * derivative, with epsilon^2 = 0. Comparisons look at the value.
struct Dual {
  double value = 0;
  double derivative = 0;
};

/// A dual number whose parts are dual numbers, written out: value + e1 * first + e2 * second + e1 e2 * mixed
/// with e1^2 = e2^2 = 0. `mixed` is the exact second derivative along the two directions.
struct SecondDual {
  double value = 0;
  double first = 0;
  double second = 0;
  double mixed = 0;
};

/// A value computed in f64 with a bound on what arithmetic of its declared element type would have lost on
/// the way, in absolute terms. An infinite bound means: the value may be anything.
struct Bound {
  double value = 0;
  double error = 0;
  double unit = 0x1p-24;  // half an ulp of 1: 2^-24 for f32, 2^-53 for f64, 0 for integers and bools
};

/// How far compiled code may be from the correctly rounded result of one function, in units.
enum class Rounding : std::uint8_t { kExact = 0, kOnce = 1, kElementary = 2, kSeveral = 4 };

struct UnaryFunction {
  double (*value)(double);
  double (*slope)(double);
  double (*curvature)(double);
  Rounding rounding;
};

struct BinaryFunction {
  using Function = double (*)(double, double);
  Function value;
  Function slope_a;
  Function slope_b;
  Rounding rounding;
  Function curvature_aa;
  Function curvature_ab;
  Function curvature_bb;
};

using RelationFunction = bool (*)(double, double);

double apply(const UnaryFunction& f, double x);
Dual apply(const UnaryFunction& f, Dual x);
SecondDual apply(const UnaryFunction& f, SecondDual x);
Bound apply(const UnaryFunction& f, Bound x);

double apply(const BinaryFunction& f, double a, double b);
Dual apply(const BinaryFunction& f, Dual a, Dual b);
SecondDual apply(const BinaryFunction& f, SecondDual a, SecondDual b);
Bound apply(const BinaryFunction& f, Bound a, Bound b);

/// 1 or 0. A Bound whose operands' intervals overlap answers with the error 1: it may be either.
double compare(RelationFunction holds, double a, double b);
Dual compare(RelationFunction holds, Dual a, Dual b);
SecondDual compare(RelationFunction holds, SecondDual a, SecondDual b);
Bound compare(RelationFunction holds, Bound a, Bound b);

double choose(double condition, double a, double b);
Dual choose(Dual condition, Dual a, Dual b);
SecondDual choose(SecondDual condition, SecondDual a, SecondDual b);
Bound choose(Bound condition, Bound a, Bound b);

inline double value_of(double x) {
  return x;
}
inline double value_of(Dual x) {
  return x.value;
}
inline double value_of(SecondDual x) {
  return x.value;
}
inline double value_of(Bound x) {
  return x.value;
}

/// The number with another value; what is uncertain about it may be anything then.
inline double with_value(double, double value) {
  return value;
}
inline Dual with_value(Dual x, double value) {
  return {value, x.derivative};
}
inline SecondDual with_value(SecondDual x, double value) {
  return {value, x.first, x.second, x.mixed};
}
inline Bound with_value(Bound x, double value) {
  const bool is_lost = x.error > 0 && value != x.value;
  return {value, is_lost ? std::numeric_limits<double>::infinity() : x.error, x.unit};
}

/// The unit of a Bound of this element type.
double unit_of(DType dtype);

/// A literal of this element type.
template <class Number>
Number literal_number(double value, DType dtype);
/// What comes from outside, as an element of this type: nothing is lost.
template <class Number>
Number outside_number(Number x, DType dtype);
/// A cast: to an integer it truncates.
template <class Number>
Number cast_number(Number x, DType dtype);

/// A sum in the order in which its terms come.
template <class Number>
class Sum;

/// What the additions lose is added at the end (Neumaier 1974): the reference has no order of its own.
template <>
class Sum<double> {
 public:
  explicit Sum(double start, double = 0) : value_(start) {}
  void add(double x) {
    const double sum = value_ + x;
    const double added = sum - value_;
    lost_ += (value_ - (sum - added)) + (x - added);
    value_ = sum;
  }
  void add_product(double a, double b) { add(a * b); }
  double result() const;

 private:
  double value_;
  double lost_ = 0;
};

template <>
class Sum<Dual> {
 public:
  explicit Sum(double start, double = 0) : value_{start, 0} {}
  void add(Dual x);
  void add_product(Dual a, Dual b);
  Dual result() const { return value_; }

 private:
  Dual value_;
};

template <>
class Sum<SecondDual> {
 public:
  explicit Sum(double start, double = 0) : value_{start, 0, 0, 0} {}
  void add(SecondDual x);
  void add_product(SecondDual a, SecondDual b);
  SecondDual result() const { return value_; }

 private:
  SecondDual value_;
};

/// Its bound holds for every order of the terms, and for orders in which none goes through more additions
/// than `additions`; the reference's own value is off by less than any of them.
template <>
class Sum<Bound> {
 public:
  explicit Sum(double start, double additions = std::numeric_limits<double>::infinity())
      : sum_(start), additions_(additions) {}
  void add(Bound x);
  void add_product(Bound a, Bound b);
  Bound result() const;

 private:
  Sum<double> sum_;
  double additions_;
  double error_ = 0;
  double magnitude_ = 0;
  double unit_ = 0;
  double terms_ = 0;
};

}  // namespace dlg
