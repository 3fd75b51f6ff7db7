// Owns the test of every scalar op: compiled code against the interpreter on special values, in every dtype,
// as scalars and as vectors.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "ir/loop/scalar_info.h"
#include "ir/loop/scalar_math.h"
#include "tests/catch.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

using loop::Op;

/// Whether an op takes operands of this dtype.
bool fits(Op op, DType dtype) {
  switch (loop::scalar_info(op).typing) {
    case loop::Typing::kSource:
      return false;
    case loop::Typing::kFloat:
      return is_float(dtype);
    case loop::Typing::kNumber:
      return dtype != DType::kBool;
    case loop::Typing::kLogic:
      return dtype == DType::kBool;
    case loop::Typing::kCompare:
    case loop::Typing::kSelect:
    case loop::Typing::kCast:
      break;
  }
  return true;
}

std::vector<double> special_values(DType dtype) {
  if (dtype == DType::kBool) return {0, 1};
  if (dtype == DType::kI32) return {0, 1, -1, 2, -7, 46341, -65536, 2147483647, -2147483648.0};
  if (dtype == DType::kI64) return {0, 1, -1, 2, -7, 46341, -65536, 67108863, -67108864};
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<double> values{0.0,    -0.0,   1,    -1,           0.5,   -0.5,  2,    -3,     0.1,
                             1e-20,  -1e-20, 1e-7, -1e-7,        17.25, 33,    88.8, -103.9, 1e30,
                             -1e30,  inf,    -inf, std::nan(""), 1e-44, 3e38,  710,  -745,   0.6931,
                             3.1416, -20.5,  1e5,  -2.5,         4,     1.4142};
  if (dtype == DType::kF64)
    values.insert(values.end(), {5e-324, 1.7e308, -1e-308, 1e300, 4503599627370497.0});
  for (double& value : values) value = loop::converted(value, dtype);
  return values;
}

/// Columns of operands: every pair of special values, the third operand running through in another rhythm.
struct Operands {
  std::vector<double> a;
  std::vector<double> b;
  std::vector<double> c;
};

Operands operands(DType dtype) {
  const std::vector<double> values = special_values(dtype);
  Operands all;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      all.a.push_back(values[i]);
      all.b.push_back(values[j]);
      all.c.push_back(values[(3 * i + 5 * j) % values.size()]);
    }
  }
  return all;
}

std::string arguments(Op op) {
  if (op == Op::kSelect) return "%3, %0, %1";
  constexpr std::array<std::string_view, 4> kRegisters{"%0", "%1", "%2", "%0"};
  const auto arity = static_cast<std::size_t>(loop::op_info(op).arity);
  return fmt::format("{}", fmt::join(kRegisters.begin(), kRegisters.begin() + arity, ", "));
}

std::vector<DType> result_dtypes(Op op, DType dtype) {
  if (op == Op::kCast) return {DType::kBool, DType::kI32, DType::kI64, DType::kF32, DType::kF64};
  const bool is_comparison = loop::scalar_info(op).typing == loop::Typing::kCompare;
  return {is_comparison ? DType::kBool : dtype};
}

void add_case(ProgramWriter& text, Op op, DType dtype, const std::string& loop, std::size_t count) {
  const std::string_view type = dtype_name(dtype);
  for (const DType result : result_dtypes(op, dtype)) {
    const std::string name = fmt::format("{}_{}_{}", loop, loop::op_info(op).text, dtype_name(result));
    text.output(name, fmt::format("{}[{}]", dtype_name(result), count));
    text.kernel(
        fmt::format("{0} i in 0..{1} {{\n%0 = load a[i] : {2}\n%1 = load b[i] : {2}\n"
                    "%2 = load c[i] : {2}\n%3 = load choice[i] : bool\n"
                    "%4 = {3} {4} : {5}\nstore {6}[i] = %4\n}}\n",
                    loop, count, type, loop::op_info(op).text, arguments(op), dtype_name(result), name));
  }
}

void check_dtype(DType dtype) {
  const Operands values = operands(dtype);
  const std::size_t count = values.a.size();
  std::vector<double> choice;
  for (std::size_t i = 0; i < count; ++i) choice.push_back(static_cast<double>(i * 5 % 3 == 0));
  for (const Target target : runnable_targets()) {
    ProgramWriter text;
    for (const char* name : {"a", "b", "c"})
      text.state(name, fmt::format("{}[{}]", dtype_name(dtype), count));
    text.state("choice", fmt::format("bool[{}]", count));
    for (std::size_t i = 0; i < std::size(loop::kScalarInfos); ++i) {
      const Op op = static_cast<Op>(i);
      if (!fits(op, dtype)) continue;
      for (const char* loop : {"for", "vector"}) add_case(text, op, dtype, loop, count);
    }
    const loop::Program program = text.program();
    CHECK(difference(program, target, 1,
                     {{"a", values.a}, {"b", values.b}, {"c", values.c}, {"choice", choice}}) == "");
  }
}

TEST_CASE("codegen: every op on bool") {
  check_dtype(DType::kBool);
}
TEST_CASE("codegen: every op on i32") {
  check_dtype(DType::kI32);
}
TEST_CASE("codegen: every op on i64") {
  check_dtype(DType::kI64);
}
TEST_CASE("codegen: every op on f32") {
  check_dtype(DType::kF32);
}
TEST_CASE("codegen: every op on f64") {
  check_dtype(DType::kF64);
}

TEST_CASE("codegen: fma is two roundings where the target has no such instruction, one elsewhere") {
  ProgramWriter text;
  text.state("a", "f32[17]");
  for (const char* name : {"fused", "apart"}) text.output(name, "f32[17]");
  text.kernel(
      "vector i in 0..17 {\n%0 = load a[i] : f32\n%1 = mul %0, %0 : f32\n%2 = neg %1 : f32\n"
      "%3 = fma %0, %0, %2 : f32\nstore fused[i] = %3\n%4 = add %1, %2 : f32\nstore apart[i] = %4\n}\n");
  const loop::Program program = text.program();
  for (const Target target : runnable_targets()) {
    Compiled compiled(program, target);
    compiled.set("a", std::vector<double>(17, static_cast<double>(1.1f)));
    compiled.run(1);
    const double error = static_cast<double>(std::fma(1.1f, 1.1f, -(1.1f * 1.1f)));
    CHECK(compiled.get("apart") == std::vector<double>(17, 0.0));
    CHECK(compiled.get("fused") == std::vector<double>(17, target == Target::kSse2 ? 0.0 : error));
  }
}

}  // namespace
}  // namespace dlg
