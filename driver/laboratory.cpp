#include "driver/laboratory.h"

#include <cmath>

#include "driver/programs.h"
#include "driver/reference.h"
#include "passes/differentiate.h"
#include "passes/update.h"

namespace dlg {
namespace {

Graph observed_graph(const Program& program, const LoadedData& data, const Inspection& inspection) {
  Graph graph = inspection.graph;
  graph.batch = batch_capacity(program, data);
  return graph;
}

std::uint64_t seed_of(const Program& program) {
  return program.training ? program.training->seed : 1;
}

/// The rows of each batch of step `step` (from 0), as the training loop would choose them.
std::vector<std::int64_t> batch_of_step(const TrainPlan& plan, std::int64_t step) {
  if (plan.rows.empty()) return {};
  const auto rows = static_cast<std::int64_t>(plan.rows.size());
  const std::int64_t per_epoch = steps_of_epoch(plan);
  const bool is_shuffled = plan.order == RowOrder::kShuffledEachEpoch && plan.batch < rows;
  const auto epoch = static_cast<std::uint64_t>(step / per_epoch + 1);
  const std::vector<std::int64_t> order = is_shuffled ? shuffled(plan.rows, plan.seed, epoch) : plan.rows;
  const std::int64_t begin = step % per_epoch * plan.batch;
  const std::int64_t end = std::min(rows, begin + plan.batch);
  return {order.begin() + begin, order.begin() + end};
}

}  // namespace

std::optional<Laboratory> compiled_laboratory(Session& session, const Program& program,
                                              const LoadedData& data, const Inspection& inspection) {
  std::shared_ptr<Machine> observer = make_observer(session, observed_graph(program, data, inspection), data);
  if (!observer) return std::nullopt;
  Laboratory laboratory;
  laboratory.initial = initial_states(program.graph, seed_of(program));
  const std::vector<std::int64_t> rows = first_batch(program, data);
  laboratory.rows = std::max<std::int64_t>(1, static_cast<std::int64_t>(rows.size()));
  laboratory.observe = [observer, rows, count = laboratory.rows](const StateValues& states) {
    observer->set_states(states);
    observer->run_rows(rows);
    Observations observations;
    for (const Output& output : observer->graph().outputs) {
      observations[output.name] = observer->output(output.name, count);
    }
    return observations;
  };
  if (!program.training) return laboratory;
  std::shared_ptr<Machine> trainer = make_trainer(session, program, data);
  if (!trainer) return std::nullopt;
  const StateValues start = initial_states(trainer->graph(), seed_of(program));
  const TrainPlan plan = train_plan(program, data);
  laboratory.train = [trainer, start, plan](std::int64_t steps) -> std::optional<StateValues> {
    trainer->set_states(start);
    const TrainResult result = train_steps(trainer->step_program(), plan, steps);
    if (result.end == TrainEnd::kDiverged) return std::nullopt;
    StateValues states = start;
    for (auto& [path, values] : trainer->states()) states[path] = values;
    return states;
  };
  return laboratory;
}

Laboratory reference_laboratory(const Program& program, const LoadedData& data,
                                const Inspection& inspection) {
  const auto observer =
      std::make_shared<Reference>(differentiate(observed_graph(program, data, inspection)), data.values);
  Laboratory laboratory;
  laboratory.initial = initial_states(program.graph, seed_of(program));
  const std::vector<std::int64_t> rows = first_batch(program, data);
  laboratory.rows = std::max<std::int64_t>(1, static_cast<std::int64_t>(rows.size()));
  laboratory.observe = [observer, rows](const StateValues& states) {
    observer->set_states(states);
    observer->run_rows(rows);
    Observations observations;
    for (const Output& output : observer->graph().outputs) {
      observations[output.name] = observer->output(output.name);
    }
    return observations;
  };
  if (!program.training) return laboratory;
  const Graph step = apply_update(differentiate(training_graph(program, batch_capacity(program, data))),
                                  program.training->rule);
  const auto trainer = std::make_shared<Reference>(step, data.values);
  const StateValues start = initial_states(step, seed_of(program));
  const TrainPlan plan = train_plan(program, data);
  laboratory.train = [trainer, start, plan](std::int64_t steps) -> std::optional<StateValues> {
    trainer->set_states(start);
    for (std::int64_t i = 0; i < steps; ++i) {
      trainer->run_rows(batch_of_step(plan, i));
      if (!std::isfinite(trainer->output("loss").front())) return std::nullopt;
    }
    return trainer->states();
  };
  return laboratory;
}

std::optional<Laboratory> chosen_laboratory(Session& session, const Program& program, const LoadedData& data,
                                            const Inspection& inspection) {
  if (session.options.engine == Engine::kJit) {
    return compiled_laboratory(session, program, data, inspection);
  }
  return reference_laboratory(program, data, inspection);
}

}  // namespace dlg
