// Owns the tests of what elaboration says about mistakes: places, messages, suggestions; no followers.
#include <fmt/format.h>

#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

/// A whole program around some lines of a model over x: [inp: 2] with W: [mid: 3, inp: 2]; the model's lines
/// start at line 10.
std::string with_model(const std::string& lines) {
  return "dlg 1\nuse f64\ndim inp = 2\ndim mid = 3\n"
         "data d {\n  x = [[1, 2]]\n}\n"
         "model m(x: [inp]) -> [] {\n  param W: [mid, inp] = 0\n" +
         lines +
         "\n}\n"
         "train {\n  minimize = m(d.x)\n  optimizer = sgd(0.1)\n  stop = 3 steps\n}\n";
}

std::string errors_of(const std::string& text, const std::vector<Override>& overrides = {}) {
  return compile_text(text, overrides).errors();
}

TEST_CASE("a model without mistakes compiles") {
  CHECK(errors_of(with_model("return sum(W @ x)")) == "");
}

TEST_CASE("shapes that do not fit name both sides and where they come from") {
  const Compiled compiled = compile_text(with_model("return sum(x @ W)"));
  REQUIRE(compiled.diagnostics.error_count() == 1);
  const Diagnostic& diagnostic = compiled.diagnostics.all().front();
  CHECK(diagnostic.message == "`[inp: 2] @ [mid: 3, inp: 2]`: the axes that are summed over differ");
  REQUIRE(diagnostic.labels.size() == 4);
  CHECK(diagnostic.labels[0].text == "this is [inp: 2], summed over [inp: 2]");
  CHECK(diagnostic.labels[1].text == "a value [inp: 2] comes from here");
  CHECK(diagnostic.labels[2].text == "this is [mid: 3, inp: 2], summed over [mid: 3]");
  CHECK(errors_of(with_model("return sum(W @ x + x)")) ==
        "t.dlg:10 shapes [mid: 3] and [inp: 2] do not fit in `+`\n");
}

TEST_CASE("two names are two units, even of one size") {
  const std::string text =
      "dlg 1\ndim a = 2\ndim b = 2\nfn f(x: [a], y: [b]) -> [] = sum(x * y)\n"
      "check \"c\" {\n  expect f([1, 2], [3, 4]) ~ 11\n}\n";
  CHECK(errors_of(text) == "t.dlg:4 shapes [a: 2] and [b: 2] do not fit in `*`\n");
}

TEST_CASE("poison silences followers, independent errors are all reported") {
  CHECK(errors_of(with_model("h = sigmod(W @ x)\nk = h + 1\nq = nope\nreturn sum(h * k)")) ==
        "t.dlg:10 unknown name `sigmod`\nt.dlg:12 unknown name `nope`\n");
}

TEST_CASE("an error inside std points at the user's call and notes the place in std") {
  const Compiled compiled = compile_text(with_model("return sum(dense(x, units = 0)) + sum(W)"));
  REQUIRE(compiled.diagnostics.error_count() == 1);
  const Diagnostic& diagnostic = compiled.diagnostics.all().front();
  CHECK(compiled.sources.line_reference(diagnostic.range) == "t.dlg:10");
  CHECK(compiled.sources.text(diagnostic.range) == "dense(x, units = 0)");
  REQUIRE(!diagnostic.notes.empty());
  CHECK(diagnostic.notes.front() == "inside `dense`, std/layers.dlg:7: `units`");
}

TEST_CASE("calls: unknown, missing, surplus and repeated arguments") {
  CHECK(errors_of(with_model("return sum(dense(x, unit = 2)) + sum(W)")) ==
        "t.dlg:10 `dense` has no argument `unit`\n");
  CHECK(errors_of(with_model("return sum(dense(x)) + sum(W)")) ==
        "t.dlg:10 `dense` needs the argument `units`\n");
  CHECK(errors_of(with_model("return sum(relu(x, 3)) + sum(W)")) ==
        "t.dlg:10 `relu` takes 1 argument, found 2\n");
  CHECK(errors_of(with_model("return sum(dense(x, 2, units = 3)) + sum(W)")) ==
        "t.dlg:10 `dense` gets the argument `units` twice\n");
  CHECK(errors_of(with_model("return sum(dense(x, 2.5)) + sum(W)")) ==
        "t.dlg:10 found the number 2.5 as argument `units`, expected a whole number\n");
}

