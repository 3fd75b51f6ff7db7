// Owns the proof that an optimizer's update stands in the kernel that computes the gradient wherever it may,
// that the text says so or why not, and that it moves no bit.
#include <regex>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

struct Weight {
  std::string path;
  std::string type;
};
const std::vector<Weight>& weights_of_digits() {
  static const std::vector<Weight> weights{{"mlp.dense[0].W", "f32[64, 64]"},
                                           {"mlp.dense[1].W", "f32[10, 64]"}};
  return weights;
}

constexpr const char* kAdam = "adam(lr = 2e-3)";
const std::vector<std::string>& optimizers() {
  static const std::vector<std::string> all{"sgd(lr = 0.1)", "momentum(lr = 0.05)", "nesterov(lr = 0.05)",
                                            kAdam,
                                            "adam(lr = cosine(2e-3, warmup = 9 steps))\n  accumulate = 2"};
  return all;
}

/// The digits example in an empty folder.
struct Digits {
  EmptyWorkingFolder folder;
  Digits() { REQUIRE(call_dlg({"new", "digits"}).exit_code == 0); }

  /// The same program with another optimizer, and `rules` before it, as digits/NAME.dlg.
  std::string with(const std::string& name, const std::string& optimizer,
                   const std::string& rules = "") const {
    std::string text = read_text("digits/mlp.dlg");
    text.replace(text.find(kAdam), std::string(kAdam).size(), optimizer);
    text.insert(text.find("train {"), rules);
    const std::string path = "digits/" + name + ".dlg";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
};

std::string shown(const std::string& path, const std::string& stage,
                  const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"show", path, "--stage", stage};
  words.insert(words.end(), more.begin(), more.end());
  const Called called = call_dlg(words);
  CAPTURE(called.err);
  REQUIRE(called.exit_code == 0);
  return called.out;
}

std::string after(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? "" : text.substr(at + mark.size());
}

std::string until(const std::string& text, const std::string& mark) {
  return text.substr(0, text.find(mark));
}

/// What the fused stage says of a parameter: "fused with its gradient in `W1.new`".
std::string report_of(const std::string& fused, const std::string& parameter) {
  return until(after(fused, "\n; " + parameter + ": "), "\n");
}

/// The name of the contraction of this type in a kernel, "dW".
std::string contraction_in(const std::string& fused, const std::string& kernel, const std::string& type) {
  std::istringstream lines(until(after(fused, "\nkernel " + kernel + " {\n"), "\n}"));
  for (std::string line; std::getline(lines, line);) {
    const bool is_contraction = line.find(" = matmul ") != std::string::npos;
    if (is_contraction && line.find(" : " + type) != std::string::npos) return until(line.substr(2), " = ");
  }
  return "";
}

bool has_buffer(const std::string& plan, const std::string& value) {
  return after(plan, "\narena: ").find(" " + value + " : ") != std::string::npos;
}

/// Without the places that things come from in files of this kind.
std::string without_places(const std::string& text) {
  return std::regex_replace(text, std::regex(R"((, )?[a-z/]+\.dlg:[0-9]+)"), "");
}

std::string weights_after(const std::string& path, const std::vector<std::string>& more, int run) {
  std::vector<std::string> words{"train", path, "--quiet", "--set", "stop=2 epochs"};
  words.insert(words.end(), more.begin(), more.end());
  const Called train = call_dlg(words);
  CAPTURE(train.err);
  REQUIRE(train.exit_code == 0);
  return read_text("runs/" + std::string(run < 10 ? "000" : "00") + std::to_string(run) + "-" +
                   std::filesystem::path(path).stem().string() + "/weights.safetensors");
}

/// The report about W, or net.W, of a program in place.
std::string report_of_program(const std::string& text, const std::string& parameter) {
  const TempFolder folder;
  return report_of(shown(folder.write("net.dlg", "dlg 1\n" + text), "fused"), parameter);
}

constexpr const char* kTwoRows = R"(dim n = 3
data d {
  x = [[0.1, 0.4, -0.3], [0.7, -0.2, 0.5]]
}
)";

std::string trained(const std::string& model, const std::string& rule, const std::string& optimizer) {
  return kTwoRows + model + rule + "train {\n  minimize = mse(net(d.x), d.x)\n  optimizer = " + optimizer +
         "\n  stop = [3 steps]\n}\n";
}

