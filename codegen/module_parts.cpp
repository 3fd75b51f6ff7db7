#include "codegen/module_parts.h"

#include <algorithm>
#include <set>

#include "codegen/equal_kernels.h"
#include "ir/loop/nest.h"
#include "ir/loop/scalar_info.h"

namespace dlg {
namespace {

/// The instructions of a module that is worth being one, as `emitted` counts them.
constexpr double kModuleInstructions = 2000;
/// What an elementary function is made of.
constexpr double kFunctionInstructions = 30;
/// A vector of the counts below: a wider panel is several.
constexpr double kVectorLanes = 16;

double vectors_of(const std::vector<loop::Panel>& panels) {
  double vectors = panels.empty() ? 1 : 0;
  for (const loop::Panel& panel : panels) vectors += std::max(1.0, panel.width / kVectorLanes);
  return vectors;
}

/// How often the body of a loop is written out.
double copies_of(const loop::Loop& loop) {
  if (!loop.schedule) return 1;
  const loop::LoopSchedule& schedule = *loop.schedule;
  const std::set<unsigned> rests(schedule.rest.begin(), schedule.rest.end());
  double rows = schedule.tile + (loop.extent == kBatch ? 1 : 0);
  for (const unsigned rest : rests) rows += rest;
  return rows * vectors_of(schedule.panels);
}

/// Instructions, roughly. Loops nest at most as deep as axes do.
double emitted(const loop::Body& body) {
  double count = 0;
  for (const loop::Statement& statement : body) {
    const bool is_function =
        statement.instruction && loop::scalar_info(statement.instruction->op).unit == loop::Unit::kFunction;
    count += is_function ? kFunctionInstructions : 1;
    for (const loop::Loop& inner : statement.loop)
      count += copies_of(inner) * (emitted(inner.body) + emitted(inner.combine));
  }
  return count;
}

}  // namespace

ModuleParts module_parts(const loop::Program& program) {
  ModuleParts parts{.first_equal = first_equal_kernels(program), .kernels = {{}}};
  const bool has_loops = program.schedule->form == loop::StepForm::kLoops;
  std::vector<std::size_t> open;
  double count = 0;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    if (parts.first_equal[i] != i) continue;
    open.push_back(i);
    count += emitted(program.kernels[i].body);
    if (!has_loops || count < kModuleInstructions) continue;
    parts.kernels.push_back(std::move(open));
    open.clear();
    count = 0;
  }
  parts.kernels.front() = std::move(open);
  return parts;
}

}  // namespace dlg
