#include "frontend/blocks/race_block.h"

#include <algorithm>
#include <array>

#include "frontend/blocks/train_block.h"
#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/settings.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kMissing{DiagCode::MissingSetting, Severity::kError, "the race has no `{}`"};
constexpr Diag<std::string> kUnknown{DiagCode::UnknownSetting, Severity::kError, "unknown setting `{}`"};
constexpr Diag<> kStartAlone{DiagCode::BadRace, Severity::kError,
                             "`start` is for a function of one vector, and `minimize` is an expression"};
constexpr Diag<> kNoRules{DiagCode::BadRace, Severity::kError,
                          "`with` is not a list of rules, expected `[sgd(lr = 0.02), adam(lr = 0.2)]`"};
constexpr Diag<std::string> kBadPlot{
    DiagCode::BadRace, Severity::kError,
    "found `{}`, expected `contour(x = [-5, 2], y = [-1.5, 1.5], levels = 20)`"};
constexpr Diag<std::string> kBadSpan{DiagCode::BadRace, Severity::kError,
                                     "found `{}`, expected a lower and a higher number in brackets"};
constexpr Diag<std::size_t> kNotAPlane{DiagCode::BadRace, Severity::kError,
                                       "contours need two variables, and the race has {}"};

constexpr std::array<std::string_view, 5> kOwnSettings{"minimize", "start", "with", "stop", "plot"};
constexpr std::array<std::string_view, 3> kRequired{"minimize", "with", "stop"};
/// What of a race is no setting of its training.
constexpr std::array<std::string_view, 4> kNotOfTraining{"minimize", "start", "with", "plot"};
constexpr int kMostLevels = 200;