TEST_CASE("an overload that fits nothing lists the forms") {
  const Compiled compiled = compile_text(with_model("return cross_entropy(W @ x, [1, 2])"));
  REQUIRE(compiled.diagnostics.error_count() == 1);
  const Diagnostic& diagnostic = compiled.diagnostics.all().front();
  CHECK(diagnostic.message == "no form of `cross_entropy` takes these arguments");
  CHECK(diagnostic.notes.size() == 2);
}

TEST_CASE("numbers: exact divisions, whole indices, no empty axes, nothing lost in f32") {
  CHECK(errors_of(with_model("return W[3, 0]")) == "t.dlg:10 index 3 is outside of the axis [mid: 3]\n");
  CHECK(errors_of(with_model("return W[inp / 4, 0]")) ==
        "t.dlg:10 found 0.5, expected a whole number as an index\n");
  CHECK(errors_of(with_model("return W[mid / 2 * 2 - 3, 0]")) ==
        "t.dlg:10 found 0, expected a whole number as an index\n");
  CHECK(errors_of("dlg 1\ndim a = 0\ncheck \"c\" {\n  expect 1 ~ 1\n}\n") ==
        "t.dlg:2 found 0 as the size of an axis, expected at least 1\n");
  CHECK(errors_of("dlg 1\ncheck \"c\" {\n  expect sum([1, 2] * 1e-50) ~ 1\n}\n") ==
        "t.dlg:3 `1e-50` becomes 0 in f32\n");
  CHECK(errors_of("dlg 1\ncheck \"c\" {\n  expect sum([1e39, 2]) ~ 1\n}\n") ==
        "t.dlg:3 `1e+39` becomes inf in f32\n");
}

TEST_CASE("recursion is an error") {
  CHECK(errors_of("dlg 1\nfn f(x: []) -> [] = g(x)\nfn g(x: []) -> [] = f(x)\n"
                  "check \"c\" {\n  expect f(1) ~ 1\n}\n") ==
        "t.dlg:3 `f` calls itself, directly or through others\n");
  CHECK(errors_of("dlg 1\ndim a = b\ndim b = a\ncheck \"c\" {\n  expect 1 ~ 1\n}\n") ==
        "t.dlg:2 `a` is defined by itself\n");
}

TEST_CASE("names are given once") {
  CHECK(errors_of(with_model("h = W @ x\nh = h + 1\nreturn sum(h)")) == "t.dlg:11 `h` already has a value\n");
  CHECK(errors_of(with_model("return sum(W)") + "dim mid = 4\n") == "t.dlg:17 `mid` is declared twice\n");
}

TEST_CASE("a parameter without a path to the loss and an unused field are errors") {
  CHECK(errors_of(with_model("param v: [inp] = 0\nreturn sum(W @ x)")) ==
        "t.dlg:10 the parameter `m.v` has no path to the loss\n");
  std::string text = with_model("return sum(W @ x)");
  text.replace(text.find("[[1, 2]]"), 8, "[[1, 2]]; splt = [1]");
  text.replace(text.find("; "), 2, "\n  ");
  CHECK(errors_of(text) == "t.dlg:7 the field `splt` of `d` is never used\n");
}

