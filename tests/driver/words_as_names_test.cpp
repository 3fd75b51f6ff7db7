// Owns the proof that a name means what the program says: every word of the language as a name in every place
// either takes the place of the word, and the program computes what it computes under a name that is no word,
// or it is an error at a place.
#include <fmt/format.h>

#include <cctype>
#include <map>
#include <set>

#include "frontend/elaborate/builtins.h"
#include "frontend/text/std_files.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// Where a name may stand; `$` is the name.
struct Place {
  const char* what;
  std::string text;
  std::string imported = "dlg 1\n";
};

const std::string kData = "data d {\n  x = [[1.0, 2.0], [3.0, -1.0]]\n  t = [0.5, 1.5]\n}\n";
const std::string kNet = "model net(x: [2]) -> [] {\n  param w: [2] = [0.3, -0.2]\n  return w @ x\n}\n";
const std::string kBoth = kData + kNet;
const std::string kRest = "  optimizer = sgd(lr = 0.1)\n  stop = [3 steps]\n}\n";
const std::string kSquare = "train {\n  minimize = (net(d.x) - d.t)^2\n";
const std::string kTrain = kSquare + kRest;

std::string minimizing(const std::string& objective) {
  return "train {\n  minimize = " + objective + "\n" + kRest;
}

/// A rule of the program's own with `body`, called with `argument`.
std::string with_rule(const std::string& name, const std::string& formal, const std::string& body) {
  return kBoth + "optimizer " + name + "(" + formal + ") {\n" + body + "}\n" + kSquare +
         "  optimizer = " + name + "(" + formal + " = 0.1)\n  stop = [3 steps]\n}\n";
}

std::vector<Place> places() {
  return {
      {"function", kBoth + "fn $(y: [], t: []) -> [] = 3 * (y - t)^2\n" + minimizing("$(net(d.x), d.t)")},
      {"function in a function", kBoth + "fn $(y: []) -> [] = 3 * y\nfn outer(y: []) -> [] = $(y)^2\n" +
                                     minimizing("outer(net(d.x) - d.t)")},
      {"loss", kBoth + "loss $(y: [], t: []) = 3 * (y - t)^2\n" + minimizing("$(net(d.x), d.t)")},
      {"model", kData + "model $(x: [2]) -> [] {\n  param w: [2] = [0.3, -0.2]\n  return w @ x\n}\n" +
                    minimizing("($(d.x) - d.t)^2")},
      {"optimizer", with_rule("$", "rate", "  theta <- theta - rate * grad(theta)\n")},
      {"argument of an optimizer", with_rule("rule", "$", "  theta <- theta - $ * grad(theta)\n")},
      {"state of an optimizer",
       with_rule("rule", "rate",
                 "  state $ = 0\n  $ <- 0.5 * $ + grad(theta)\n  theta <- theta - rate * $\n")},
      {"value in an optimizer",
       with_rule("rule", "rate", "  $ = rate * grad(theta)\n  theta <- theta - $\n")},
      {"parameter",
       kData + "model net(x: [2]) -> [] {\n  param $: [2] = [0.3, -0.2]\n  return $ @ x\n}\n" + kTrain},
      {"constant", "const $ = 3\n" + kBoth + minimizing("$ * (net(d.x) - d.t)^2")},
      {"constant in a model", kData +
                                  "model net(x: [2]) -> [] {\n  param w: [2] = [0.3, -0.2]\n  const $: [2] = "
                                  "[2.0, 3.0]\n  return (w * $) "
                                  "@ x\n}\n" +
                                  kTrain},
      {"dim", "dim $ = 2\n" + kData +
                  "model net(x: [$]) -> [] {\n  param w: [$] = [0.3, -0.2]\n  return w @ x * $\n}\n" +
                  kTrain},
      {"value in a model",
       kData + "model net(x: [2]) -> [] {\n  param w: [2] = [0.3, -0.2]\n  $ = w @ x\n  return 2 * $\n}\n" +
           kTrain},
      {"argument of a function",
       kBoth + "fn square($: []) -> [] = 3 * $^2\n" + minimizing("square(net(d.x) - d.t)")},
      {"argument by its name",
       kBoth + "fn scaled(y: [], $) -> [] = $ * y^2\n" + minimizing("scaled(net(d.x) - d.t, $ = 3)")},
      {"argument of a model",
       kData + "model net($: [2]) -> [] {\n  param w: [2] = [0.3, -0.2]\n  return w @ $\n}\n" + kTrain},
      {"data", "data $ {\n  x = [[1.0, 2.0], [3.0, -1.0]]\n  t = [0.5, 1.5]\n}\n" + kNet +
                   minimizing("(net($.x) - $.t)^2")},
      {"field", "data d {\n  $ = [[1.0, 2.0], [3.0, -1.0]]\n  t = [0.5, 1.5]\n}\n" + kNet +
                    minimizing("(net(d.$) - d.t)^2")},
      {"axis of the data",
       "data d {\n  x = [[1.0, 2.0], [3.0, -1.0]] as [$: 2]\n  t = [0.5, 1.5]\n}\n" + kNet + kTrain},
      {"axis that is a variable",
       kBoth + "fn both(a: [$], b: [$]) -> [] = a @ b\n" + minimizing("both(d.x, d.x) * (net(d.x) - d.t)^2")},
  };
}