TEST_CASE("fused updates: no gradient of a weight of the digits example is ever stored") {
  const Digits digits;
  for (const std::string& optimizer : optimizers()) {
    const std::string path = digits.with("net", optimizer);
    const std::string fused = shown(path, "fused");
    const std::string plan = shown(path, "plan");
    for (const Weight& weight : weights_of_digits()) {
      const std::string report = report_of(fused, weight.path);
      CAPTURE(optimizer, weight.path, report);
      CHECK(report.rfind("fused with its gradient in `", 0) == 0);
      const std::string gradient = contraction_in(fused, until(after(report, "`"), "`"), weight.type);
      CAPTURE(gradient);
      CHECK(gradient.rfind("dW", 0) == 0);
      CHECK_FALSE(has_buffer(plan, gradient));
      CHECK(plan.find("  " + weight.path + ": " + report + "\n") != std::string::npos);
    }
  }
}

TEST_CASE("fused updates: --no-fuse-update and --no-fuse train to the same bytes") {
  const Digits digits;
  int run = 0;
  for (const std::string& optimizer : optimizers()) {
    const std::string path = digits.with("net", optimizer);
    const std::string weights = weights_after(path, {}, ++run);
    CAPTURE(optimizer);
    CHECK(weights.size() > 10000);
    CHECK((weights_after(path, {"--no-fuse-update"}, ++run) == weights));
    if (optimizer == kAdam) CHECK((weights_after(path, {"--no-fuse"}, ++run) == weights));
  }
}

TEST_CASE("fused updates: with --no-fuse-update the gradients are stored, and the text says why") {
  const Digits digits;
  for (const std::string& optimizer : optimizers()) {
    const std::string path = digits.with("net", optimizer);
    const std::string fused = shown(path, "fused", {"--no-fuse-update"});
    const std::string plan = shown(path, "plan", {"--no-fuse-update"});
    for (const Weight& weight : weights_of_digits()) {
      const std::string report = report_of(fused, weight.path);
      const std::string gradient = until(after(report, "`"), "`");
      CAPTURE(optimizer, report);
      CHECK(report == "not fused: `" + gradient + "` is stored, the update was to stay apart");
      CHECK(has_buffer(plan, gradient));
    }
  }
}

TEST_CASE("fused updates: std's adam copied under another name gives the same text") {
  const std::string all = read_text(source_path("std/optimizers.dlg"));
  const std::string rule = "optimizer my_adam" + until(after(all, "optimizer adam"), "\n}\n") + "\n}\n";
  const Digits digits;
  const std::string original = digits.with("original", kAdam);
  const std::string copied = digits.with("copied", "my_adam(lr = 2e-3)", rule);
  for (const std::string stage : {"fused", "plan"}) {
    const std::string text = without_places(shown(original, stage));
    CHECK(text.size() > 1000);
    CHECK(without_places(shown(copied, stage)) == text);
  }
}

TEST_CASE("fused updates: a weight used twice is not fused, one contribution is stored") {
  const std::string tied = trained(R"(model net(x: [n]) -> [n] {
  param W: [n, n] = glorot_uniform()
  return transpose(W) @ tanh(W @ x)
}
)",
                                   "", "momentum(lr = 0.1)");
  const std::string applied_twice = trained(R"(model layer(x: [n]) -> [n] {
  param W: [n, n] = glorot_uniform()
  return tanh(W @ x)
}
model net(x: [n]) -> [n] = layer(layer(x))
)",
                                            "", "sgd(lr = 0.1)");
  const std::string why = "` is stored, one of several contributions to its gradient";
  for (const auto& [text, parameter] : {std::pair(tied, "net.W"), std::pair(applied_twice, "layer.W")}) {
    const std::string report = report_of_program(text, parameter);
    CAPTURE(report);
    CHECK(report.rfind("not fused: `dW", 0) == 0);
    CHECK(report.find(why) != std::string::npos);
  }
}

constexpr const char* kTwoLayers = "model net(x: [n]) -> [n] = x |> dense(8, tanh) |> dense(n)\n";