TEST_CASE("settings of train: unknown, missing, repeated, wrong") {
  const std::string model = "dlg 1\nmodel m() -> [] {\n  param w: [] = 1\n  return w^2\n}\n";
  CHECK(errors_of(model + "train {\n  minimise = m()\n  optimizer = sgd(0.1)\n  stop = 1 steps\n}\n") ==
        "t.dlg:7 unknown setting `minimise`\n");
  CHECK(errors_of(model + "train {\n  minimize = m()\n  optimizer = sgd(0.1)\n}\n") ==
        "t.dlg:6 the `train` block has no `stop`\n");
  CHECK(
      errors_of(model +
                "train {\n  minimize = m()\n  optimizer = sgd()\n  stop = 1 steps\n  stop = 2 steps\n}\n") ==
      "t.dlg:8 `sgd` needs the argument `lr`\nt.dlg:10 the setting `stop` stands twice\n");
  CHECK(errors_of(model + "train {\n  minimize = m()\n  optimizer = sgd(0.1)\n  stop = 3 epochs\n}\n") ==
        "t.dlg:9 a program without data has no epochs; count `steps` instead\n");
}

TEST_CASE("optimizers are checked at their own lines") {
  const auto errors_of_rule = [](const std::string& rule, const std::string& call) {
    return errors_of(
        "dlg 1\nmodel m() -> [] {\n  param w: [] = 1\n  param v: [2] = 1\n  return w^2 + sum(v)\n}\n" +
        fmt::format("train {{\n  minimize = m()\n  optimizer = {}\n  stop = 1 steps\n}}\n", call) + rule);
  };
  CHECK(errors_of_rule("optimizer o(lr) {\n  theta <- theta - lr * grd(theta)\n}\n", "o(0.1)") ==
        "t.dlg:13 unknown name `grd`\n");
  CHECK(errors_of_rule("optimizer o(lr) {\n  g = lr * grad(theta)\n}\n", "o(0.1)") ==
        "t.dlg:12 the rule never changes `theta`\n");
  CHECK(errors_of_rule("optimizer o(lr) {\n  state v = 0\n  theta <- theta - lr * grad(theta)\n}\n",
                       "o(0.1)") == "t.dlg:13 the state `v` is never updated\n");
  CHECK(errors_of_rule("optimizer o(lr) {\n  require lr > 0\n  theta <- theta - lr * grad(theta)\n}\n",
                       "o(-1)") == "t.dlg:9 `lr > 0` does not hold\n");
  CHECK(errors_of_rule("optimizer o(lr) {\n  w <- theta\n  theta <- theta - lr\n}\n", "o(1)") ==
        "t.dlg:13 `w` is neither `theta` nor a `state`, and only those change\n");
  // What is called outside of all models, in a default and in a requirement, has a place for its layers, too.
  const std::string twice = "fn twice(a) = 2 * a\n";
  CHECK(errors_of_rule(twice + "optimizer o(lr, k = twice(0.5)) {\n  require twice(lr) > 0\n"
                               "  theta <- theta - lr * k * grad(theta)\n}\n",
                       "o(0.1)") == "");
  CHECK(errors_of_rule(twice + "optimizer o(lr, k = twice(lr, 2)) {\n  theta <- theta - k * grad(theta)\n}\n",
                       "o(0.1)") == "t.dlg:13 `twice` takes 1 argument, found 2\n");
  CHECK(errors_of_rule(twice + "optimizer o(lr) {\n  require twice(b = lr) > 0\n  theta <- theta - lr\n}\n",
                       "o(twice(0.1))") == "t.dlg:14 `twice` has no argument `b`\n");
  CHECK(errors_of_rule("", "sdg(0.1)") == "t.dlg:9 unknown optimizer `sdg`\n");
}

TEST_CASE("a definition of the user takes std's place with a note, and std keeps its own") {
  const Compiled compiled = compile_text(
      "dlg 1\nuse f64\nfn log_softmax(x: [n]) -> [n] = x * 0\n"
      "check \"c\" {\n  expect softmax([0, 0])[0] ~ 0.5\n}\n");
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.diagnostics.all().size() == 1);
  CHECK(compiled.diagnostics.all().front().severity == Severity::kNote);
}

