#include "driver/engine/laboratory.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "driver/engine/affordable_rows.h"
#include "driver/engine/programs.h"
#include "driver/engine/reference.h"
#include "passes/derive/batch_weight.h"
#include "passes/derive/differentiate.h"
#include "passes/derive/update.h"

namespace dlg {
namespace {

std::int64_t micro_batches(const TrainingSetup& setup) {
  return setup.program.training ? setup.program.training->accumulate : 1;
}

Graph observed_graph(const TrainingSetup& setup, const Inspection& inspection) {
  Graph graph = inspection.graph;
  graph.batch = setup.batch;
  const std::optional<ValueId> weight = graph.find_output(kWeightOutput);
  if (weight && micro_batches(setup) == 1) {
    Builder builder(graph);
    add_weight_fault(builder, *weight);
  }
  return without_loss_test(std::move(graph));
}

/// The outputs of the observed graph by their names in the program.
Observations observations_of(Observations outputs) {
  Observations named;
  for (auto& output : outputs) named.emplace(name_in_program(output.first), std::move(output.second));
  return named;
}

class CompiledLaboratory : public Laboratory {
 public:
  CompiledLaboratory(const TrainingSetup& setup, std::unique_ptr<Machine> observer,
                     std::unique_ptr<Machine> trainer, std::unique_ptr<Evaluator> evaluator)
      : setup_(setup),
        observer_(std::move(observer)),
        trainer_(std::move(trainer)),
        evaluator_(std::move(evaluator)) {
    batch_ = batch_of_step(setup.plan, 0);
    initial_ = initial_states(trainer_ ? trainer_->graph() : setup.program.graph, setup.plan.seed);
  }

  using Laboratory::observe;
  Observations observe(const StateValues& states, const std::vector<std::int64_t>& rows) override {
    observer_->set_states(states);
    observer_->run_rows(rows);
    return observations_of(observer_->outputs(std::max<std::int64_t>(1, std::ssize(rows))));
  }

  std::optional<StateValues> train_from(const StateValues& start, std::int64_t steps) override {
    trainer_->set_states(start);
    TrainObserver observer;
    if (evaluator_) observer.measure = [&](const TrainProgress&) { measure(start); };
    const TrainResult result =
        train_steps(trainer_->step_program(), setup_.plan, steps * micro_batches(setup_), observer);
    if (is_fault(result.end)) trainer_->step_program().on_fault(result.batch_rows);
    if (has_failed(result.end)) return std::nullopt;
    StateValues states = start;
    for (auto& [path, values] : trainer_->states()) states[path] = values;
    return states;
  }

 private:
  /// Gives the rule what it looks at; `start` has the states that no training changes.
  void measure(const StateValues& start) {
    evaluator_->set_states(start);
    evaluator_->set_states(trainer_->states());
    const std::vector<PartResult> results = evaluate_parts(*evaluator_, parts_of(setup_.data));
    trainer_->set_states(measured_states(
        setup_.rule, [&](const WatchedValue& watched) { return part_value(results, watched); }));
  }

  const TrainingSetup& setup_;
  std::unique_ptr<Machine> observer_;
  std::unique_ptr<Machine> trainer_;
  std::unique_ptr<Evaluator> evaluator_;  // null: the rule looks at nothing that is measured
};

class ReferenceLaboratory : public Laboratory {
 public:
  ReferenceLaboratory(Session& session, const TrainingSetup& setup, const Inspection& inspection,
                      LaboratoryUse use)
      : setup_(setup), observer_(differentiate(observed_graph(setup, inspection)), setup.data.all_values()) {
    batch_ = batch_of_step(setup.plan, 0);
    initial_ = initial_states(setup.program.graph, setup.plan.seed);
    const auto tell = [&session](const StepFault& fault) { report_fault(session, fault); };
    observer_.set_on_fault(tell);
    if (!setup.program.training || use == LaboratoryUse::kObserve) return;
    const Graph forward = training_graph(setup.program, setup.batch);
    trainer_.emplace(apply_update(differentiate(forward), setup.rule), setup.data.all_values());
    trainer_->set_on_fault(tell);
    initial_ = initial_states(trainer_->graph(), setup.plan.seed);
    if (setup.rule.measured.empty()) return;
    evaluator_.emplace(differentiate(evaluation_graph(setup)), setup.data.all_values());
    evaluator_->set_on_fault(tell);
  }

  /// From here on only as many of the first rows as the interpreter can afford are looked at, at most `most`.
  void limit_rows(std::int64_t most) {
    batch_ = affordable_rows(setup_, observer_.graph());
    batch_.resize(static_cast<std::size_t>(std::min(most, std::ssize(batch_))));
  }

  /// The memory of all graphs, before any of them runs.
  bool check_memory(Diagnostics& diagnostics) const {
    std::int64_t most = rows();
    for (const Part& part : parts_of(setup_.data)) {
      most = std::max(most, static_cast<std::int64_t>(part.rows->size()));
    }
    return observer_.check_memory(rows(), diagnostics) &&
           (!trainer_ || trainer_->check_memory(rows(), diagnostics)) &&
           (!evaluator_ || evaluator_->check_memory(most, diagnostics));
  }

