// Owns the tests of loops with affine bounds: their text, what they prove of an index, which iterations they
// leave.
#include "ir/loop/affine_bounds.h"

#include "ir/loop/interpret.h"
#include "ir/loop/kernel_accesses.h"
#include "support/arithmetic.h"
#include "tests/unit/loop/loop_text.h"

namespace dlg::loop {
namespace {

const std::string kHead =
    "program batch 8\narena 0\nstate 4096\noutput 1024\nstop_test 0\n\n"
    "buffer x: f32[32] state 0 \"x\"\nbuffer y: i64[*batch] row_order\n"
    "buffer n: f32[4, 8] state 256 \"n\"\n";

std::string with_kernel(const std::string& body) {
  return kHead + "\nkernel k {\n" + body + "}\n";
}

/// The law that a kernel body breaks.
std::string broken(const std::string& body) {
  const std::string text = broken_law(with_kernel(body));
  const std::string prefix = "kernel `k`: ";
  return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : text;
}

/// The first error of a loop "for k in RANGE" inside of loops over h and b.
std::string range_error(const std::string& range) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add(
      "test.loops", with_kernel("for h in 0..32 { for b in 0..rows { for k in " + range + " { } } }\n"));
  CHECK(!parse_program(sources, file, diagnostics).has_value());
  REQUIRE(diagnostics.all().size() == 1);
  const Diagnostic& diagnostic = diagnostics.all()[0];
  return std::string(sources.text(diagnostic.range)) + ": " + diagnostic.message;
}

TEST_CASE("bounds: printing what was read gives the same bytes") {
  const std::string text = with_kernel(R"loops(  for h in 0..32 {
    for k in max(0, 1 - h)..min(3, 33 - h, rows) {
      for m in max(0, (2*h - k - 1) / 2, -5)..min(rows, (rows + h + 3 - 2*k) / 4) {
        %0 = load x[h + k - 1] : f32
      }
    }
  }
  for k0 in 0..32 step 16 {
    for k in max(k0, 3)..32 {
      %1 = load x[k] : f32
    }
  }
  %2 = const -0 : f32
  lanes h in 0..min(8, rows), k in max(0, h)..min(8, (h + 9) / 2) carry (%3 = %2) -> (%4) {
    %5 = load x[h + k] : f32
    %6 = add %3, %5 : f32
    next (%6)
  } combine (%7 | %8) {
    %9 = add %7, %8 : f32
    next (%9)
  }
)loops");
  const Program program = verified(text);
  CHECK(print_program(program, Sources{}) == text);
  const Loop& m = program.kernels[0].body[0].loop[0].body[0].loop[0].body[0].loop[0];
  CHECK(m.lower[0].divisor == 2);
  CHECK(m.upper[0].rows == 1);
  CHECK(m.upper[0].value.offset == 3);
}

TEST_CASE("bounds: other ways to write them, and names that are words") {
  const std::string text = with_kernel(
      "for max in 0..4 { for rows in max(0)..min(4, -max + 4) { for k in "
      "rows..4 { } } }\n");
  const std::string printed = print_program(program_of(text), Sources{});
  CHECK(printed.find("for rows' in 0..min(4, 4 - max) {") != std::string::npos);
  CHECK(print_program(program_of(printed), Sources{}) == printed);
}

TEST_CASE("bounds: errors stand at their place") {
  CHECK(range_error("max(0, j)..3") == "j: no enclosing loop named `j`");
  CHECK(range_error("max(0, k)..3") == "k: no enclosing loop named `k`");
  CHECK(range_error("0..min(3, (h + 1) / 0)") == "0: found `0`, expected a divisor of at least 1");
  CHECK(range_error("0..min(3, (h + 1) / -2)") == "-: found `-`, expected a divisor of at least 1");
  CHECK(range_error("0..min(3, (h + 1))") == "): found `)`, expected `/`");
  CHECK(range_error("0..min(3, h / 2)") == "/: found `/`, expected `)`");
  CHECK(range_error("0..min(3, %1)") == "%1: found `%1`, expected a loop, `rows` or a whole number");
  CHECK(range_error("max(1, h)..3") ==
        "1: found `1`, expected a loop from `0` or from the variable of a block loop");
  CHECK(range_error("0..min(h, 3)") == "h: found `h`, expected a whole number");
}

