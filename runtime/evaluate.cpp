// Owns the loop over the batches of a part and the gathering of outputs.
#include "runtime/evaluate.h"

#include <algorithm>

#include "support/check.h"

namespace dlg {
namespace {

/// One evaluation under way.
class Evaluation {
 public:
  Evaluation(const StepProgram& program, const EvaluatePlan& plan)
      : program_(program), plan_(plan), order_(plan.rows) {
    if (order_.empty()) order_ = {0};
    for (const OutputSlot& slot : plan.outputs) values_.push_back({.name = slot.name, .type = slot.type});
  }

  std::vector<OutputValues> run() {
    const std::int64_t rows = static_cast<std::int64_t>(order_.size());
    for (std::int64_t first = 0; first < rows; first += plan_.batch) {
      if (plan_.stop_flag != nullptr && *plan_.stop_flag != 0) return {};
      const std::int64_t count = std::min(plan_.batch, rows - first);
      if (!run_batch(first)) return faulty({order_.begin() + first, order_.begin() + first + count});
      gather(count);
    }
    program_.memory->check_guards("an evaluation");
    finish_weighted();
    return std::move(values_);
  }

 private:
  std::vector<OutputValues> faulty(const std::vector<std::int64_t>& batch_rows) const {
    if (program_.on_fault) program_.on_fault(batch_rows);
    return {};
  }

  /// False if an index lies outside of its axis.
  bool run_batch(std::int64_t first) {
    DlgContext context = step_context(program_);
    context.order = order_.data();
    context.rows_total = static_cast<std::int64_t>(order_.size());
    context.position = first;
    const std::int64_t made = program_.step(&context, 1);
    if (context.reason == kDlgIndexOutside) return false;
    DLG_CHECK(made == 1, "a program that only looks tests no loss");
    return true;
  }

  void gather(std::int64_t count) {
    const double weight = weight_of_batch();
    weight_ += weight;
    for (std::size_t s = 0; s < plan_.outputs.size(); ++s) {
      const OutputSlot& slot = plan_.outputs[s];
      switch (slot.kind) {
        case OutputSlot::Kind::kMean:
          // A single batch has weight 1: its value is not rounded again.
          add_mean(slot, static_cast<double>(count) / static_cast<double>(order_.size()), values_[s].means);
          break;
        case OutputSlot::Kind::kWeightedMean:
          add_mean(slot, is_single_batch() ? 1 : weight, values_[s].means);
          break;
        case OutputSlot::Kind::kWeight:
          values_[s].means = {weight_};
          break;
        case OutputSlot::Kind::kPerRow:
          append_rows(slot, count, values_[s].rows);
          break;
      }
    }
  }

  /// The same as its single batch, or a sum that is still to be divided.
  bool is_single_batch() const { return static_cast<std::int64_t>(order_.size()) <= plan_.batch; }

  /// What kWeightedMean counts of the batch that was just run.
  double weight_of_batch() const {
    const auto slot = std::find_if(plan_.outputs.begin(), plan_.outputs.end(),
                                   [](const OutputSlot& s) { return s.kind == OutputSlot::Kind::kWeight; });
    return slot == plan_.outputs.end() ? 0 : load_element(slot->data, slot->type, 0);
  }

  void finish_weighted() {
    if (is_single_batch()) return;
    for (std::size_t s = 0; s < plan_.outputs.size(); ++s) {
      if (plan_.outputs[s].kind != OutputSlot::Kind::kWeightedMean) continue;
      for (double& mean : values_[s].means) mean /= weight_;
    }
  }

  static void add_mean(const OutputSlot& slot, double weight, std::vector<double>& sums) {
    sums.resize(static_cast<std::size_t>(slot.elements), 0.0);
    for (std::int64_t e = 0; e < slot.elements; ++e) {
      sums[static_cast<std::size_t>(e)] += weight * load_element(slot.data, slot.type, e);
    }
  }

  static void append_rows(const OutputSlot& slot, std::int64_t count, std::vector<unsigned char>& rows) {
    const auto* begin = static_cast<const unsigned char*>(slot.data);
    rows.insert(rows.end(), begin, begin + count * slot.elements * dtype_bytes(slot.type));
  }

  const StepProgram& program_;
  const EvaluatePlan& plan_;
  std::vector<std::int64_t> order_;
  std::vector<OutputValues> values_;
  double weight_ = 0;  // of all batches so far
};

}  // namespace

std::vector<OutputValues> evaluate(const StepProgram& program, const EvaluatePlan& plan) {
  DLG_CHECK(plan.batch > 0, "a batch has rows");
  return Evaluation(program, plan).run();
}

}  // namespace dlg