  using Laboratory::observe;
  Observations observe(const StateValues& states, const std::vector<std::int64_t>& rows) override {
    observer_.set_states(states);
    observer_.run_rows(rows);
    return observations_of(observer_.outputs());
  }

  std::optional<Observations> rounding_bounds() const override {
    std::optional<Observations> bounds = observer_.rounding_bounds();
    if (bounds) bounds = observations_of(*std::move(bounds));
    return bounds;
  }

  std::optional<StateValues> train_from(const StateValues& start, std::int64_t steps) override {
    trainer_->set_states(start);
    for (std::int64_t i = 0; i < steps * micro_batches(setup_); ++i) {
      trainer_->run_rows(batch_of_step(setup_.plan, i));
      const bool is_made = !trainer_->has_fault() && std::isfinite(trainer_->output("loss").front());
      if (!is_made || !has_finite_states()) return std::nullopt;
      if (evaluator_ && (i + 1) % steps_of_epoch(setup_.plan) == 0) measure(start);
    }
    return trainer_->states();
  }

 private:
  bool has_finite_states() const {
    const StateValues states = trainer_->states();
    return std::all_of(states.begin(), states.end(), [](const auto& state) {
      return std::all_of(state.second.begin(), state.second.end(), [](double x) { return std::isfinite(x); });
    });
  }

  void measure(const StateValues& start) {
    evaluator_->set_states(start);
    evaluator_->set_states(trainer_->states());
    trainer_->set_states(measured_states(setup_.rule, [&](const WatchedValue& watched) {
      for (const Part& part : parts_of(setup_.data)) {
        if (part.name != watched.part) continue;
        evaluator_->run_rows(*part.rows);
        return measured_value(watched.name, std::ssize(*part.rows));
      }
      return std::nan("");
    }));
  }

  /// Of the rows that the evaluator has run over.
  double measured_value(const std::string& name, std::int64_t rows) const {
    const Graph& graph = evaluator_->graph();
    if (name == "loss") return evaluator_->output(name).front();
    if (graph.find_output("metric." + name)) return evaluator_->output("metric." + name).front();
    Reference whole(*setup_.program.whole, evaluator_->outputs());
    std::vector<std::int64_t> order(static_cast<std::size_t>(std::max<std::int64_t>(rows, 1)));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    whole.run_rows(order);
    return whole.output(name).front();
  }

  const TrainingSetup& setup_;
  Reference observer_;
  std::optional<Reference> trainer_;
  std::optional<Reference> evaluator_;  // only where the rule looks at what is measured
};

}  // namespace

std::unique_ptr<Laboratory> compiled_laboratory(Session& session, const TrainingSetup& setup,
                                                const Inspection& inspection, LaboratoryUse use) {
  std::unique_ptr<Machine> observer = make_observer(session, observed_graph(setup, inspection), setup.data);
  if (!observer) return nullptr;
  const bool is_trained = setup.program.training && use == LaboratoryUse::kTrain;
  std::unique_ptr<Machine> trainer = is_trained ? make_trainer(session, setup, setup.rule) : nullptr;
  const bool is_measured = is_trained && !setup.rule.measured.empty();
  std::unique_ptr<Evaluator> evaluator = is_measured ? make_evaluator(session, setup) : nullptr;
  const bool is_whole = (!is_trained || trainer) && (!is_measured || evaluator);
  if (!is_whole) return nullptr;
  return std::make_unique<CompiledLaboratory>(setup, std::move(observer), std::move(trainer),
                                              std::move(evaluator));
}

std::unique_ptr<Laboratory> reference_laboratory(Session& session, const TrainingSetup& setup,
                                                 const Inspection& inspection, LaboratoryUse use) {
  auto laboratory = std::make_unique<ReferenceLaboratory>(session, setup, inspection, use);
  if (!laboratory->check_memory(session.diagnostics)) return nullptr;
  return laboratory;
}

std::unique_ptr<Laboratory> comparing_laboratory(Session& session, const TrainingSetup& setup,
                                                 const Inspection& inspection, std::int64_t most) {
  auto laboratory =
      std::make_unique<ReferenceLaboratory>(session, setup, inspection, LaboratoryUse::kObserve);
  laboratory->limit_rows(most);
  if (!laboratory->check_memory(session.diagnostics)) return nullptr;
  return laboratory;
}

std::unique_ptr<Laboratory> chosen_laboratory(Session& session, const TrainingSetup& setup,
                                              const Inspection& inspection, LaboratoryChoice choice) {
  if (choice.engine == Engine::kJit) return compiled_laboratory(session, setup, inspection, choice.use);
  return reference_laboratory(session, setup, inspection, choice.use);
}

}  // namespace dlg
