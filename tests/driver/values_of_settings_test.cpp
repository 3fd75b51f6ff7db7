// Owns the proof that every numeric setting refuses the values that mean nothing, at their place.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "driver/engine/programs.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// A setting with `$` for the number, and which of the numbers below it takes.
struct Setting {
  std::string text;
  std::vector<std::string> taken;
};

const std::vector<std::string> kNumbers{"0", "-1", "0.5", "1", "1e30", "0 / 0", "1 / 0"};

std::vector<Setting> settings() {
  std::vector<Setting> list{
      {"batch = $", {"1"}},
      {"seed = $", {"0", "1"}},
      {"batch = 1\n  accumulate = $", {"1"}},
      {"ema = $", {"0", "0.5"}},
      {"weight_decay = coupled($)", {"0", "0.5", "1", "1e30"}},
      {"weight_decay = decoupled($)", {"0", "0.5", "1", "1e30"}},
      {"clip = each_value($)", {"0.5", "1", "1e30"}},
      {"clip = each_norm($)", {"0.5", "1", "1e30"}},
      {"clip = global_norm($)", {"0.5", "1", "1e30"}},
      {"clip = global_norm(limit = $)", {"0.5", "1", "1e30"}},
      {"weight_decay = coupled(0.1)\n  groups = [group(net, weight_decay = $)]", {"0", "0.5", "1", "1e30"}},
      {"groups = [group(net, lr = $)]", {"0.5", "1", "1e30"}},
  };
  const auto rule = [&](const std::string& call, std::vector<std::string> taken) {
    list.push_back({"optimizer = " + call, std::move(taken)});
  };
  for (const char* name :
       {"sgd", "gradient_descent", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw",
        "nadam", "amsgrad", "lion", "lamb", "newton", "momentum_torch", "adam_keras"}) {
    rule(std::string(name) + "(lr = $)", {"0.5", "1", "1e30"});
  }
  for (const char* share :
       {"momentum(lr = 0.1, beta = $)", "nesterov(lr = 0.1, beta = $)", "rmsprop(lr = 0.1, rho = $)",
        "adadelta(rho = $)", "adam(rho1 = $)", "adam(rho2 = $)", "lion(lr = 0.1, beta2 = $)",
        "lamb(lr = 0.1, beta1 = $)", "rmsprop_torch(alpha = $)", "nadam_keras(beta1 = $)"}) {
    rule(share, {"0", "0.5"});
  }
  rule("adam(delta = $)", {"0.5", "1", "1e30"});
  rule("rmsprop(lr = 0.1, delta = $)", {"0", "0.5", "1", "1e30"});
  rule("adam_torch(eps = $)", {"0", "0.5", "1", "1e30"});
  rule("adamw(lr = 0.1, decay = $)", {"0", "0.5", "1", "1e30"});
  rule("sgd(lr = exponential(0.1, factor = $))", {"0.5", "1", "1e30"});
  rule("sgd(lr = exponential(0.1, factor = 0.5, every = $))", {"0.5", "1", "1e30"});
  rule("sgd(lr = step_list(0.1, at = [2 steps], factor = $))", {"0.5", "1", "1e30"});
  rule("sgd(lr = polynomial(0.1, power = $))", {"0.5", "1"});
  rule("sgd(lr = cosine(0.1, warmup = $))", {"0", "0.5", "1", "1e30"});
  rule("sgd(lr = warm_up(0.1, steps = $))", {"0.5", "1", "1e30"});
  rule("sgd(lr = plateau(0.1, patience = $))", {"0.5", "1", "1e30"});
  rule("sgd(lr = plateau(0.1, patience = 1, factor = $))", {"0.5", "1", "1e30"});
  return list;
}

