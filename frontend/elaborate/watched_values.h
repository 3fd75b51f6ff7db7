// Owns the names of what a training measures: `loss`, `val.loss`, a metric of a part.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// The loss or a metric of the parts that training looks at, `val` and `train`. Errors: there is none of this
/// name.
std::optional<WatchedValue> watched_value(Elaboration& e, const std::vector<Metric>& metrics,
                                          const WatchedValue& wanted, SourceRange range);

/// In which direction a metric is better, as far as its text tells: a loss is minimised, what std measures is
/// known, one of the program's own is not.
Better direction_of_metric(const Elaboration& e, ast::ExprId metric);

/// `max` or `min`, as `mode` names a direction.
std::optional<Better> better_of_mode(std::string_view word);

/// False where nothing says in which direction the value is better: the plateau `call` is told to say it.
bool check_direction(Elaboration& e, const WatchedValue& watched, SourceRange call);

/// Whether training looks at a part of this name.
bool is_watched_part(std::string_view part);

/// The value of a word in a schedule: `loss`, `val`, `train`, and `judged`, which is what `stop` judges on.
std::optional<Value> measured_word(const Elaboration& e, std::string_view word);

}  // namespace dlg