/// std without the definitions whose first line begins with `dropped`.
struct SmallerStd {
  explicit SmallerStd(const std::string& dropped) {
    for (const StdFile& file : std_files()) {
      names.emplace_back(file.name);
      texts.emplace_back();
      std::istringstream lines{std::string(file.text)};
      bool is_inside = false;  // the body of a dropped definition
      for (std::string line; std::getline(lines, line);) {
        const bool is_dropped = is_inside || line.starts_with(dropped);
        is_inside = is_dropped && (is_inside ? line != "}" : line.back() == '{');
        if (!is_dropped) texts.back() += line + "\n";
      }
    }
  }

  std::string errors_of(const std::string& text) const {
    std::vector<StdFile> files;
    for (std::size_t i = 0; i < texts.size(); ++i) files.push_back({names[i], texts[i]});
    const StandardLibrary library = make_standard_library(files);
    Compiled compiled;
    const FileId id = compiled.sources.add("t.dlg", text);
    const ast::File tree = parse_file(compiled.sources, id, compiled.diagnostics);
    compiled.program = compile_program(compiled.sources, tree, {}, compiled.diagnostics, library);
    return compiled.errors();
  }

  std::vector<std::string> names;
  std::vector<std::string> texts;
};

TEST_CASE("relu removed from std is an unknown name: nothing in C++ stands in for it") {
  const SmallerStd without("fn relu(");
  CHECK(without.errors_of(with_model("return sum(relu(W @ x))")) == "t.dlg:10 unknown name `relu`\n");
  CHECK(without.errors_of(with_model("return sum(W @ x |> dense(3, relu))")) ==
        "t.dlg:10 unknown name `relu`\n");
  CHECK(without.errors_of(with_model("return sum(silu(W @ x))")) == "");
  CHECK(SmallerStd("nothing").errors_of(with_model("return sum(relu(W @ x))")) == "");
}

TEST_CASE("every function of std, removed, is an unknown name") {
  for (const StdFile& file : std_files()) {
    std::istringstream lines{std::string(file.text)};
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("fn ")) continue;
      const std::string name = line.substr(3, line.find('(') - 3);
      INFO(name);
      const SmallerStd without("fn " + name + "(");
      const std::string errors = without.errors_of(with_model("return sum(" + name + "(W @ x))"));
      CHECK(errors.find("unknown name `" + name + "`") != std::string::npos);
    }
  }
}

TEST_CASE("expectations: tolerance of the last digit, scalars only, after around the whole") {
  const auto check = [](const std::string& line) {
    return compile_text(with_model("return sum(W @ x)") + "check \"c\" {\n  expect " + line + "\n}\n");
  };
  const Compiled near = check("m.W[0, 0] ~ 0.50");
  REQUIRE(near.program);
  CHECK(near.program->expectations[0].tolerance == Approx(0.01));
  CHECK(check("m.W ~ 1").errors() == "t.dlg:18 the value is [mid: 3, inp: 2], expected a single number\n");
  CHECK(check("m.W[0, 0] ~ 1/3").errors() ==
        "t.dlg:18 `~` without `+-` takes its tolerance from the last digit of a written number\n");
  CHECK(check("after(2 steps, loss) + 1 < 2").errors() ==
        "t.dlg:18 `after` stands where it means nothing: the value after that many updates, in `expect`\n");
  CHECK(check("after(2000000 steps, loss) < 2").errors() ==
        "t.dlg:18 `after` goes to at most 1,000,000 steps\n");
  CHECK(check("m.U[0, 0] ~ 1").errors() == "t.dlg:18 `m` has no `U`\n");
}

TEST_CASE("long chains of operators need no deep stack") {
  std::string sum = "1";
  for (int i = 0; i < 20000; ++i) sum += " + 1";
  CHECK(errors_of("dlg 1\ncheck \"c\" {\n  expect " + sum + " ~ 20001\n}\n") == "");
}

}  // namespace
}  // namespace dlg