/// What is written as a unit takes no sign and no quotient: only what the grammar has.
std::vector<Setting> stops() {
  return {
      {"stop = [$ epochs]", {"1"}},
      {"stop = [$ steps]", {"1"}},
      {"stop = [$ s]", {"0.5", "1"}},
      {"stop = [$ h]", {"0.5", "1"}},
      {"stop = [2 epochs, plateau(train.loss, patience = $ epochs)]", {"1"}},
      {"stop = [2 epochs, loss < $]", {"0", "-1", "0.5", "1", "1e30"}},
      {"stop = [2 epochs, change(loss) < $]", {"0", "-1", "0.5", "1", "1e30"}},
      {"stop = [2 epochs, norm(grad) < $]", {"0", "-1", "0.5", "1", "1e30"}},
  };
}

std::vector<Setting> splits() {
  return {{"split = shares(train = $, val = 0.5)", {"0.5"}},
          {"split = shares(train = 0.5, val = 0.5, seed = $)", {"0", "1"}},
          {"x = [[1.0, 2.0], [3.0, -1.0], [2.0, 2.0], [0.0, 1.0]] / $", {"-1", "0.5", "1", "1e30"}}};
}

std::string program(const std::string& setting) {
  const auto has = [&](const char* key) { return setting.find(key) != std::string::npos; };
  std::string text = "dlg 1\nuse f64\ndata d {\n";
  if (!has("x = ")) text += "  x = [[1.0, 2.0], [3.0, -1.0], [2.0, 2.0], [0.0, 1.0]]\n";
  text += "  t = [0.5, 1.5, 0.0, 1.0]\n";
  const bool is_of_data = has("split") || has("x = ");
  if (is_of_data) text += "  " + setting + "\n";
  text += "}\nmodel net(x: [2]) -> [] {\n  param w: [2] = [0.3, -0.2]\n  return sum(w * x)\n}\ntrain {\n";
  text += "  minimize = mse(net(d.x), d.t)\n";
  if (!has("optimizer")) text += "  optimizer = sgd(lr = 0.1)\n";
  if (!has("stop")) text += "  stop = [3 steps]\n";
  if (!is_of_data) text += "  " + setting + "\n";
  return text + "}\n";
}

void check_setting(const TempFolder& folder, const Setting& setting) {
  for (const std::string& number : kNumbers) {
    std::string text = setting.text;
    text.replace(text.find('$'), 1, number);
    LoadedProgram loaded(folder.write("t.dlg", program(text)));
    const bool is_good = loaded.is_ok() && set_up_training(loaded.session(), loaded.program()).has_value();
    const bool is_taken =
        std::find(setting.taken.begin(), setting.taken.end(), number) != setting.taken.end();
    INFO(text << "\n" << loaded.errors());
    CHECK(is_good == is_taken);
    for (const Diagnostic& diagnostic : loaded.session().diagnostics.all())
      CHECK(diagnostic.range.is_valid());
    if (is_good != is_taken || is_good) continue;
    CHECK(loaded.session().diagnostics.has_errors());
  }
}

TEST_CASE("numeric settings refuse what means nothing") {
  const TempFolder folder;
  for (const Setting& setting : settings()) check_setting(folder, setting);
  for (const Setting& setting : stops()) check_setting(folder, setting);
  for (const Setting& setting : splits()) check_setting(folder, setting);
}

TEST_CASE("accumulate: a training without a single update is refused") {
  const TempFolder folder;
  const auto loads = [&](const std::string& settings) {
    LoadedProgram loaded(folder.write("t.dlg", program("batch = 1\n  " + settings)));
    INFO(settings << loaded.errors());
    return loaded.is_ok() && set_up_training(loaded.session(), loaded.program()).has_value();
  };
  CHECK_FALSE(loads("accumulate = 10\n  stop = [2 epochs]"));
  // Counts go on over the end of an epoch.
  CHECK(loads("accumulate = 10\n  stop = [3 epochs]"));
  CHECK(loads("accumulate = 10\n  stop = [1 steps]"));
  CHECK_FALSE(loads("accumulate = 10\n  stop = [1 steps, 2 epochs]"));
}

}  // namespace