/// The same in the settings of `train`, in imports and in checks.
std::vector<Place> places_of_settings() {
  const std::string plateau =
      "  metrics = [$(net(d.x), d.t)]\n  optimizer = sgd(lr = 0.1)\n  stop = [plateau(train.$, patience = 2 "
      "epochs, "
      "mode = min), 3 epochs]\n}\n";
  return {
      {"metric", kBoth + "fn $(y: [], t: []) -> [] = (y - t)^2\n" + kSquare +
                     "  metrics = [$(net(d.x), d.t)]\n" + kRest},
      {"metric of a plateau", kBoth + "fn $(y: [], t: []) -> [] = (y - t)^2\n" + kSquare + plateau},
      {"schedule", kBoth + "fn $(rate) = 0.5 * rate\n" + kSquare +
                       "  optimizer = sgd(lr = $(0.1))\n  stop = [3 steps]\n}\n"},
      {"constant in a schedule",
       "const $ = 0.1\n" + kBoth + kSquare + "  optimizer = sgd(lr = 0.5 * $)\n  stop = [3 steps]\n}\n"},
      {"clip", kBoth + "fn $(g, share) = share * g\n" + kSquare + "  clip = $(0.5)\n" + kRest},
      {"import", "import \"own.dlg\"\n" + kBoth + minimizing("$(net(d.x) - d.t)"),
       "dlg 1\nfn $(y: []) -> [] = 3 * y^2\n"},
      {"constant that a check reads",
       "const $ = 3\n" + kBoth + kTrain + "check \"c\" {\n  expect $ * net(d.x) ~ 0 +- 100\n}\n"},
  };
}

std::string with_name(std::string text, const std::string& name) {
  for (std::size_t at = 0; (at = text.find('$', at)) != std::string::npos; at += name.size()) {
    text.replace(at, 1, name);
  }
  return text;
}

std::set<std::string> words_in(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    const bool is_part = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    if (is_part) word += c;
    if (is_part || word.empty()) continue;
    if (std::isdigit(static_cast<unsigned char>(word.front())) == 0) words.insert(word);
    word.clear();
  }
  return words;
}

