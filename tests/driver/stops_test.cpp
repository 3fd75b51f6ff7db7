// Owns the tests of stops that look at what training measures, and of the weights that they keep.
#include <cmath>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

Called dlg_ok(const std::vector<std::string>& arguments) {
  Called called = call_dlg(arguments);
  CAPTURE(called.err, called.out);
  REQUIRE(called.exit_code == 0);
  return called;
}

/// p^2 + q^2 by sgd: the gradient is 2 p, and p shrinks by 0.8 in each step, if no setting holds it.
std::string bowl(const std::string& stop, const std::string& settings) {
  return R"(dlg 1
use f64
model bowl() -> [] {
  param p: [] = 1
  param q: [] = -1
  return p^2 + q^2
}
train {
  minimize  = bowl()
  optimizer = sgd(lr = 0.1)
  stop      = )" +
         stop + "\n" + settings + "}\n";
}

/// The updates that such a training makes until its gradient is shorter than 1e-3.
std::string steps_to_a_flat_place() {
  int steps = 0;
  for (double p = 1; steps == 0 || 2 * std::sqrt(2.0) * p / 0.8 >= 1e-3; ++steps) p *= 0.8;
  return std::to_string(steps) + " steps: `norm(grad) < 1e-3` holds\n";
}

TEST_CASE("the norm of the gradient stops, neither clipped nor decayed") {
  const EmptyWorkingFolder folder;
  std::ofstream("bowl.dlg", std::ios::binary) << bowl("[1000 steps, norm(grad) < 1e-3]", "");
  const std::string out = dlg_ok({"train", "bowl.dlg", "--quiet"}).out;
  CAPTURE(out);
  CHECK(out.find(steps_to_a_flat_place()) != std::string::npos);

  std::ofstream("clipped.dlg", std::ios::binary)
      << bowl("[50 steps, norm(grad) < 0.1]", "  clip = each_value(0.01)\n");
  CHECK(dlg_ok({"train", "clipped.dlg", "--quiet"}).out.find("50 steps: the limit of steps") !=
        std::string::npos);
}

/// The digits with little data, so that the validation loss turns.
std::string digits(const std::string& stop) {
  if (!std::filesystem::exists("digits")) dlg_ok({"new", "digits"});
  std::string text = read_text("digits/mlp.dlg");
  text.replace(text.find("shares(train = 0.7, val = 0.15"), 30, "shares(train = 0.1, val = 0.75");
  text.replace(text.find("adam(lr = 2e-3)"), 15, "adam(lr = 2e-2)");
  text.replace(text.find("[40 epochs]"), 11, stop);
  std::ofstream("digits/net.dlg", std::ios::binary) << text;
  return "digits/net.dlg";
}

/// The number behind a mark.
double number_after(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  CAPTURE(text, mark);
  REQUIRE(at != std::string::npos);
  return leading_number(text.substr(at + mark.size()));
}

TEST_CASE("a plateau stops after its patience, and the best weights are kept with their epoch") {
  const EmptyWorkingFolder folder;
  const std::string path = digits("[500 epochs, plateau(val.loss, patience = 3 epochs)]");
  const std::string out = dlg_ok({"train", path, "--quiet"}).out;
  const double epochs = number_after(out, "stopped after ");
  const double best = number_after(out, "best (epoch ");
  CAPTURE(out);
  CHECK(epochs == best + 3);
  CHECK(out.find(" steps: `plateau(val.loss, patience = 3 epochs)` holds\n") != std::string::npos);
  CHECK(out.find(" best.safetensors") != std::string::npos);
  const std::string line = out.substr(out.find("best (epoch "));
  const std::string evaluated = dlg_ok({"eval", path, "--weights", "best"}).out;
  CHECK(number_after(evaluated, "run runs/0001-net, best (epoch ") == best);
  for (const std::string mark : {"train loss ", "val loss ", "test loss ", "test accuracy "}) {
    CHECK(number_after(evaluated, mark) == number_after(line, mark));
  }
  CHECK(number_after(line, "val loss ") < number_after(out, "val loss "));
  // That many epochs make just these weights.
  const std::string again = digits("[" + std::to_string(static_cast<int>(best)) + " epochs]");
  const std::string direct = dlg_ok({"train", again, "--quiet"}).out;
  CHECK(number_after(direct, "val loss ") == number_after(line, "val loss "));
  CHECK(read_text("runs/0002-net/weights.safetensors") == read_text("runs/0001-net/best.safetensors"));
}

