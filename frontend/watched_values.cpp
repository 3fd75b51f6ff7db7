#include "frontend/watched_values.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotMeasured{
    DiagCode::BadStop, Severity::kError,
    "`{}` is not measured, expected `loss`, `val.loss` or a metric of a part"};

}  // namespace

bool is_watched_part(std::string_view part) {
  return part == "val" || part == "train";
}

std::optional<WatchedValue> watched_value(Elaboration& e, const std::vector<Metric>& metrics,
                                          const WatchedValue& wanted, SourceRange range) {
  if (is_watched_part(wanted.part)) {
    if (wanted.name == "loss") return WatchedValue{wanted.part, "loss", false};
    for (const Metric& metric : metrics) {
      if (metric.name == wanted.name) return WatchedValue{wanted.part, metric.name, metric.is_percent};
    }
  }
  const std::string text = wanted.part.empty() ? std::string(e.sources.text(range)) : wanted.text();
  Report report = e.error(range, kNotMeasured, text);
  if (wanted.part == "test") report.note("the test part is for the end; what training looks at is `val`");
  return std::nullopt;
}

std::optional<Value> measured_word(const Elaboration& e, std::string_view word) {
  if (word == "loss") return Value{MeasuredValue{{"", "loss", false}}};
  if (word == "judged") return Value{MeasuredValue{e.measurable.judged}};
  if (is_watched_part(word) || word == "test") return Value{PartValue{std::string(word)}};
  return std::nullopt;
}

}  // namespace dlg
