// Owns the tests of the loop verifier: each law by a program that breaks only that one.
#include <algorithm>

#include "tests/unit/loop/loop_text.h"

namespace dlg::loop {
namespace {

const std::string kHead =
    "program batch 8\narena 4096\nstate 4096\noutput 64\nstop_test 0\n"
    "buffer a: f32[8, 4] state 0 \"a\"\nbuffer n: i64[8] state 128 \"n\"\nbuffer t: f32[*batch, 4] arena 0\n"
    "buffer x: f32[*batch, 4] data \"x\"\nbuffer row: i64[*batch] row_order\nbuffer r: f32[] output 0 "
    "\"r\"\nbuffer w: f32[2, 16] order [1/8, 0, 1%8] state 256 \"w\"\n";

/// The law that a kernel body breaks.
std::string in_kernel(const std::string& body) {
  const std::string broken = broken_law(kHead + "kernel k {\n" + body + "\n}\n");
  const std::string prefix = "kernel `k`: ";
  return broken.substr(0, prefix.size()) == prefix ? broken.substr(prefix.size()) : broken;
}

std::string with_buffer(const std::string& line) {
  return broken_law(kHead + "buffer b: " + line);
}

TEST_CASE("loop verifier: registers are assigned once, before their use, inside their scope") {
  CHECK(in_kernel("%0 = const 1 : f32 %0 = const 2 : f32") == "%0 is assigned twice");
  CHECK(in_kernel("%0 = neg %1 : f32") == "%1 is used where it is not defined");
  CHECK(in_kernel("for i in 0..2 { %0 = const 1 : f32 } %1 = neg %0 : f32") ==
        "%0 is used where it is not defined");
  CHECK(in_kernel("for i in 0..2 { %0 = const 1 : f32 } for i in 0..2 { %0 = const 1 : f32 }") ==
        "%0 is assigned twice");
  CHECK(
      in_kernel("%0 = const 1 : f32 for i in 0..2 carry (%1 = %0) -> (%2) { %3 = neg %2 : f32 next (%3) }") ==
      "%2 is used where it is not defined");
}

TEST_CASE("loop verifier: dtypes agree") {
  CHECK(in_kernel("%0 = const 1 : f32 %1 = const 1 : f64 %2 = add %0, %1 : f32") ==
        "%2 = add: the operand dtypes do not fit the result f32");
  CHECK(in_kernel("%0 = const 1 : i32 %1 = exp %0 : i32") ==
        "%1 = exp: the operand dtypes do not fit the result i32");
  CHECK(in_kernel("%0 = const 1 : f32 %1 = lt %0, %0 : f32") ==
        "%1 = lt: the operand dtypes do not fit the result f32");
  CHECK(in_kernel("%0 = const 1 : f32 %1 = select %0, %0, %0 : f32") ==
        "%1 = select: the operand dtypes do not fit the result f32");
  CHECK(in_kernel("%0 = rows : i32") == "`rows` gives i64 only");
  CHECK(in_kernel("%0 = load a[0, 0] : f64") == "a load from `a` has another dtype");
  CHECK(in_kernel("%0 = const 1 : f64 store a[0, 0] = %0") == "a store to `a` has another dtype");
  CHECK(in_kernel(
            "%0 = const 1 : f32 for i in 0..2 carry (%1 = %0) -> (%2) { %3 = const 1 : f64 next (%3) }") ==
        "loop `i` carries a value that changes its dtype");
}

TEST_CASE("loop verifier: indices stay inside their buffers") {
  CHECK(in_kernel("for i in 0..9 { %0 = load a[i, 0] : f32 }") ==
        "index 0 of `a` runs over 0..8, but the axis has 8 elements");
  CHECK(in_kernel("for i in 0..4 { %0 = load a[2*i + 1, 0] : f32 }") == "");
  CHECK(in_kernel("for i in 0..4 { %0 = load a[-i + 2, 0] : f32 }") ==
        "index 0 of `a` runs over -1..2, but the axis has 8 elements");
  CHECK(in_kernel("for i in 0..8 { for j in 0..2 { %0 = load a[i + j, 0] : f32 } }") ==
        "index 0 of `a` runs over 0..8, but the axis has 8 elements");
  CHECK(in_kernel("%0 = load a[0] : f32") == "`a` has 2 axes but 1 indices");
  CHECK(in_kernel("%0 = const 1 : f32 for b in 0..8 { store t[b, 0] = %0 }") ==
        "index 0 of `t` runs over 0..7, but the axis has 1 elements");
  CHECK(in_kernel("%0 = const 1 : f32 for b in 0..rows { store t[b, 0] = %0 }") == "");
  CHECK(in_kernel("%0 = const 1 : f32 for b in 0..rows { store t[b + 1, 0] = %0 }") ==
        "index 0 of `t` runs over 1..1, but the axis has 1 elements");
  CHECK(in_kernel("for b in 0..rows { %0 = load a[b, 0] : f32 }") == "");
  CHECK(in_kernel("for ii in 0..8 step 4 { for i in ii..8 { %0 = load a[i, 0] : f32 } }") == "");
}

TEST_CASE("loop verifier: rows of data come from the row order") {
  CHECK(in_kernel("for b in 0..rows { %0 = load x[b, 0] : f32 }") ==
        "rows of `x` are not taken from the row order");
  CHECK(in_kernel("for b in 0..rows { %0 = load row[b] : i64 %1 = load x[%0, 3] : f32 }") == "");
  CHECK(in_kernel("%0 = const 1 : f32 %1 = load x[%0, 3] : f32") == "a computed index is no integer");
}

TEST_CASE("loop verifier: iterations of a vector loop are independent") {
  const std::string one = "%0 = const 1 : f32 ";
  CHECK(in_kernel(one + "vector i in 0..4 { store a[0, i] = %0 }") == "");
  CHECK(in_kernel(one + "vector i in 0..4 { store a[0, 0] = %0 }") ==
        "iterations of vector loop `i` store to the same element of `a`");
  CHECK(in_kernel(one + "vector i in 0..2 { for j in 0..2 { store a[0, i + j] = %0 } }") ==
        "iterations of vector loop `i` store to the same element of `a`");
  CHECK(in_kernel(one + "vector i in 0..2 { for j in 0..2 { store a[0, 2*i + j] = %0 } }") == "");
  CHECK(in_kernel("vector i in 0..4 { %0 = load n[i] : i64 %1 = const 1 : f32 store a[%0 + i, 0] = %1 }") ==
        "iterations of vector loop `i` store to the same element of `a`");
  CHECK(in_kernel("vector i in 0..3 { %0 = load a[0, i + 1] : f32 store a[0, i] = %0 }") ==
        "vector loop `i` loads and stores different elements of `a`");
  CHECK(in_kernel("vector i in 0..3 { %0 = load a[0, i] : f32 store a[0, i] = %0 }") == "");
  CHECK(in_kernel(one + "vector i in 0..4 carry (%1 = %0) -> (%2) { next (%1) }") ==
        "vector loop `i` carries values");
}

TEST_CASE("loop verifier: lanes reduce and store nothing") {
  const std::string zero = "%0 = const -0 : f32 ";
  const std::string sum = "combine (%4 | %5) { %6 = add %4, %5 : f32 next (%6) }";
  CHECK(in_kernel(zero + "lanes i in 0..4 carry (%1 = %0) -> (%2) { store a[0, i] = %1 next (%1) } " + sum) ==
        "a lanes loop stores");
  CHECK(in_kernel(zero + "lanes i in 0..4 carry (%1 = %0) -> (%2) { %3 = neg %1 : f32 next (%3) } "
                         "combine (%4 | %5) { %6 = add %3, %5 : f32 next (%6) }") ==
        "%3 is used where it is not defined");
  CHECK(in_kernel(zero + "lanes i in 0..4 carry (%1 = %0) -> (%2) { next (%1) } "
                         "combine (%4 | %5) { %6 = load a[0, 0] : f32 next (%6) }") ==
        "a combine body is more than arithmetic");
  const auto around = [&](const std::string& ranges) {
    return in_kernel(zero + "for ii in 0..8 step 4 { lanes " + ranges +
                     " carry (%1 = %0) -> (%2) { %3 = load a[j, i] : f32 next (%3) } " + sum + "}");
  };
  CHECK(around("j in 0..8, i in 0..4") == "");
  CHECK(around("j in ii..8, i in 0..4") == "");
  CHECK(around("j in 0..9, i in 0..4") == "index 0 of `a` runs over 0..8, but the axis has 8 elements");
  CHECK(around("j in 0..8 step 2, i in 0..4") == "loop `j` cannot run around lanes");
  CHECK(around("j in 0..4, i in ii..4") == "lanes loop `i` has a block that is no multiple of 16");
}

TEST_CASE("loop verifier: loops are what they say") {
  CHECK(in_kernel("for i in 0..0 { }") == "loop `i` has no iterations");
  CHECK(in_kernel("vector i in 0..8 step 2 { }") == "loop `i` has a step but is no block loop");
  CHECK(in_kernel("for i in 0..8 { vector j in i..8 { } }") == "loop `j` cannot run over a block");
}

TEST_CASE(
    "loop verifier: inputs are not written, states not before the stop test, temporaries not read first") {
  CHECK(in_kernel("%0 = const 1 : i64 store row[0] = %0") == "`row` is stored to, but is input");
  CHECK(in_kernel("%0 = load t[0, 0] : f32") == "`t` is loaded before it is stored");
  std::string early = kHead + "kernel k { %0 = const 1 : f32 store a[0, 0] = %0 }";
  CHECK(broken_law(early) == "");
  early.replace(early.find("stop_test 0"), 11, "stop_test 1");
  CHECK(broken_law(early) == "kernel `k`: state `a` is written before the stop test");
  early.replace(early.find("stop_test 1"), 11, "stop_test 2");
  CHECK(broken_law(early) == "the stop test is behind the last kernel");
}

TEST_CASE("loop verifier: a layout has every axis once and room inside of each pitch") {
  const auto in_order = [](const std::string& order) {
    return with_buffer("f32[8, 6] order [" + order + "] arena 0");
  };
  const std::string no_permutation = "buffer `b` has a storage order that is no permutation of its axes";
  const std::string no_split = "buffer `b` does not split axis 1 into blocks and the rest in them, once each";
  CHECK(in_order("0") == no_permutation);
  CHECK(in_order("0, 1, 2") == no_permutation);
  CHECK(in_order("1, 1/4, 0, 1%4") == no_split);
  CHECK(in_order("1/4, 0") == no_split);
  CHECK(in_order("1/4, 0, 1/4") == no_split);
  CHECK(in_order("1/4, 0, 1%8") == no_split);
  CHECK(in_order("1/4, 0, 1%4, 1%4") == no_split);
  CHECK(in_order("1/1, 0, 1%1") == "buffer `b` splits axis 1 into blocks of 1, but 2 is the least");
  CHECK(in_order("1/4, 0/2, 1%4, 0%2") == "buffer `b` splits more than one axis");
  CHECK(in_order("0 pitch 6, 1") == "");
  CHECK(in_order("0 pitch 5, 1") == "buffer `b` has a pitch of 5 on axis 0, but 6 elements lie inside of it");
  CHECK(in_order("1/4 pitch 32, 0, 1%4") == "");
  CHECK(in_order("1/4 pitch 32, 0 pitch 5, 1%4") ==
        "buffer `b` has a pitch of 32 on axis 1, but 40 elements lie inside of it");
  CHECK(in_order("0 pitch 576460752303423488, 1") == "buffer `b` has a pitch that is too large");
}

TEST_CASE("loop verifier: padding belongs to its buffer, in arena and states alone") {
  const std::string padded = "f32[4, 4] order [0 pitch 64, 1] ";
  CHECK(with_buffer(padded + "arena 3072") == "");
  CHECK(with_buffer(padded + "arena 3136") == "buffer `b` reaches beyond the end of its block");
  CHECK(with_buffer(padded + "state 1024 \"s\"\nbuffer c: f32[4] state 2048 \"c\"") == "");
  CHECK(with_buffer(padded + "state 1024 \"s\"\nbuffer c: f32[4] state 1984 \"c\"") ==
        "buffer `c` overlaps `b`");
  CHECK(with_buffer("f32[2] order [0/2, 0%2] output 0") ==
        "buffer `b` has a pitch or a split axis, but is of kind output");
  CHECK(with_buffer("f32[2] order [0 pitch 2] constant [1, 2]") ==
        "buffer `b` has a pitch or a split axis, but is of kind constant");
  CHECK(with_buffer("f32[*batch, 4] order [0 pitch 5, 1] data \"d\"") ==
        "buffer `b` has a pitch or a split axis, but is of kind data");
}

TEST_CASE("loop verifier: an index on a split axis is a block and a rest in it") {
  const auto loads = [](const std::string& begin, const std::string& index) {
    const auto open = static_cast<std::size_t>(std::count(begin.begin(), begin.end(), '{'));
    const std::string broken =
        broken_law(kHead + "buffer s: f32[4, 20] order [1/8, 0, 1%8] state 1024 \"s\"\nkernel k {\n" + begin +
                   " %0 = load s[0, " + index + "] : f32\n" + std::string(open + 1, '}') + "\n");
    return broken.substr(0, broken.find(','));
  };
  const std::string no_rest = "kernel `k`: index 1 of `s`";
  CHECK(loads("", "11") == "");
  CHECK(loads("for j in 0..8 {", "j + 8") == "");
  CHECK(loads("for j in 0..20 {", "j") == no_rest);
  CHECK(loads("for j in 0..5 {", "2*j") == no_rest);
  CHECK(loads("for i in 0..2 { for j in 0..8 {", "8*i + j") == "");
  CHECK(loads("for i in 0..2 { for j in 0..4 {", "16*i + 3 - j") == "");
  CHECK(loads("for i in 0..2 { for j in 0..8 {", "8*i + j + 1") == no_rest);
  CHECK(loads("for i in 0..2 { for j in 0..8 {", "4*i + j") == no_rest);
  CHECK(loads("for i in 0..3 { for j in 0..min(8, 20 - 8*i) {", "8*i + j") == "");
  CHECK(loads("%1 = load n[0] : i64", "%1") == "kernel `k`: index 1 of `s` is computed");
  CHECK(in_kernel("for j in 0..16 { %0 = load w[0, j] : f32 }") ==
        "index 1 of `w`, whose axis is split, is not 8 times a sum plus a rest in 0..7");
}

TEST_CASE("loop verifier: buffers fit their kind and their block") {
  CHECK(with_buffer("f32[2, 0] arena 1024") == "buffer `b` has an extent below 1 or too many elements");
  CHECK(with_buffer("f32[4611686018427387904, 4] arena 1024") ==
        "buffer `b` has an extent below 1 or too many elements");
  CHECK(with_buffer("f32[*batch, *batch] arena 1024") == "buffer `b` has two batch axes");
  CHECK(with_buffer("f32[2, 2] order [0, 0] arena 1024") ==
        "buffer `b` has a storage order that is no permutation of its axes");
  CHECK(with_buffer("f32[] hyper \"h\"") == "buffer `b` is a hyper-parameter but not f64[]");
  CHECK(with_buffer("i32[*batch] row_order") == "buffer `b` is the row order but not i64[*batch]");
  CHECK(with_buffer("f32[4] data \"d\"") == "buffer `b` is data but its first axis is not the batch");
  CHECK(with_buffer("f32[2] constant [1]") ==
        "buffer `b` is constant but its literal has another number of elements");
  CHECK(with_buffer("f32[*batch] state 1024 \"s\"") == "buffer `b` is state but has a batch axis");
  CHECK(with_buffer("f32[] arena 4") == "buffer `b` has an offset that is not 64-byte aligned");
  CHECK(with_buffer("f32[17] arena 4032") == "buffer `b` reaches beyond the end of its block");
  CHECK(with_buffer("f32[4] state 64 \"s\"") == "buffer `b` overlaps `a`");
  CHECK(with_buffer("f32[8, 4] state 0 \"a\"") == "");
  CHECK(with_buffer("f32[4] arena 64") == "");
  CHECK(with_buffer("f32[4] output 0 loss") == "the loss `b` is not a floating-point scalar output");
}

TEST_CASE("loop verifier: copies happen together") {
  const std::string head = kHead + "buffer b: f32[8, 4] state 1024 \"b\"\nbuffer c: f32[8, 4] arena 1024\n";
  CHECK(broken_law(head + "copy c -> a copy a -> b") ==
        "a copy reads `a`, whose bytes it or an earlier copy writes");
  CHECK(broken_law(head + "copy a -> b copy c -> a") == "");
  CHECK(broken_law(head + "copy a -> a") == "a copy reads `a`, whose bytes it or an earlier copy writes");
  CHECK(broken_law(head + "copy a -> c") == "a copy writes `c`, which is no state");
  CHECK(broken_law(head + "copy n -> a") == "a copy from `n` to `a` changes type or storage order");
}

}  // namespace
}  // namespace dlg::loop