TEST_CASE("plateaus and the best weights go on where a run was stopped, to the same bytes") {
  const EmptyWorkingFolder folder;
  const auto stop = [](int epochs) {
    return "[" + std::to_string(epochs) +
           " epochs, plateau(val.accuracy, patience = 9 epochs), plateau(val.loss, patience = 40 epochs)]";
  };
  const std::string path = digits(stop(24));
  std::string text = read_text(path);
  text.replace(text.find("lr = 2e-2"), 9, "lr = plateau(2e-2, patience = 2 epochs, factor = 0.5)");
  std::ofstream(path, std::ios::binary) << text;
  const std::string whole = dlg_ok({"train", path, "--quiet"}).out;
  dlg_ok({"train", path, "--quiet", "--set", "stop=" + stop(7)});
  dlg_ok({"train", path, "--quiet", "--resume", "2", "--set", "stop=" + stop(15)});
  const Called resumed = dlg_ok({"train", path, "--quiet", "--resume", "2", "--set", "stop=" + stop(24)});
  CAPTURE(whole, resumed.out);
  CHECK(resumed.err.empty());
  CHECK(whole.substr(0, whole.find("wrote")) == resumed.out.substr(0, resumed.out.find("wrote")));
  for (const std::string file : {"weights", "optimizer", "best"}) {
    CAPTURE(file);
    CHECK(read_text("runs/0001-net/" + file + ".safetensors") ==
          read_text("runs/0002-net/" + file + ".safetensors"));
  }
}

TEST_CASE("a target on a metric of a part stops at the end of the first epoch that reaches it") {
  const EmptyWorkingFolder folder;
  const std::string path = digits("[500 epochs, val.accuracy > 0.8]");
  const std::string out = dlg_ok({"train", path, "--quiet"}).out;
  CAPTURE(out);
  CHECK(out.find(" steps: `val.accuracy > 0.8` holds\n") != std::string::npos);
  CHECK(number_after(out, "val accuracy ") > 80);
  const int epochs = static_cast<int>(number_after(out, "stopped after "));
  REQUIRE(epochs > 1);
  const std::string before =
      dlg_ok({"train", path, "--quiet", "--set", "stop=" + std::to_string(epochs - 1) + " epochs"}).out;
  CHECK(number_after(before, "val accuracy ") <= 80);
}

TEST_CASE("averages are kept, evaluated and taken by eval and predict") {
  const EmptyWorkingFolder folder;
  const std::string path = digits("[5 epochs]\n  ema = 0.9");
  const std::string out = dlg_ok({"train", path, "--quiet"}).out;
  const std::string line = out.substr(out.find("ema: "));
  CAPTURE(out);
  const std::string evaluated = dlg_ok({"eval", path, "--weights", "ema"}).out;
  CHECK(number_after(evaluated, "test loss ") == number_after(line, "test loss "));
  CHECK(number_after(line, "test loss ") != number_after(out, "test loss "));
  CHECK(dlg_ok({"predict", path, "digits/digits.csv", "--weights", "ema"}).out !=
        dlg_ok({"predict", path, "digits/digits.csv"}).out);
}

TEST_CASE("with accumulation the norm is that of updates, and averages begin as the weights") {
  const EmptyWorkingFolder folder;
  std::ofstream("bowl.dlg", std::ios::binary)
      << bowl("[1000 steps, norm(grad) < 1e-3]", "  accumulate = 3\n  ema = 0.9\n");
  const std::string out = dlg_ok({"train", "bowl.dlg", "--quiet"}).out;
  CAPTURE(out);
  CHECK(out.find(steps_to_a_flat_place()) != std::string::npos);
  const std::string none = dlg_ok({"train", "bowl.dlg", "--quiet", "--set", "stop=loss < 100"}).out;
  CHECK(none.find("0 steps: the loss reached its target\nloss 2\nema: loss 2\n") != std::string::npos);
}

}  // namespace
