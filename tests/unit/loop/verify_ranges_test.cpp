// Owns the tests of the proof that computed indices lie inside: each way to prove one, and a program that
// goes just beyond it.
#include "tests/unit/loop/loop_text.h"

namespace dlg::loop {
namespace {

const std::string kHead =
    "program batch 8\narena 4096\nstate 4096\noutput 64\nstop_test 0\n"
    "buffer a: f32[5, 4] state 0 \"a\"\nbuffer n: i64[8] state 128 \"n\"\n"
    "buffer t: i64[4] arena 0\nbuffer c: i32[3] constant [4, 0, 2]\n"
    "buffer x: f32[*batch, 4] data \"x\"\nbuffer i: i32[*batch] data \"i\" below 5\n"
    "buffer j: i32[*batch] data \"j\"\nbuffer row: i64[*batch] row_order\n";

/// The law that a kernel body breaks.
std::string broken(const std::string& body) {
  const std::string text = broken_law(kHead + "kernel k {\n" + body + "\n}\n");
  const std::string prefix = "kernel `k`: ";
  return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : text;
}

std::string may_be(const std::string& range) {
  return "index 0 of `a` is computed and may be " + range + ", but the axis has 5 elements";
}

TEST_CASE("proof of indices: numbers, variables and rows") {
  CHECK(broken("%0 = const 4 : i32 %1 = load a[%0, 0] : f32") == "");
  CHECK(broken("%0 = const 5 : i32 %1 = load a[%0, 0] : f32") == may_be("5..5"));
  CHECK(broken("%0 = const -1 : i64 %1 = load a[%0, 0] : f32") == may_be("-1..-1"));
  CHECK(broken("%0 = const -1 : i64 %1 = load a[%0 + 1, 0] : f32") == "");
  CHECK(broken("for v in 0..5 { %0 = index v : i64 %1 = load a[%0, 0] : f32 }") == "");
  CHECK(broken("for v in 0..5 { %0 = index v + 1 : i64 %1 = load a[%0, 0] : f32 }") == may_be("1..5"));
  CHECK(broken("for v in 0..3 { %0 = index v : i64 for u in 0..3 { %1 = load a[%0 + u, 0] : f32 } }") == "");
  CHECK(broken("for v in 0..3 { %0 = index v : i64 for u in 0..4 { %1 = load a[%0 + u, 0] : f32 } }") ==
        may_be("0..5"));
  CHECK(broken("%0 = rows : i64 %1 = load n[%0 - 1] : i64") == "");
  CHECK(broken("%0 = rows : i64 %1 = load n[%0] : i64") ==
        "index 0 of `n` is computed and may be 1..8, but the axis has 8 elements");
}

TEST_CASE("proof of indices: arithmetic, and where it may wrap around") {
  const std::string v = "for v in 0..5 { %0 = index v : i64 %1 = const 2 : i64 ";
  const std::string load = " %3 = load a[%2, 0] : f32 }";
  CHECK(broken(v + "%2 = min %0, %1 : i64" + load) == "");
  CHECK(broken(v + "%2 = max %0, %1 : i64" + load) == "");
  CHECK(broken(v + "%2 = div %0, %1 : i64" + load) == "");
  CHECK(broken(v + "%2 = add %0, %1 : i64" + load) == may_be("2..6"));
  CHECK(broken(v + "%2 = sub %0, %1 : i64" + load) == may_be("-2..2"));
  CHECK(broken(v + "%2 = mul %0, %1 : i64" + load) == may_be("0..8"));
  CHECK(broken(v + "%2 = neg %0 : i64" + load) == may_be("-4..0"));
  CHECK(broken("%0 = const 2147483647 : i32 %1 = add %0, %0 : i32 %2 = load a[%1, 0] : f32") ==
        may_be("-inf..inf"));
  CHECK(broken("%0 = load n[0] : i64 %1 = const 0 : i64 %2 = max %0, %1 : i64 %3 = load a[%2, 0] : f32") ==
        may_be("0..inf"));
  CHECK(broken("%0 = load n[0] : i64 %1 = const 0 : i64 %2 = max %0, %1 : i64 %3 = const 4 : i64 "
               "%4 = min %2, %3 : i64 %5 = load a[%4, 0] : f32") == "");
  CHECK(broken("%0 = const 2 : f32 %1 = cast %0 : i32 %2 = load a[%1, 0] : f32") == may_be("-inf..inf"));
  CHECK(broken("%0 = const 1 : i32 %1 = eq %0, %0 : bool %2 = cast %1 : i64 %3 = load a[%2, 0] : f32") == "");
}

TEST_CASE("proof of indices: a remainder lies below its divisor") {
  const auto remainder = [](const std::string& divisor, const std::string& factor) {
    return broken("for v in 0..20 { %0 = index v : i64 %1 = const " + divisor + " : i64 %2 = const " +
                  factor +
                  " : i64 %3 = div %0, %1 : i64 %4 = mul %3, %2 : i64 %5 = sub %0, %4 : i64 "
                  "%6 = load a[%5, 0] : f32 }");
  };
  CHECK(remainder("5", "5") == "");
  CHECK(remainder("6", "6") == may_be("0..5"));
  CHECK(remainder("5", "4") == may_be("-12..19"));
}

TEST_CASE("proof of indices: a condition holds where its value is selected") {
  const auto guarded = [](const std::string& test, const std::string& choice) {
    return broken(
        "%0 = load n[0] : i64 %1 = const 0 : i64 %2 = const 5 : i64 %3 = ge %0, %1 : bool "
        "%4 = lt %0, %2 : bool %5 = le %0, %2 : bool %6 = and %3, " +
        test + " : bool %7 = select %6, " + choice + " : i64 %8 = load a[%7, 0] : f32");
  };
  CHECK(guarded("%4", "%0, %1") == "");
  CHECK(guarded("%5", "%0, %1") == may_be("0..5"));
  CHECK(guarded("%3", "%0, %1") == may_be("0..inf"));
  CHECK(guarded("%4", "%1, %0") == may_be("-inf..inf"));
  CHECK(guarded("%4", "%0, %2") == may_be("0..5"));
}

TEST_CASE("proof of indices: what buffers hold") {
  const std::string row = "for b in 0..rows { %0 = load row[b] : i64 ";
  CHECK(broken(row + "%1 = load i[%0] : i32 %2 = load a[%1, 0] : f32 }") == "");
  CHECK(broken(row + "%1 = load j[%0] : i32 %2 = load a[%1, 0] : f32 }") == may_be("-inf..inf"));
  CHECK(broken(row + "%1 = load i[%0] : i32 %2 = load a[%1 + 1, 0] : f32 }") == may_be("1..5"));
  CHECK(broken("for v in 0..3 { %0 = load c[v] : i32 %1 = load a[%0, 0] : f32 }") == "");
  CHECK(broken("for v in 0..3 { %0 = load c[v] : i32 %1 = load a[0, %0] : f32 }") ==
        "index 1 of `a` is computed and may be 0..4, but the axis has 4 elements");
  CHECK(broken("for v in 0..4 { %0 = index v : i64 store t[v] = %0 } for v in 0..4 { %1 = load t[v] : i64 "
               "%2 = load a[%1, 0] : f32 }") == "");
  CHECK(
      broken("for v in 0..4 { %0 = index v + 2 : i64 store t[v] = %0 } for v in 0..4 { %1 = load t[v] : i64 "
             "%2 = load a[%1, 0] : f32 }") == may_be("2..5"));
  // A later iteration reads what an earlier one stored.
  CHECK(broken("%9 = const 0 : i64 store t[0] = %9 for v in 0..3 { %0 = load t[v] : i64 %1 = const 2 : i64 "
               "%2 = add %0, %1 : i64 store t[v + 1] = %2 %3 = load a[%0, 0] : f32 }") ==
        may_be("-inf..inf"));
}

TEST_CASE("proof of indices: rows of data come from the row order as they are") {
  const std::string law = "rows of `x` are not taken from the row order";
  CHECK(broken("for b in 0..rows { %0 = load row[b] : i64 %1 = load x[%0, 0] : f32 }") == "");
  CHECK(broken("for b in 0..rows { %0 = load row[b] : i64 %1 = load x[%0 + 1, 0] : f32 }") == law);
  CHECK(broken("for b in 0..rows { %0 = load row[b] : i64 %1 = load x[%0 + b, 0] : f32 }") == law);
  CHECK(broken("for b in 0..rows { %0 = index b : i64 %1 = load x[%0, 0] : f32 }") == law);
}

TEST_CASE("proof of indices: carried values, in order and in lanes") {
  const auto carried = [](const std::string& next) {
    return broken("%0 = const 0 : i64 for v in 0..5 carry (%1 = %0) -> (%2) { %3 = index v : i64 " + next +
                  " next (%4) } %5 = load a[%2, 0] : f32");
  };
  CHECK(carried("%4 = max %1, %3 : i64") == "");
  CHECK(carried("%4 = add %1, %3 : i64") == may_be("-inf..inf"));
  const auto lanes = [](const std::string& start, const std::string& combined) {
    return broken("%0 = const " + start +
                  " : i64 lanes v in 0..5 carry (%1 = %0) -> (%2) { %3 = index v : i64 %4 = max %1, %3 : i64 "
                  "next (%4) } combine (%5 | %6) { %7 = " +
                  combined + " %5, %6 : i64 next (%7) } %8 = load a[%2, 0] : f32");
  };
  CHECK(lanes("0", "max") == "");
  CHECK(lanes("5", "max") == may_be("5..5"));
  CHECK(lanes("0", "add") == may_be("-inf..inf"));
}

TEST_CASE("proof of indices: limits belong to whole numbers of the data") {
  const auto with_buffer = [](const std::string& line) { return broken_law(kHead + "buffer b: " + line); };
  CHECK(with_buffer("f32[*batch] data \"b\" below 3") == "buffer `b` has a limit but no whole numbers");
  CHECK(with_buffer("i32[3] state 256 \"b\" below 3") == "buffer `b` has a misplaced limit");
}

}  // namespace
}  // namespace dlg::loop
