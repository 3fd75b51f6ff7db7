#include "frontend/elaborate/watched_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/elaborate/settings.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotMeasured{
    DiagCode::BadStop, Severity::kError,
    "`{}` is not measured, expected `loss`, `val.loss` or a metric of a part"};

constexpr Diag<std::string> kTable{DiagCode::BadStop, Severity::kError,
                                   "`{}` is a table, expected one number to look at"};

constexpr Diag<std::string> kNoDirection{DiagCode::NoDirection, Severity::kError,
                                         "nothing says whether a larger or a smaller `{}` is the better one, "
                                         "and a plateau waits for a better one"};

struct DirectionRow {
  std::string_view name;
  Better better;
};

/// The metrics of std. Its losses are losses in their own text.
constexpr std::array<DirectionRow, 9> kDirections{{
    {"accuracy", Better::kLarger},
    {"top_k", Better::kLarger},
    {"r2", Better::kLarger},
    {"auc", Better::kLarger},
    {"precision", Better::kLarger},
    {"recall", Better::kLarger},
    {"f1", Better::kLarger},
    {"rmse", Better::kSmaller},
    {"perplexity", Better::kSmaller},
}};
constexpr std::array<DirectionRow, 2> kModes{{{"max", Better::kLarger}, {"min", Better::kSmaller}}};

template <class Table>
std::optional<Better> better_of(const Table& table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const DirectionRow& row) { return row.name == name; });
  return found == table.end() ? std::nullopt : std::optional(found->better);
}

}  // namespace

std::optional<Better> better_of_mode(std::string_view word) {
  return better_of(kModes, word);
}

Better direction_of_metric(const Elaboration& e, ast::ExprId metric) {
  if (e.expr(metric).kind != ast::ExprKind::kCall) return Better::kUnknown;
  const std::string_view name = callee_of(e, metric);
  const TopName* top = e.library.find(e.frame().unit, name);
  if (!top || top->kind != TopName::Kind::kFunction) return Better::kUnknown;
  const ast::FunctionKind kind = e.library.function({top->unit, top->indices.front()}).kind;
  if (kind == ast::FunctionKind::kLoss) return Better::kSmaller;
  if (e.library.is_user(top->unit)) return Better::kUnknown;
  return better_of(kDirections, name).value_or(Better::kUnknown);
}

bool check_direction(Elaboration& e, const WatchedValue& watched, SourceRange call) {
  if (watched.better != Better::kUnknown) return true;
  Report report = e.error(call, kNoDirection, watched.text());
  const bool is_call = e.sources.text(call).ends_with(')');
  if (is_call)
    report.suggest({call.file, call.end - 1, call.end}, ", mode = max)",
                   "say it with `mode = max` or `mode = min`");
  return false;
}

bool is_watched_part(std::string_view part) {
  return part == "val" || part == "train";
}

std::optional<WatchedValue> watched_value(Elaboration& e, const std::vector<Metric>& metrics,
                                          const WatchedValue& wanted, SourceRange range) {
  if (is_watched_part(wanted.part)) {
    if (wanted.name == "loss") return WatchedValue{wanted.part, "loss"};
    for (const Metric& metric : metrics) {
      if (metric.name != wanted.name) continue;
      if (metric.form != MetricForm::kTable) return WatchedValue{wanted.part, metric.name, metric.better};
      e.error(range, kTable, wanted.text());
      return std::nullopt;
    }
  }
  const std::string text = wanted.part.empty() ? std::string(e.sources.text(range)) : wanted.text();
  Report report = e.error(range, kNotMeasured, text);
  if (wanted.part == "test") report.note("the test part is for the end; what training looks at is `val`");
  return std::nullopt;
}

std::optional<Value> measured_word(const Elaboration& e, std::string_view word) {
  if (word == "loss") return Value{MeasuredValue{{"", "loss"}}};
  if (word == "judged") return Value{MeasuredValue{e.measurable.judged}};
  if (is_watched_part(word) || word == "test") return Value{PartValue{std::string(word)}};
  return std::nullopt;
}

}  // namespace dlg