/// Keywords, words of places, built-ins and the names of the library.
std::set<std::string> all_words() {
  std::set<std::string> words = words_in(
      "dlg use f32 f64 i32 i64 bool int dim const data fn loss model optimizer train check race import param "
      "state "
      "require return share scan yield repeat metric whole in with theta step grad over as expect after "
      "change norm "
      "minimize stop batch accumulate weight_decay clip ema groups group freeze shuffle seed metrics predict "
      "sample "
      "file test split header none epoch epochs steps min s h coupled decoupled like torch keras optax "
      "training val "
      "judged epoch_steps last_step patience mode of csv idx npy columns column class image label shares "
      "start plot "
      "contour levels true false same valid random x y w t lr rule");
  for (const Builtin& builtin : builtins()) words.insert(std::string(builtin.name));
  for (const StdFile& file : std_files()) {
    std::istringstream lines{std::string(file.text)};
    for (std::string line; std::getline(lines, line);) {
      std::istringstream parts(line);
      std::string kind;
      std::string name;
      parts >> kind >> name;
      const bool is_definition = kind == "fn" || kind == "loss" || kind == "optimizer" || kind == "const";
      if (is_definition) words.insert(name.substr(0, name.find('(')));
    }
  }
  return words;
}

/// What becomes of a program.
struct Outcome {
  bool is_ok = false;
  std::string told;  // errors and notes
  bool is_placed = true;
  StateValues states;  // after two updates
  std::vector<double> metrics;
};

Outcome outcome_of(const TempFolder& folder, const Place& place, const std::string& name) {
  folder.write("own.dlg", with_name(place.imported, name));
  LoadedProgram loaded(folder.write("t.dlg", "dlg 1\nuse f64\n" + with_name(place.text, name)));
  Outcome outcome;
  outcome.is_ok = loaded.is_ok();
  outcome.told = loaded.errors();
  for (const Diagnostic& diagnostic : loaded.session().diagnostics.all()) {
    outcome.is_placed = outcome.is_placed && diagnostic.range.is_valid();
  }
  if (!outcome.is_ok) return outcome;
  const std::unique_ptr<Laboratory> reference = loaded.reference();
  outcome.states = reference->train(2).value_or(StateValues{});
  for (const auto& [output, values] : reference->observe(outcome.states)) {
    const bool is_seen = output == "loss" || output.starts_with("metric.") || output.starts_with("expect.");
    if (is_seen) outcome.metrics.insert(outcome.metrics.end(), values.begin(), values.end());
  }
  return outcome;
}

/// The numbers alone: paths hold the name.
std::multiset<std::vector<double>> numbers_of(const StateValues& states) {
  std::multiset<std::vector<double>> numbers;
  for (const auto& [path, values] : states) numbers.insert(values);
  return numbers;
}

TEST_CASE("every word as a name in every place takes the place of the word or is an error at its place",
          "[generated]") {
  const TempFolder folder;
  int kept = 0;
  std::vector<Place> all = places();
  for (const Place& place : places_of_settings()) all.push_back(place);
  for (const Place& place : all) {
    const Outcome neutral = outcome_of(folder, place, "zz_neutral");
    INFO(place.what << "\n" << neutral.told);
    REQUIRE(neutral.is_ok);
    REQUIRE_FALSE(neutral.states.empty());
    const std::set<std::string> used = words_in(place.text + place.imported);
    for (const std::string& word : all_words()) {
      INFO(word);
      const Outcome outcome = outcome_of(folder, place, word);
      INFO(outcome.told);
      CHECK(outcome.is_placed);
      if (!outcome.is_ok) {
        CHECK_FALSE(outcome.told.empty());
        continue;
      }
      // A program that says the word beside the name means the definition there as well.
      if (used.count(word) > 0) continue;
      ++kept;
      CHECK(numbers_of(outcome.states) == numbers_of(neutral.states));
      CHECK(outcome.metrics == neutral.metrics);
    }
  }
  CHECK(kept > 4000);
}

TEST_CASE("a definition that takes the place of a word says so") {
  const TempFolder folder;
  for (const char* word : {"loss", "step", "epoch", "judged", "sum", "relu", "sgd", "largest"}) {
    const Place place = places().front();
    const Outcome outcome = outcome_of(folder, place, word);
    INFO(word << "\n" << outcome.told);
    CHECK(outcome.told.find("takes the place of the") != std::string::npos);
  }
}

}  // namespace