template <class Words>
bool has_word(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

const ast::Setting* find_setting(const ast::SettingsBlock& block, std::string_view key) {
  for (const ast::Setting& setting : block.settings) {
    if (setting.key.text == key) return &setting;
  }
  return nullptr;
}

/// Reports what is missing, and unknown keys that are nearer to a race's words than to those of a training.
void check_keys(const ast::SettingsBlock& block, Diagnostics& diagnostics) {
  std::vector<std::string> meant;
  for (const ast::Setting& setting : block.settings) {
    if (has_word(kOwnSettings, setting.key.text)) continue;
    const auto near = nearest_name(setting.key.text, {kNotOfTraining.begin(), kNotOfTraining.end()});
    if (!near) continue;
    diagnostics.report(setting.key.range, kUnknown, setting.key.text)
        .suggest(setting.key.range, *near, fmt::format("did you mean `{}`?", *near));
    meant.push_back(*near);
  }
  for (const std::string_view key : kRequired) {
    if (find_setting(block, key) == nullptr && !has_word(meant, key)) {
      diagnostics.report(block.name.range, kMissing, std::string(key));
    }
  }
}

/// Makes the trees that a race stands for; each has the place of the setting that it comes from.
class Expansion {
 public:
  explicit Expansion(ast::File& file) : file_(file) {}

  ast::ExprId name(const std::string& text, SourceRange range) {
    ast::Expr expr;
    expr.kind = ast::ExprKind::kName;
    expr.range = range;
    expr.text = text;
    return file_.exprs.add(std::move(expr));
  }

  ast::ExprId call(ast::ExprId callee, std::vector<ast::Argument> arguments, SourceRange range) {
    ast::Expr expr;
    expr.kind = ast::ExprKind::kCall;
    expr.range = range;
    expr.args = {callee};
    expr.arguments = std::move(arguments);
    return file_.exprs.add(std::move(expr));
  }

  /// `model point() { param w: [2] = start  return w }`; answers with its name.
  std::string add_point(ast::ExprId start) {
    const SourceRange range = file_.exprs[start].range;
    ast::Statement parameter;
    parameter.kind = ast::StatementKind::kDeclare;
    parameter.keyword = "param";
    parameter.range = range;
    parameter.names = {{"w", range}};
    parameter.type = type_of(start);
    parameter.value = start;
    ast::Statement result;
    result.kind = ast::StatementKind::kReturn;
    result.range = range;
    result.value = name("w", range);
    ast::Function point;
    point.kind = ast::FunctionKind::kModel;
    point.name = {free_name("point"), range};
    point.body = {std::move(parameter), std::move(result)};
    point.range = range;
    file_.functions.push_back(std::move(point));
    return file_.functions.back().name.text;
  }

 private:
  /// `[2]` for a list of two, `[]` for a number.
  ast::TypeText type_of(ast::ExprId start) {
    const ast::Expr& expr = file_.exprs[start];
    ast::TypeText type;
    type.range = expr.range;
    if (expr.kind != ast::ExprKind::kList) return type;
    ast::Expr size;
    size.kind = ast::ExprKind::kNumber;
    size.range = expr.range;
    size.number = static_cast<double>(expr.args.size());
    type.axes.push_back({std::nullopt, file_.exprs.add(std::move(size)), false, type.range});
    return type;
  }

  std::string free_name(std::string name) const {
    const auto is_taken = [&](const auto& items) {
      return std::any_of(items.begin(), items.end(),
                         [&](const auto& item) { return item.name.text == name; });
    };
    while (is_taken(file_.functions) || is_taken(file_.optimizers) || is_taken(file_.definitions) ||
           is_taken(file_.data)) {
      name += "_";
    }
    return name;
  }

  ast::File& file_;
};

/// The objective as an expression: a bare name is a function of one vector.
std::optional<ast::ExprId> objective(ast::File& file, const ast::SettingsBlock& block,
                                     Diagnostics& diagnostics) {
  const ast::Setting* minimize = find_setting(block, "minimize");
  const ast::Setting* start = find_setting(block, "start");
  if (minimize == nullptr) return std::nullopt;
  const ast::Expr written = file.exprs[minimize->value];
  if (written.kind != ast::ExprKind::kName) {
    if (start != nullptr) {
      diagnostics.report(start->key.range, kStartAlone)
          .label(written.range, "an expression")
          .note(
              "write `minimize = ravine` for a function, or leave `start` to the initial values of the "
              "model");
    }
    return minimize->value;
  }
  if (start == nullptr) {
    diagnostics.report(block.name.range, kMissing, "start")
        .label(written.range, "a function starts somewhere");
    return std::nullopt;
  }
  Expansion expansion(file);
  const SourceRange place = file.exprs[start->value].range;
  const std::string point = expansion.add_point(start->value);
  const ast::ExprId at = expansion.call(expansion.name(point, place), {}, place);
  return expansion.call(expansion.name(written.text, written.range), {{std::nullopt, at}}, written.range);
}

const std::vector<ast::ExprId>* rules_of(const ast::File& file, const ast::SettingsBlock& block) {
  const ast::Setting* with = find_setting(block, "with");
  if (with == nullptr) return nullptr;
  const ast::Expr& list = file.exprs[with->value];
  return list.kind == ast::ExprKind::kList && !list.args.empty() ? &list.args : nullptr;
}

std::optional<std::pair<double, double>> span_of(Elaboration& e, ast::ExprId id) {
  const std::optional<Literal> literal = literal_of(e, evaluate_operand(e, id));
  if (!literal) return std::nullopt;
  const bool is_span =
      literal->sizes == std::vector<std::int64_t>{2} && literal->values[0] < literal->values[1];
  if (is_span) return std::pair(literal->values[0], literal->values[1]);
  const SourceRange range = e.expr(id).range;
  e.error(range, kBadSpan, std::string(e.sources.text(range)));
  return std::nullopt;
}

std::optional<Contour> contour_of(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  Contour contour;
  bool is_good = expr.kind == ast::ExprKind::kCall && callee_of(e, id) == "contour";
  bool has_x = false;
  bool has_y = false;
  for (std::size_t i = 0; is_good && i < expr.arguments.size(); ++i) {
    const ast::Argument& argument = expr.arguments[i];
    const std::string key = argument.name ? argument.name->text : "";
    if (key == "levels") {
      const auto levels = whole_setting(e, argument.value, key, 1);
      if (!levels) return std::nullopt;
      contour.levels = static_cast<int>(std::min<std::int64_t>(*levels, kMostLevels));
      continue;
    }
    is_good = key == "x" || key == "y";
    if (!is_good) break;
    const auto span = span_of(e, argument.value);
    if (!span) return std::nullopt;
    (key == "x" ? has_x : has_y) = true;
    std::tie(key == "x" ? contour.x_low : contour.y_low, key == "x" ? contour.x_high : contour.y_high) =
        *span;
  }
  if (is_good && has_x && has_y) return contour;
  e.error(expr.range, kBadPlot, std::string(e.sources.text(expr.range)));
  return std::nullopt;
}

std::size_t trained_numbers(const Graph& graph) {
  std::size_t count = 0;
  for (const State& state : graph.states) {
    if (state.kind == StateKind::kParameter) count += static_cast<std::size_t>(state.type.shape.elements());
  }
  return count;
}

}  // namespace

