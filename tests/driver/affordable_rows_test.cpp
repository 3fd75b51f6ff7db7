// Owns the promise that `dlg check` and `dlg gradcheck` of a large net look at as many rows as they can
// afford, and say so.
#include <fmt/format.h>

#include "driver/engine/affordable_rows.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Most points lie outside, so that the sums are large by their number and quick to compute. `t` of the first
/// rows is 0.
std::string program_of(std::int64_t taps, const std::string& weights) {
  return fmt::format(R"(dlg 1
use f64
data d {{
  x = [[[1, 2], [0, 1]], [[3, 1], [1, 1]], [[0, 2], [1, 0]], [[2, 2], [2, 1]], [[1, 0], [4, 1]], [[1, 5], [0, 3]]]
  t = [0, 0, 0, 1, 2, 1]
}}
model net(x: [2, 2]) -> [] {{
  param w: [2, 2] = [[0.5, -0.2], [0.1, 0.3]]
  h = tanh(w * (x - batch_mean(x)))
  y[i: 2, j: 2] = sum(h[i + r, j + s], over = [r: {}, s: {}])
  return sum(y)
}}
train {{
  minimize  = (net(d.x) - d.t)^2{}
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}}
check "all rows of the batch" {{
  expect loss > 0
}}
)",
                     taps, taps, weights);
}

Called call(const std::string& verb, const std::string& text) {
  const TempFolder folder;
  return call_dlg({verb, folder.write("net.dlg", text), "--no-cache"});
}

TEST_CASE("check compares the rows that it can afford and says which") {
  for (const char* verb : {"check", "gradcheck"}) {
    const Called few = call(verb, program_of(8000, ""));
    CAPTURE(verb, few.out, few.err);
    CHECK(few.exit_code == 0);
    CHECK(contains(few.out, " on the first 2 rows of a batch of 6"));
    const Called all = call(verb, program_of(8, ""));
    CAPTURE(all.out, all.err);
    CHECK(all.exit_code == 0);
    CHECK_FALSE(contains(all.out, " on the first"));
  }
}

TEST_CASE("rows without weight are not the only ones that are compared") {
  const Called called = call("check", program_of(8000, "\n  weights   = d.t"));
  CAPTURE(called.out, called.err);
  CHECK(called.exit_code == 0);
  CHECK(contains(called.out, " on the first 4 rows of a batch of 6"));
}

TEST_CASE("gradcheck looks at fewer entries where even two rows are too much") {
  const Called called = call("gradcheck", program_of(4000, ""));
  CAPTURE(called.out, called.err);
  CHECK(called.exit_code == 0);
  CHECK(contains(called.out, "compared on the first 2 rows of a batch of 6, at most at 1 entry of each "));
}

/// How many lines of a table have this behind the name of a parameter.
std::ptrdiff_t lines_with(const std::string& table, const std::string& path, const std::string& part) {
  std::istringstream stream(table);
  std::ptrdiff_t count = 0;
  for (std::string line; std::getline(stream, line);)
    count += line.starts_with(path) && contains(line, part) ? 1 : 0;
  return count;
}

TEST_CASE(
    "gradcheck takes differences of fewer parameters where one entry of each is too much, and says so") {
  std::string text = program_of(2000, "");
  text.replace(text.find("  h = tanh(w *"), 14, R"(  param a: [] = 1
  param b: [2, 2] = 1
  param c: [] = 1
  param e: [2] = 1
  h = tanh((w + a * b * c) * spread(e, 2) *)");
  const Called called = call("gradcheck", text);
  CAPTURE(called.out, called.err);
  CHECK(called.exit_code == 0);
  CHECK(contains(
      called.out,
      "compared on the first 2 rows of a batch of 6, at 1 entry of 1 of 5 parameters: more differences "
      "would take longer than some ten seconds\n"));
  CHECK(lines_with(called.out, "net.", " - ") == 4);
  CHECK(lines_with(called.out, "net.w", " - ") == 0);
  CHECK(lines_with(called.out, "net.", "  ok") == 5);
}

}  // namespace
