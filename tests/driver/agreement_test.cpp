// Owns the promise that `dlg check` fails by itself where compiled code is wrong, and only there.
#include <fmt/format.h>

#include "support/wake_defect.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The value `m.y` stands in line 8; what follows from it is wrong as well.
std::string program_of(const std::string& dtype, const std::string& statement) {
  return fmt::format(R"(dlg 1
{}
data d {{
  x = [[-3.0, -2.0, -2.5, -1.0, -7.0, -2.0, -3.5, -4.0, -2.25, -8.0, -9.0, -1.5, -2.0, -3.0, -5.0, -6.0, -2.0, -1.25, -0.5]]
}}
model m(x: [19]) -> [] {{
  param w: [19] = [2.0, 1.0, 3.0, 0.5, 1.0, 1.5, 2.5, 1.0, 2.0, 3.0, 1.0, 2.0, 0.25, 1.0, 2.0, 1.0, 0.5, 1.0, 2.0]
  y = {}
  z = tanh(0.01 * sum(y))
  return z
}}
train {{
  minimize  = m(d.x)
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}}
)",
                     dtype, statement);
}

Called check(const std::string& text) {
  const TempFolder folder;
  return call_dlg({"check", folder.write("net.dlg", text), "--no-cache"});
}

struct Seeded {
  Defect defect;
  const char* statement;
};

TEST_CASE("check fails where compiled code is wrong, with node, line and both values") {
  const std::vector<Seeded> seeded{{Defect::kStartsFromZero, "max(w * x)"},
                                   {Defect::kWrongRelation, "where(x < -2, w, 3 * w)"},
                                   {Defect::kSwappedOperands, "w - x"},
                                   {Defect::kContractTail, "w @ x"}};
  for (const char* dtype : {"use f64", ""}) {
    for (const Seeded& one : seeded) {
      const std::string text = program_of(dtype, one.statement);
      CAPTURE(dtype, one.statement);
      const Called right = check(text);
      CAPTURE(right.out, right.err);
      CHECK(right.exit_code == 0);
      CHECK(!contains(right.out, "more than rounding explains"));
      const AwakeDefect defect(one.defect);
      const Called wrong = check(text);
      CAPTURE(wrong.out, wrong.err);
      CHECK(wrong.exit_code == 70);
      CHECK(contains(wrong.out, "more than rounding explains"));
      CHECK(contains(wrong.err, "net.dlg:8: `m.y`"));
      CHECK(contains(wrong.err, " compiled and "));
      CHECK(contains(wrong.err, "This is a bug of dlg"));
    }
  }
}

TEST_CASE("a difference that rounding explains is told and does not fail") {
  const Called called = check(program_of("", "(1e7 * w + x) - 1e7 * w"));
  CAPTURE(called.out, called.err);
  CHECK(called.exit_code == 0);
  CHECK(contains(called.out, "ill-conditioned: rounding may move it by"));
  const Called large = check(program_of("", "exp(-100 * x) / exp(-99.5 * x) + 0 * w"));
  CAPTURE(large.out, large.err);
  CHECK(large.exit_code == 0);
  CHECK(contains(large.out, "rounding may make anything of it"));
}

}  // namespace