void expand_race(ast::File& file, std::size_t index, Diagnostics& diagnostics) {
  const ast::SettingsBlock block = file.races[index];
  const std::size_t before = diagnostics.error_count();
  check_keys(block, diagnostics);
  ast::SettingsBlock train;
  train.name = block.name;
  train.range = block.range;
  if (const auto minimize = objective(file, block, diagnostics)) {
    const SourceRange range = find_setting(block, "minimize")->range;
    train.settings.push_back({{"minimize", find_setting(block, "minimize")->key.range}, *minimize, range});
  }
  for (const ast::Setting& setting : block.settings) {
    const bool is_own = has_word(kNotOfTraining, setting.key.text);
    const bool is_misspelt =
        !has_word(kOwnSettings, setting.key.text) &&
        nearest_name(setting.key.text, {kNotOfTraining.begin(), kNotOfTraining.end()}).has_value();
    if (!is_own && !is_misspelt) train.settings.push_back(setting);
  }
  file.trains.clear();
  if (diagnostics.error_count() == before) file.trains.push_back(std::move(train));
}

void add_first_rule(ast::File& file, std::size_t index) {
  const ast::SettingsBlock& block = file.races[index];
  const std::vector<ast::ExprId>* rules = rules_of(file, block);
  // A list without rules is reported with the rest of the block.
  if (rules == nullptr) file.trains.clear();
  if (file.trains.empty()) return;
  const ast::Setting& with = *find_setting(block, "with");
  file.trains.front().settings.push_back({{"optimizer", with.key.range}, rules->front(), with.range});
}

void elaborate_race(Elaboration& e, const ast::SettingsBlock& block, CheckedProgram& program) {
  program.race.emplace();
  program.race->title = block.name.text;
  program.race->range = block.range;
  distinct_settings(e, block);
  const std::vector<ast::ExprId>* rules = rules_of(e.unit(), block);
  const ast::Setting* with = find_setting(block, "with");
  if (rules == nullptr && with != nullptr) e.error(e.expr(with->value).range, kNoRules);
  const ast::SettingsBlock train = e.unit().trains.empty() ? ast::SettingsBlock{} : e.unit().trains.front();
  if (!program.training) program.training.emplace();
  for (std::size_t i = 0; rules != nullptr && i < rules->size(); ++i) {
    const ast::ExprId id = (*rules)[i];
    std::optional<UpdateRule> rule = elaborate_rule(e, train, id, *program.training);
    const SourceRange range = e.expr(id).range;
    if (rule)
      program.race->competitors.push_back({std::string(e.sources.text(range)), *std::move(rule), range});
  }
  const ast::Setting* plot = find_setting(block, "plot");
  if (plot == nullptr) return;
  program.race->contour = contour_of(e, plot->value);
  const std::size_t variables = trained_numbers(program.graph);
  if (program.race->contour && variables != 2 && program.graph.find_output("loss")) {
    e.error(e.expr(plot->value).range, kNotAPlane, variables);
  }
}

}  // namespace dlg
