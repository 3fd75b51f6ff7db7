// Owns the promise that every stage of every example can be shown, and that the textual IR is read back byte
// for byte.
#include "driver/cli/stages.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

const std::vector<std::string>& shown_examples() {
  static const std::vector<std::string> files{"examples/backprop/net.dlg", "examples/digits/mlp.dlg",
                                              "examples/optimizers/own_rule.dlg"};
  return files;
}

TEST_CASE("every stage of the examples can be shown") {
  for (const std::string& file : shown_examples()) {
    for (const std::string& stage : stage_names()) {
      const Called called = call_dlg({"show", "--stage", stage, source_path(file)});
      CAPTURE(file, stage, called.err);
      CHECK(called.exit_code == 0);
      CHECK(called.out.size() > 100);
    }
  }
}

TEST_CASE("the textual IR of every stage is read back byte for byte") {
  for (const std::string& file : shown_examples()) {
    for (const char* stage : {"graph", "backward", "update", "simplified", "fused", "loops", "scheduled"}) {
      const Called shown = call_dlg({"show", "--stage", stage, source_path(file)});
      const Called again = call_dlg_opt({}, shown.out);
      CAPTURE(file, stage, again.err);
      CHECK(again.exit_code == 0);
      CHECK((again.out == shown.out));
    }
  }
}

TEST_CASE("the interpreter that follows a schedule computes what the loops compute, for every core") {
  for (const std::string& file : shown_examples()) {
    const std::string loops = call_dlg({"show", "--stage", "loops", source_path(file)}).out;
    const std::string expected = call_dlg_opt({"--interpret"}, loops).out;
    for (const char* core : {"avx512", "avx2", "sse2"}) {
      CAPTURE(file, core);
      const Called scheduled = call_dlg_opt({"--passes", "schedule", "--core", core}, loops);
      CHECK(scheduled.exit_code == 0);
      const Called followed = call_dlg_opt({"--interpret"}, scheduled.out);
      CHECK(followed.exit_code == 0);
      CHECK((followed.out == expected));
    }
  }
}

TEST_CASE("changing a constant in the text changes what the interpreter computes") {
  for (const char* stage : {"graph", "backward", "update", "simplified", "fused", "loops", "scheduled"}) {
    std::string text = call_dlg({"show", "--stage", stage, source_path("examples/backprop/net.dlg")}).out;
    const std::string before = call_dlg_opt({"--interpret"}, text).out;
    const std::size_t at = text.find("0.5");
    CAPTURE(stage);
    REQUIRE(at != std::string::npos);
    const Called after = call_dlg_opt({"--interpret"}, text.replace(at, 3, "0.7"));
    CAPTURE(after.err);
    CHECK(after.exit_code == 0);
    CHECK(before != after.out);
    CHECK(before.size() > 20);
  }
}

TEST_CASE("dlg-opt runs the passes that the driver runs") {
  const std::string file = source_path("examples/backprop/net.dlg");
  const std::string update = call_dlg({"show", "--stage", "update", file}).out;
  const Called simplified = call_dlg_opt({"--passes", "simplify"}, update);
  CHECK(simplified.out == call_dlg({"show", "--stage", "simplified", file}).out);
}

TEST_CASE("an unknown pass and a broken text are errors with a way out") {
  CHECK(call_dlg_opt({"--passes", "simplfy"}, "").exit_code == 1);
  const std::string text =
      call_dlg({"show", "--stage", "graph", source_path("examples/backprop/net.dlg")}).out;
  std::string broken = text;
  broken.replace(broken.find("sigmoid"), 7, "sigmoyd");
  const Called called = call_dlg_opt({}, broken);
  CHECK(called.exit_code == 1);
  CHECK(called.err.find("sigmoyd") != std::string::npos);
}

}  // namespace
