#include "passes/schedule/divide.h"

#include "ir/loop/nest.h"
#include "ir/loop/scalar_info.h"

namespace dlg {
namespace {

/// Operations that take about ten times as long as a meeting of the workers.
constexpr double kLeastOperations = 5e5;
/// How many additions an elementary function or a division is worth.
constexpr double kFunctionOperations = 10;

/// Operations of a whole batch. Loops nest at most as deep as axes do.
double operations(const loop::Program& program, const loop::Body& body) {
  double count = 0;
  for (const loop::Statement& statement : body) {
    const bool is_costly =
        statement.instruction && loop::scalar_info(statement.instruction->op).unit != loop::Unit::kPlain;
    if (statement.loop.empty()) count += is_costly ? kFunctionOperations : 1;
    for (const loop::Loop& inner : statement.loop) {
      count += loop::iterations(inner, program.batch) * operations(program, inner.body);
    }
  }
  return count;
}

}  // namespace

bool is_worth_dividing(const loop::Program& program, const loop::Kernel& kernel) {
  const loop::Loop* loop = loop::only_loop(kernel.body);
  return loop != nullptr && loop::is_independent(loop->kind) &&
         operations(program, kernel.body) >= kLeastOperations;
}

double unevenness(std::int64_t units) {
  constexpr std::int64_t kMostWorkers = 4;
  double sum = 0;
  for (std::int64_t workers = 2; workers <= kMostWorkers; ++workers) {
    const std::int64_t longest = (units + workers - 1) / workers;
    sum += static_cast<double>(longest * workers) / static_cast<double>(units);
  }
  return sum / static_cast<double>(kMostWorkers - 1);
}

}  // namespace dlg
