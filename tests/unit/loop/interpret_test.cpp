// Owns the tests of the loop interpreter against sums, orders and roundings written out by hand.
#include "ir/loop/interpret.h"

#include <cmath>

#include "tests/unit/loop/loop_text.h"

namespace dlg::loop {
namespace {

std::vector<double>& named(Interpreter& interpreter, const Program& program, const std::string& name) {
  for (const BufferId id : program.buffers.ids()) {
    if (program.buffers[id].name == name) return interpreter.buffer(id);
  }
  FAIL("no buffer " << name);
  return interpreter.buffer(BufferId{0});
}

std::string sum_of(std::int64_t n) {
  const std::string size = std::to_string(n);
  return "program batch 1\narena 0\nstate 65536\noutput 64\nstop_test 0\nbuffer a: f32[" + size +
         "] state 0 \"a\"\nbuffer r: f32[] output 0 \"r\"\nkernel k {\n%0 = const -0 : f32\nlanes i in 0.." +
         size +
         " carry (%1 = %0) -> (%2) {\n%3 = load a[i] : f32\n%4 = add %1, %3 : f32\nnext (%4)\n} combine (%5 "
         "| %6) "
         "{\n%7 = add %5, %6 : f32\nnext (%7)\n}\nstore r[] = %2\n}\n";
}

TEST_CASE("loop interpreter: 16 lanes and the tree 8, 4, 2, 1, each addition rounded to f32") {
  for (const std::int64_t n : {1, 2, 15, 16, 17, 40, 129}) {
    const Program program = verified(sum_of(n));
    Interpreter interpreter(program);
    std::vector<double>& a = named(interpreter, program, "a");
    float lanes[16];
    for (float& lane : lanes) lane = -0.0f;
    for (std::int64_t i = 0; i < n; ++i) {
      const float element = 1.0f / static_cast<float>(3 * i + 1);
      a[static_cast<std::size_t>(i)] = static_cast<double>(element);
      lanes[i % 16] += element;
    }
    for (int width = 8; width > 0; width /= 2) {
      for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
    }
    interpreter.step(1, {0});
    CHECK(named(interpreter, program, "r")[0] == static_cast<double>(lanes[0]));
  }
}

TEST_CASE("loop interpreter: the sum of nothing but -0 is -0") {
  const Program program = verified(sum_of(3));
  Interpreter interpreter(program);
  named(interpreter, program, "a") = {-0.0, -0.0, -0.0};
  interpreter.step(1, {0});
  CHECK(std::signbit(named(interpreter, program, "r")[0]));
}

const char* const kGather =
    "program batch 3\narena 64\nstate 128\noutput 64\nstop_test 0\nbuffer x: f32[*batch, 2] data \"d.x\"\n"
    "buffer row: i64[*batch] row_order\nbuffer h: f32[*batch] arena 0\nbuffer out: f32[*batch] output 0 "
    "\"out\"\n"
    "buffer s: f32[3] state 0 \"s\"\nbuffer same: f32[3] state 0 \"s\"\nbuffer t: f32[3] state 64 \"t\"\n"
    "kernel k {\nfor b in 0..rows {\n%0 = load row[b] : i64\n%1 = load x[%0, 1] : f32\nstore h[b] = %1\n"
    "%2 = load h[b] : f32\nstore out[b] = %2\n}\nfor i in 0..3 {\n%3 = load s[i] : f32\n%4 = add %3, %3 : "
    "f32\n"
    "store same[i] = %4\n}\n}\ncopy s -> t\n";

TEST_CASE("loop interpreter: data rows are chosen by the row order, ragged batches leave the rest alone") {
  const Program program = verified(kGather);
  Interpreter interpreter(program);
  interpreter.set_data("d.x", {0, 10, 1, 11, 2, 12, 3, 13});
  interpreter.step(3, {3, 0, 2});
  CHECK(named(interpreter, program, "out") == std::vector<double>{13, 10, 12});
  interpreter.step(2, {1, 1});
  CHECK(named(interpreter, program, "out") == std::vector<double>{11, 11, 12});
}

TEST_CASE("loop interpreter: two names of one state share it, copies come last") {
  const Program program = verified(kGather);
  Interpreter interpreter(program);
  named(interpreter, program, "s") = {1, 2, 3};
  interpreter.step(1, {0});
  CHECK(named(interpreter, program, "same") == std::vector<double>{2, 4, 6});
  CHECK(named(interpreter, program, "t") == std::vector<double>{2, 4, 6});
}

TEST_CASE("loop interpreter: temporaries start as NaN") {
  const Program program = verified(kGather);
  Interpreter interpreter(program);
  CHECK(std::isnan(named(interpreter, program, "h")[0]));
}

}  // namespace
}  // namespace dlg::loop