TEST_CASE("bounds: what they keep inside") {
  const auto loaded = [](const std::string& range, const std::string& index) {
    return broken("for h in 0..32 { for k in " + range + " { %0 = load x[" + index + "] : f32 } }\n");
  };
  const auto outside = [](const std::string& range) {
    return "index 0 of `x` runs over " + range +
           ", but the axis has 32 elements, and no bound of its loops keeps it inside";
  };
  CHECK(loaded("max(0, 1 - h)..min(3, 33 - h)", "h + k - 1") == "");
  CHECK(loaded("max(0, 0 - h)..min(3, 33 - h)", "h + k - 1") == outside("-1..32"));
  CHECK(loaded("max(0, 1 - h)..min(3, 34 - h)", "h + k - 1") == outside("-1..32"));
  CHECK(loaded("max(0, 1 - h)..3", "h + k - 1") == outside("-1..32"));
  // Stride and dilation: 2k >= 3 - h, and 2k + 2 <= 36 - h.
  CHECK(loaded("max(0, (3 - h) / 2)..min(9, (36 - h) / 2)", "h + 2*k - 3") == "");
  CHECK(loaded("max(0, (2 - h) / 2)..min(9, (36 - h) / 2)", "h + 2*k - 3") == outside("-3..44"));
  CHECK(loaded("max(0, (3 - h) / 2)..min(9, (37 - h) / 2)", "h + 2*k - 3") == outside("-3..44"));
  // A factor that is no multiple of the divisor, backwards, and a triangle.
  CHECK(loaded("0..min(40, (h + 1) / 2)", "31 + 2*k - h") == "");
  CHECK(loaded("0..min(32, h + 1)", "h - k") == "");
  CHECK(loaded("0..min(32, h + 2)", "h - k") == outside("-31..31"));
  CHECK(loaded("max(0, 8)..min(64, 40)", "k - 8") == "");
}

TEST_CASE("bounds: those of two loops keep one index inside") {
  const auto loaded = [](const std::string& h, const std::string& k) {
    return broken("for i in 0..4 { for h in " + h + " { for j in 0..8 { for k in " + k +
                  " { %0 = load x[8*i + 8*h - 8 + j + k - 1] : f32 } } } }\n");
  };
  CHECK(loaded("max(0, 1 - i)..min(3, 5 - i)", "max(0, 1 - j)..min(3, 9 - j)") == "");
  CHECK(loaded("max(0, 1 - i)..min(3, 5 - i)", "max(0, 1 - j)..3") != "");
  CHECK(loaded("0..min(3, 5 - i)", "max(0, 1 - j)..min(3, 9 - j)") != "");
}

TEST_CASE("bounds: what they keep inside for any number of valid rows") {
  const auto loaded = [](const std::string& range, const std::string& index) {
    return broken("for b in 0..rows { for k in " + range + " { %0 = load y[" + index + "] : i64 } }\n");
  };
  CHECK(loaded("0..min(64, rows)", "k") == "");
  CHECK(loaded("0..min(8, rows - b)", "b + k") == "");
  CHECK(loaded("0..min(8, rows - b + 1)", "b + k") ==
        "index 0 of `y` runs over 0..7, but the axis has 1 elements, and no bound of its loops keeps it "
        "inside");
  // Each end is inside by one of the two bounds; between them neither says enough.
  CHECK(loaded("max(0, 4 - rows, rows - 5)..min(8, rows)", "k - 1") != "");
}

TEST_CASE("bounds: a computed index is followed through them") {
  const auto loaded = [](const std::string& range) {
    return broken("for h in 0..32 { for k in " + range +
                  " { %0 = index h + k - 1 : i64 %1 = load x[%0] : f32 } }\n");
  };
  CHECK(loaded("max(0, 1 - h)..min(3, 33 - h)") == "");
  CHECK(loaded("max(0, 1 - h)..3") ==
        "index 0 of `x` is computed and may be 0..32, but the axis has 32 elements");
}

TEST_CASE("bounds: laws") {
  CHECK(broken("for k in max(0, 1)..32 step 16 { }\n") == "block loop `k` has bounds");
  CHECK(broken("for k in 0..min(9, 4503599627370496) { }\n") ==
        "a bound of loop `k` may be as large as 2^52");
  CHECK(broken("for k in 0..min(9, (9) / 4503599627370496) { }\n") ==
        "a bound of loop `k` may be as large as 2^52");
  Program program = verified(with_kernel("for h in 0..4 { for k in max(0, h)..4 { } }\n"));
  Loop& k = program.kernels[0].body[0].loop[0].body[0].loop[0];
  k.lower[0].divisor = 0;
  CHECK(verify(program) == "kernel `k`: a bound of loop `k` has no divisor of at least 1");
  k.lower[0] = {.value = {.terms = {{k.var, 1}}, .dynamic = {}, .offset = 0}};
  CHECK(verify(program) == "kernel `k`: a bound of loop `k` uses a variable of no enclosing loop");
  k.lower[0] = {.value = {.terms = {}, .dynamic = RegId{0}, .offset = 0}};
  CHECK(verify(program) == "kernel `k`: a bound of loop `k` is computed");
}