TEST_CASE("fused updates: a gradient that a norm reads first is not fused") {
  const std::string rule = R"(optimizer scaled(lr) {
  theta <- theta - lr * grad(theta) / sqrt(sum(grad(theta)^2))
}
)";
  const std::string report =
      report_of_program(trained(kTwoLayers, rule, "scaled(lr = 0.1)"), "net.dense[0].W");
  CAPTURE(report);
  CHECK(report.rfind("not fused: `", 0) == 0);
  CHECK(report.find("inside a reduction") != std::string::npos);
}

TEST_CASE("fused updates: gradients clipped by their common norm are not fused") {
  const std::string rule = R"(optimizer clipped(lr, most = 1) {
  norm = sqrt(total(grad(theta)^2))
  theta <- theta - lr * grad(theta) * min(1, most / norm)
}
)";
  const std::string text = trained(kTwoLayers, rule, "clipped(lr = 0.1)");
  for (const char* weight : {"net.dense[0].W", "net.dense[1].W"}) {
    const std::string report = report_of_program(text, weight);
    CAPTURE(report);
    CHECK(report.rfind("not fused: `", 0) == 0);
    CHECK(report.find("another kernel stands between them") != std::string::npos);
  }
}

constexpr const char* kOwnRule = R"(optimizer own(lr, rho = 0.9, delta = 1e-8) {
  state m = 0
  state u = 0
  m <- rho * m + (1 - rho) * grad(theta)
  u <- max(0.999 * u, abs(grad(theta)))
  theta <- theta - lr / (1 - rho^step) * m / (u + delta)
}
)";

/// Every trained parameter of the digits has its report, with all of them alike.
void check_reports(const Digits& digits, const std::string& settings, const std::string& beginning,
                   const std::string& end = "") {
  const std::string path = digits.with("net", "own(lr = 2e-3)" + settings, kOwnRule);
  const std::string fused = shown(path, "fused");
  for (const char* parameter : {"mlp.dense[0].W", "mlp.dense[0].b", "mlp.dense[1].W", "mlp.dense[1].b"}) {
    const std::string report = report_of(fused, parameter);
    CAPTURE(settings, parameter, report);
    CHECK(report.starts_with(beginning));
    CHECK(report.ends_with(end));
  }
}

TEST_CASE("fused updates: a rule of the user's own stands in the kernels of all gradients") {
  const Digits digits;
  check_reports(digits, "", "fused with its gradient in `");
  CHECK(weights_after("digits/net.dlg", {}, 1).size() > 10000);
}

TEST_CASE("fused updates: what stands around a rule stays in the kernel, or says why not") {
  const Digits digits;
  const std::string fused = "fused with its gradient in `";
  check_reports(digits, "\n  weight_decay = decoupled(1e-3)", fused);
  check_reports(digits, "\n  weight_decay = coupled(1e-3)", fused);
  check_reports(digits, "\n  clip = each_value(1.0)", fused);
  check_reports(digits, "\n  ema = 0.99", fused);
  check_reports(digits, "\n  accumulate = 4", fused);
  check_reports(digits, "\n  groups = [group(mlp.dense[0], lr = 1e-3)]", fused);
  check_reports(digits, "\n  clip = each_norm(1.0)", "not fused: `d", "reads it too");
  check_reports(digits, "\n  clip = global_norm(1.0)", "not fused: `d", "reads it too");
}

TEST_CASE("fused updates: a frozen parameter keeps its value, a rule with norms needs the whole parameter") {
  const Digits digits;
  const std::string path = digits.with("net", "lamb(lr = 2e-3)\n  freeze = [mlp.dense[1]]");
  const std::string fused = shown(path, "fused");
  CHECK(report_of(fused, "mlp.dense[1].W") == "keeps its value");
  CHECK(report_of(fused, "mlp.dense[0].W").ends_with("its kernel needs all of the parameter as it was"));
}

TEST_CASE("fused updates: weight decay, and a check that reads the gradient, stand in nobody's way") {
  const std::string decayed = kTwoRows + std::string(kTwoLayers) + R"(train {
  minimize  = mse(net(d.x), d.x) + 1e-3 * l2(params(net))
  optimizer = sgd(lr = 0.1)
  stop      = [3 steps]
}
check "the gradient is small" {
  expect sum(grad(net.dense[0].W)^2) < 1e9
}
)";
  CHECK(report_of_program(decayed, "net.dense[0].W").rfind("fused with its gradient in `", 0) == 0);
}

}  // namespace
