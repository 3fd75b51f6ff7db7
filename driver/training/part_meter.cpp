#include "driver/training/part_meter.h"

namespace dlg {

std::optional<std::vector<PartResult>> PartMeter::evaluate_at(const StateViews& states,
                                                              const std::vector<Part>& parts,
                                                              const volatile std::int32_t* stop_flag) {
  if (!evaluator_) evaluator_ = make_evaluator(session_, setup_);
  if (!evaluator_) return std::nullopt;
  evaluator_->copy_states(states);
  std::vector<PartResult> results = evaluate_parts(*evaluator_, parts, stop_flag);
  if (session_.diagnostics.has_errors()) return std::nullopt;
  return results;
}

const std::vector<PartResult>& PartMeter::measure(const std::string& part, std::int64_t epoch) {
  Measured& measured = measured_[part];
  if (measured.epoch == epoch) return measured.results;
  measured = {epoch, {}};
  for (const Part& known : parts_of(setup_.data)) {
    if (known.name != part) continue;
    // The training depends on it, so a signal does not cut it short.
    measured.results = evaluate_at(trained_.views(), {known}, nullptr).value_or(measured.results);
  }
  return measured.results;
}

double PartMeter::value(const WatchedValue& watched, const TrainProgress& at) {
  if (watched.part.empty()) return at.loss;
  return part_value(measure(watched.part, at.epochs), watched);
}

}  // namespace dlg