TEST_CASE("bounds: a loop that leaves iterations out does not fill a buffer") {
  const auto is_filled = [](const std::string& range) {
    const Program program = verified(with_kernel("%0 = const 1 : f32\nparallel i in " + range +
                                                 " { parallel j in 0..8 { store n[i, j] = %0 } }\n"));
    return fills_buffer(accesses_of(program.kernels[0]).stores[0], program.buffers[BufferId{2}]);
  };
  CHECK(is_filled("0..4"));
  CHECK_FALSE(is_filled("max(0, 0)..4"));
  CHECK_FALSE(is_filled("0..min(4, 4)"));
}

TEST_CASE("bounds: loops fill an axis in blocks, of which the last may be ragged") {
  const auto is_filled = [](const std::string& blocks, const std::string& range, const std::string& index) {
    const Program program = verified(
        "program batch 4\narena 64\nstate 0\noutput 0\nstop_test 0\nbuffer h: f32[10] arena 0\n"
        "kernel k {\n%0 = const 1 : f32\nparallel i in 0.." +
        blocks + " { parallel j in 0.." + range + " { store h[" + index + "] = %0 } }\n}\n");
    return fills_buffer(accesses_of(program.kernels[0]).stores[0], program.buffers[BufferId{0}]);
  };
  CHECK(is_filled("5", "2", "2*i + j"));
  CHECK(is_filled("3", "min(4, 10 - 4*i)", "4*i + j"));
  CHECK(is_filled("4", "min(4, 10 - 4*i)", "4*i + j"));
  CHECK_FALSE(is_filled("2", "min(4, 10 - 4*i)", "4*i + j"));
  CHECK_FALSE(is_filled("3", "min(4, 9 - 4*i)", "4*i + j"));
  CHECK_FALSE(is_filled("3", "min(4, 10 - 4*i, 8)", "4*i + j"));
  CHECK_FALSE(is_filled("3", "3", "3*i + j"));
  CHECK_FALSE(is_filled("2", "4", "5*i + j"));
}

TEST_CASE("bounds: iterations are estimated from those that say a number") {
  const auto estimate = [](const std::string& range) {
    const Program program = verified(with_kernel("for h in 0..32 { for k in " + range + " { } }\n"));
    return iterations(program.kernels[0].body[0].loop[0].body[0].loop[0], 8);
  };
  CHECK(estimate("0..32") == 32);
  CHECK(estimate("max(0, h)..32") == 32);
  CHECK(estimate("max(0, (7) / 2)..min(32, (rows + 3) / 2)") == 5 - 4);
  CHECK(estimate("max(0, 20)..min(32, rows)") == 0);
}

TEST_CASE("bounds: divisions round down and up") {
  for (std::int64_t a = -9; a <= 9; ++a) {
    for (std::int64_t d = 1; d <= 4; ++d) {
      CHECK(floor_div(a, d) * d <= a);
      CHECK((floor_div(a, d) + 1) * d > a);
      CHECK(ceil_div(a, d) == -floor_div(-a, d));
    }
  }
}

/// The points (h, k) that a loop over k inside of one over h visits: '1', a row of them for each h.
std::string points(const std::string& range, std::int64_t rows = 8) {
  const Program program =
      verified(with_kernel("%0 = const 1 : f32\nfor h in 0..4 { for k in " + range +
                           " { %1 = load n[h, k] : f32 %2 = add %1, %0 : f32 store n[h, k] = %2 } }\n"));
  Interpreter machine(program);
  machine.step(rows, {});
  std::string text;
  for (const double count : machine.buffer(BufferId{2})) {
    text += count == 1 ? '1' : count == 0 ? '.' : '?';
    if (text.size() % 9 == 8) text += ' ';
  }
  return text;
}

TEST_CASE("bounds: the interpreter makes the iterations between them") {
  CHECK(points("0..8") == "11111111 11111111 11111111 11111111 ");
  CHECK(points("0..min(8, h + 1)") == "1....... 11...... 111..... 1111.... ");
  CHECK(points("max(0, 2*h)..min(8, 9 - 2*h)") == "11111111 ..11111. ....1... ........ ");
  CHECK(points("max(0, h - 2)..min(8, h - 1, 9)") == "........ ........ 1....... .1...... ");
  // 3k >= 4h - 2, and 3k + 3 <= 10 - h.
  CHECK(points("max(0, (4*h - 2) / 3)..min(8, (10 - h) / 3)") == "111..... .11..... ........ ........ ");
  CHECK(points("max(0, h + 1)..min(8, rows - h)", 5) == ".1111... ..11.... ........ ........ ");
  CHECK(points("max(0, (-7 - h) / 2)..min(8, (-1 - h) / 2)") == "........ ........ ........ ........ ");
}

}  // namespace
}  // namespace dlg::loop
