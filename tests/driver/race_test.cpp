// Owns the tests of races: the numbers of the ravine, and the parts that make them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "driver/race/contours.h"
#include "driver/race/eigenvalues.h"
#include "driver/race/picture.h"
#include "driver/race/rate.h"
#include "driver/race/scene.h"
#include "runtime/json.h"
#include "support/text.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// One race of a file, as `dlg race --json` tells it.
Json race_of(const std::string& path, std::vector<std::string> more = {}) {
  const TempFolder folder;
  std::vector<std::string> arguments{"race", path, "--json", "--out", folder.file("out")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Called called = call_dlg(arguments);
  INFO(called.err);
  REQUIRE(called.exit_code == 0);
  for (const std::string name : {"race.svg", "race.html", "race.csv", "race.tex", "model.dlg"}) {
    CHECK(std::filesystem::file_size(folder.file("out/" + name)) > 0);
  }
  const JsonResult result = parse_json(called.out);
  REQUIRE(result.value);
  return result.value->find("races")->as_array()->front();
}

const Json& rule_of(const Json& race, const std::string& text) {
  for (const Json& rule : *race.find("rules")->as_array()) {
    if (*rule.find("rule")->as_text() == text) return rule;
  }
  FAIL("no rule " << text);
  return race;
}

std::string word(const Json& json, std::string_view key) {
  return *json.find(key)->as_text();
}

TEST_CASE("the ravine: steps to 1e-6 in f64, the limit of stability, who never arrives") {
  const Json race = race_of(source_path("examples/race/ravine.dlg"));
  const std::vector<std::pair<std::string, std::int64_t>> expected{{"sgd(lr = 0.02)", 394},
                                                                   {"sgd(lr = 2 / 26)", 106},
                                                                   {"momentum(lr = 0.02)", 129},
                                                                   {"nesterov(lr = 0.02)", 86},
                                                                   {"adagrad(lr = 0.5)", 158},
                                                                   {"adam(lr = 0.2)", 148},
                                                                   {"newton()", 1}};
  for (const auto& [text, steps] : expected) {
    const Json& rule = rule_of(race, text);
    CAPTURE(text);
    CHECK(*rule.find("reached")->as_bool());
    CHECK(*rule.find("steps")->as_integer() == steps);
  }
  const Json& far = rule_of(race, "sgd(lr = 0.081)");
  CHECK(word(far, "rate") == "diverges");
  CHECK(word(far, "remark") == "the step 0.081 is above the limit 2/lambda_max = 0.08");
  const Json& restless = rule_of(race, "rmsprop(lr = 0.05)");
  CHECK_FALSE(*restless.find("reached")->as_bool());
  CHECK(word(restless, "rate") == "jitters");
  CHECK(word(rule_of(race, "newton()"), "rate") == "at once");
  CHECK(std::abs(*race.find("best_step")->as_number() - 2.0 / 26) < 1e-9);
  CHECK(std::abs(*race.find("step_limit")->as_number() - 0.08) < 1e-9);
}

TEST_CASE("the ravine: measured rates are those that theory expects of linear rules") {
  const Json race = race_of(source_path("examples/race/ravine.dlg"));
  const double best = 24.0 * 24 / 26 / 26;
  CHECK(std::abs(*race.find("best_rate")->as_number() - best) < 1e-9);
  for (const auto& [text, expected] :
       {std::pair("sgd(lr = 0.02)", 0.98 * 0.98), std::pair("sgd(lr = 2 / 26)", best)}) {
    const Json& rule = rule_of(race, text);
    CAPTURE(text);
    CHECK(word(rule, "rate") == "linear");
    CHECK(std::abs(*rule.find("expected_R")->as_number() - expected) < 1e-6);
    CHECK(std::abs(*rule.find("R")->as_number() - expected) < 1e-3);
  }
  // The eigenvalues of heavy-ball momentum are complex here: |z|^2 = beta.
  CHECK(std::abs(*rule_of(race, "momentum(lr = 0.02)").find("expected_R")->as_number() - 0.9) < 1e-6);
  CHECK(rule_of(race, "adam(lr = 0.2)").find("expected_R") == nullptr);
  // Down the axis without crossing it, across it from side to side.
  CHECK(*rule_of(race, "sgd(lr = 2 / 26)").find("crossings")->as_array()->at(0).as_integer() == 0);
  CHECK(*rule_of(race, "sgd(lr = 2 / 26)").find("crossings")->as_array()->at(1).as_integer() == 106);
}

TEST_CASE("a saddle catches Newton and not its damped variant; a plane shows the terminal velocity") {
  const Json saddle = race_of(source_path("examples/race/saddle.dlg"));
  CHECK(word(rule_of(saddle, "newton()"), "remark") == "stands on a saddle: curvatures -1 and 1");
  CHECK(*rule_of(saddle, "newton(damping = 1.5)").find("loss")->as_number() < -0.249);
  const Json plane = race_of(source_path("examples/race/plane.dlg"));
  CHECK(word(rule_of(plane, "momentum(lr = 0.1)"), "remark") ==
        "terminal velocity 0.5 a step, 10 times the first");
  CHECK(word(rule_of(plane, "sgd(lr = 0.1)"), "remark") ==
        "terminal velocity 0.05 a step, 1 times the first");
}

std::vector<double> sequence(int count, double (*f)(double)) {
  std::vector<double> values;
  for (int k = 0; k < count; ++k) values.push_back(f(k) + 3);
  return values;
}

/// A run towards 3 in f64.
Rate rate_of(std::vector<double> losses) {
  Descent descent;
  descent.losses = std::move(losses);
  descent.smallest = 3;
  descent.floor = 1e-15;
  return estimate_rate(descent);
}

TEST_CASE("rates of sequences whose rate is known") {
  const Rate linear = rate_of(sequence(200, [](double k) { return 5 * std::pow(0.9, k); }));
  CHECK(linear.kind == Rate::Kind::kLinear);
  CHECK(std::abs(linear.factor - 0.9) < 1e-6);
  CHECK(linear.error < 1e-6);
  const Rate waves =
      rate_of(sequence(300, [](double k) { return std::pow(0.95, k) * (1.2 + std::sin(0.7 * k)); }));
  CHECK(waves.kind == Rate::Kind::kLinear);
  CHECK(std::abs(waves.factor - 0.95) < 2e-3);
  const Rate power = rate_of(sequence(400, [](double k) { return 2 / (k + 3); }));
  CHECK(power.kind == Rate::Kind::kPower);
  CHECK(rate_text(power) == "O(1/n)");
  const Rate root = rate_of(sequence(4000, [](double k) { return 2 / std::sqrt(k + 1); }));
  CHECK(rate_text(root) == "O(1/n^0.5)");
  CHECK(rate_of(sequence(5, [](double k) { return std::pow(0.5, std::pow(2, k)); })).kind ==
        Rate::Kind::kQuadratic);
  const Rate jitter =
      rate_of(sequence(200, [](double k) { return std::pow(0.5, k) + 0.01 * (1.5 + std::sin(2.1 * k)); }));
  CHECK(jitter.kind == Rate::Kind::kJitters);
  CHECK(rate_of(sequence(100, [](double k) { return std::pow(1.05, k); })).kind == Rate::Kind::kDiverges);
  CHECK(rate_of({5, 4, INFINITY}).kind == Rate::Kind::kDiverges);
  CHECK(rate_of(sequence(50, [](double) { return 0.25; })).kind == Rate::Kind::kStalls);
}

TEST_CASE("a rate is not named before there is one") {
  CHECK(rate_of({}).kind == Rate::Kind::kUnknown);
  CHECK(rate_of({5}).kind == Rate::Kind::kTooEarly);
  CHECK(rate_of({5, 4, 3.5}).kind == Rate::Kind::kTooEarly);
  // A power law that began long before the first step looks straight for a while.
  CHECK(rate_of(sequence(100, [](double k) { return 2 / (k + 300); })).kind == Rate::Kind::kTooEarly);
  // A step away from a good start, which slows down.
  CHECK(rate_of(sequence(15, [](double k) { return 1e-9 + 0.01 * k * k; })).kind == Rate::Kind::kTooEarly);
  // A walk at constant speed that meets the minimum.
  const Rate walk = rate_of(sequence(80, [](double k) { return std::pow(79 - k, 2) / 1e3; }));
  CHECK(walk.kind == Rate::Kind::kUnknown);
  CHECK(walk.rest == 79);
  // Waves that come to a height and stay there.
  CHECK(rate_of(sequence(200, [](double k) {
          return 0.01 + 0.001 * std::pow(0.97, k) * (1 + std::sin(2 * k));
        })).kind == Rate::Kind::kJitters);
}

TEST_CASE("a rate is that of the steps before rounding") {
  // What f32 makes of 3 + 0.9^k.
  std::vector<double> losses;
  for (int k = 0; k < 400; ++k) losses.push_back(static_cast<float>(3 + std::pow(0.9, k)));
  Descent descent{losses, 3, 2e-6, 2e-6, 0x1p-24, {}};
  const Rate rate = estimate_rate(descent);
  CHECK(rate.kind == Rate::Kind::kLinear);
  CHECK(std::abs(rate.factor - 0.9) < 2e-3);
  REQUIRE(rate.rest);
  CHECK(std::abs(static_cast<double>(*rate.rest) - std::log(2e-6) / std::log(0.9)) < 3);
}

TEST_CASE("a factor is shown with the digits that it has") {
  CHECK(factor_text(0.96041) == "0.9604");
  CHECK(factor_text(0.9999921) == "0.999992");
  CHECK(factor_text(0.8991, 8e-4) == "0.899");
  CHECK(factor_text(0.8991, 0.04) == "0.9");
  CHECK(factor_text(1) == "1.0000");
  CHECK(factor_text(0) == "0.0000");
}

TEST_CASE("crossings are changes of sign, and zeros are none") {
  CHECK(count_crossings({1, -1, 1}, 0) == 2);
  CHECK(count_crossings({1, 0, 1}, 0) == 0);
  CHECK(count_crossings({1, 0, -1}, 0) == 1);
  CHECK(count_crossings({3, 1, 3}, 2) == 2);
  CHECK(count_crossings({}, 0) == 0);
}

TEST_CASE("eigenvalues of a symmetric matrix and the growth of powers") {
  const std::vector<double> values = symmetric_eigenvalues({2, 1, 0, 1, 2, 0, 0, 0, -5}, 3);
  CHECK(std::abs(values[0] + 5) < 1e-12);
  CHECK(std::abs(values[1] - 1) < 1e-12);
  CHECK(std::abs(values[2] - 3) < 1e-12);
  CHECK(std::abs(spectral_radius({0.6, -0.8, 0.8, 0.6}, 2) - 1) < 1e-9);  // a rotation
  CHECK(std::abs(spectral_radius({0.5, 100, 0, 0.5}, 2) - 0.5) < 1e-6);   // powers grow before they fall
  CHECK(spectral_radius({0, 1, 0, 0}, 2) < 1e-6);
}

TEST_CASE("contour lines of a cone are closed circles") {
  const Grid grid = sample({-2, 2, -2, 2, 81, 81, {}}, [](Point p) { return std::hypot(p.x, p.y); });
  const auto lines = contour_lines(grid, 1.3);
  REQUIRE(lines.size() == 1);
  const std::vector<Point>& circle = lines.front();
  CHECK(circle.front().x == circle.back().x);
  CHECK(circle.front().y == circle.back().y);
  double length = 0;
  for (std::size_t i = 0; i < circle.size(); ++i) {
    CHECK(std::abs(std::hypot(circle[i].x, circle[i].y) - 1.3) < 1e-3);
    if (i > 0) length += std::hypot(circle[i].x - circle[i - 1].x, circle[i].y - circle[i - 1].y);
  }
  CHECK(std::abs(length - 2 * std::numbers::pi * 1.3) < 0.01);
}

TEST_CASE("contour lines end at the border, meet in no saddle, and leave out what is not finite") {
  const Grid slope = sample({0, 1, 0, 1, 5, 5, {}}, [](Point p) { return p.x; });
  REQUIRE(contour_lines(slope, 0.4).size() == 1);
  CHECK(contour_lines(slope, 0.4).front().size() == 5);
  const Grid saddle = sample({-1, 1, -1, 1, 4, 4, {}}, [](Point p) { return p.x * p.y; });
  CHECK(contour_lines(saddle, 0.05).size() == 2);
  CHECK(contour_lines(saddle, 5).empty());
  const Grid holed = sample({0, 1, 0, 1, 5, 5, {}}, [](Point p) { return p.y > 0.9 ? NAN : p.x; });
  CHECK(contour_lines(holed, 0.4).front().size() == 4);
  CHECK(contour_levels(holed, 3).size() == 3);
  CHECK(contour_levels(sample({0, 1, 0, 1, 2, 2, {}}, [](Point) { return 1.0; }), 3).empty());
}

TEST_CASE("levels are equal steps on a plane, and short numbers everywhere") {
  const Grid plane = sample({-40, 5, -50, 5, 61, 61, {}}, [](Point p) { return 0.3 * p.x + 0.4 * p.y; });
  const std::vector<double> even = contour_levels(plane, 12);
  REQUIRE(even.size() == 12);
  for (std::size_t i = 1; i < even.size(); ++i) CHECK(std::abs(even[i] - even[i - 1] - 2.5) < 1e-12);
  CHECK(even.front() > -32);
  CHECK(even.back() < 3.5);
  const Grid bowl =
      sample({-5, 2, -1.5, 1.5, 61, 61, {}}, [](Point p) { return 0.5 * (p.x * p.x + 25 * p.y * p.y); });
  const std::vector<double> dense = contour_levels(bowl, 20);
  std::vector<double> values = bowl.values;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  const double median = values[values.size() / 2];
  CHECK(std::is_sorted(dense.begin(), dense.end()));
  CHECK(std::adjacent_find(dense.begin(), dense.end()) == dense.end());
  CHECK(std::abs(std::count_if(dense.begin(), dense.end(), [&](double x) { return x < median; }) - 10) <= 1);
  for (const double level : dense) CHECK(fmt::format("{:.6g}", level).size() <= 4);
  CHECK(contour_levels(plane, 1).size() == 1);
}

/// A contest of runs that go straight from the start to the given points.
Contest straight_contest(const std::vector<std::pair<std::string, Point>>& runs, Point start) {
  Contest contest;
  contest.title = "straight";
  contest.variables = {"w[0]", "w[1]"};
  contest.variable_count = 2;
  contest.start = {start.x, start.y};
  for (const auto& [text, end] : runs) {
    RaceRun run;
    run.text = text;
    run.at = {0, 1};
    run.losses = {2, 1};
    run.values = {{start.x, start.y}, {end.x, end.y}};
    contest.runs.push_back(std::move(run));
  }
  return contest;
}

TEST_CASE("labels lie on their line, inside, apart from paths and each other") {
  Contour window;
  window.x_low = -2;
  window.x_high = 2;
  window.y_low = -2;
  window.y_high = 2;
  const Grid grid = sample({-2, 2, -2, 2, 121, 121, {}}, [](Point p) { return std::hypot(p.x, p.y); });
  ContourMap map{window, {}};
  for (const double level : {0.5, 1.0, 1.5, 1.75}) {
    for (std::vector<Point>& line : contour_lines(grid, level)) map.lines.push_back({level, std::move(line)});
  }
  const Contest contest = straight_contest({{"a", {2, 0}}, {"b", {-1, 1}}}, {0, 0});
  const std::vector<LevelLabel> labels = place_labels(map, contest);
  REQUIRE(labels.size() == 4);
  for (const LevelLabel& label : labels) {
    CAPTURE(label.text);
    CHECK(fmt::format("{:.2f}", std::hypot(label.at.x, label.at.y)) ==
          fmt::format("{:.2f}", parse_number(label.text).value_or(-1)));
    CHECK(std::abs(label.at.x) < 1.9);
    CHECK(std::abs(label.at.y) < 1.9);
    CHECK((label.at.x < 0 || std::abs(label.at.y) > 0.1));
    for (const LevelLabel& other : labels) {
      if (&other == &label) continue;
      CHECK(std::hypot(other.at.x - label.at.x, other.at.y - label.at.y) > 0.15);
    }
  }
}

/// Whether entry `i` of a legend ends before the next one of its row begins, and inside of the picture.
bool fits(const Scene& scene, const std::vector<TextItem>& entries, std::size_t i) {
  constexpr double kLetter = 6;  // points: the mean of Helvetica at 12
  constexpr double kSwatch = 24;
  const TextItem& entry = entries[i];
  const double end = entry.at.x + kLetter * static_cast<double>(entry.text.size());
  const bool has_next = i + 1 < entries.size() && entries[i + 1].at.y == entry.at.y;
  return end < (has_next ? entries[i + 1].at.x - kSwatch : scene.width) && entry.at.y < scene.height;
}

TEST_CASE("the entries of a legend fit into their columns, and all into the picture") {
  for (const std::size_t length : {5U, 20U, 30U, 45U, 120U}) {
    CAPTURE(length);
    std::vector<std::pair<std::string, Point>> runs(7, {"eeee", {1, 1}});
    runs[4].first = std::string(length, 'e');
    const Scene scene = race_scene(straight_contest(runs, {0, 0}), nullptr);
    std::vector<TextItem> entries;
    std::copy_if(scene.texts.begin(), scene.texts.end(), std::back_inserter(entries),
                 [](const TextItem& item) { return item.text.starts_with("eeee"); });
    REQUIRE(entries.size() == runs.size());
    for (std::size_t i = 0; i < entries.size(); ++i) CHECK(fits(scene, entries, i));
  }
}

TEST_CASE("drawings keep words of a program harmless") {
  Scene scene{100, 50, "a < b & \"c\"", {}, {}, {}};
  scene.texts.push_back({{1, 2}, "50 % of w_1^2 {x} \\ <tag>", Anchor::kStart, 10, "000000"});
  const std::string svg = svg_text(scene);
  CHECK(svg.find("<title>a &lt; b &amp; &quot;c&quot;</title>") != std::string::npos);
  CHECK(svg.find("&lt;tag&gt;") != std::string::npos);
  const std::string tikz = tikz_text(scene);
  CHECK(tikz.find("{50 \\% of w\\_1\\textasciicircum{}2 \\{x\\} \\textbackslash{} $<$tag$>$};") !=
        std::string::npos);
}

TEST_CASE("a title that ends a script stays inside the page's data") {
  const TempFolder folder;
  const std::string path = folder.write("r.dlg", R"(dlg 1
fn f(w: [n]) -> [] = sum(w^2)
race "</script><b>" {
  minimize = f
  start    = [1, 2]
  with     = [sgd(lr = 0.1)]
  stop     = [3 steps]
}
)");
  REQUIRE(call_dlg({"race", path, "--out", folder.file("out")}).exit_code == 0);
  const std::string page = read_text(folder.file("out/race.html"));
  CHECK(page.find("</script><b>") == std::string::npos);
  CHECK(page.find("\\u003c/script>") != std::string::npos);
  CHECK(page.find("@DATA@") == std::string::npos);
  CHECK(page.find("http") == page.find("http://www.w3.org/2000/svg"));
}

/// All numbers behind `"key":` of a page's first rule, a list of lists as one.
std::vector<double> numbers_of(const std::string& page, const std::string& key) {
  const std::size_t begin = page.find("\"" + key + "\":[");
  REQUIRE(begin != std::string::npos);
  const JsonResult list = parse_json("{" + page.substr(begin, page.find("}", begin) - begin) + "}");
  REQUIRE(list.value);
  std::vector<double> numbers;
  for (const Json& row : *list.value->find(key)->as_array()) {
    for (const Json& number : *row.as_array()) numbers.push_back(*number.as_number());
  }
  return numbers;
}

TEST_CASE("with many variables norms stand for the values, and the table says so") {
  const TempFolder folder;
  const std::string path = folder.write("many.dlg", R"(dlg 1
use f64
fn bowl(w: [10]) -> [] = sum(w^2)
race "ten" {
  minimize = bowl
  start    = [3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
  with     = [momentum(lr = 0.25, beta = 0)]
  stop     = [3 steps]
}
)");
  const Called called = call_dlg({"race", path, "--out", folder.file("out")});
  INFO(called.err);
  REQUIRE(called.exit_code == 0);
  CHECK(called.out.find("10 variables, more than 8: the losses of epochs and the norms") !=
        std::string::npos);
  const std::string page = read_text(folder.file("out/race.html"));
  CHECK(page.find("\"columns\":[\"|w|\",\"|w.v|\"]") != std::string::npos);
  // A step halves the point, and v is what it takes off.
  CHECK(numbers_of(page, "values") == std::vector<double>{2.5, 2.5, 1.25, 1.25, 0.625, 0.625});
}

}  // namespace
