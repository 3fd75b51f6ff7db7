// The derivative of every op, generated from the op table: <w, J v> by dual numbers against <J^T w, v>
// through the symbolic reverse walk, the same for second derivatives, and 5-point differences away from
// kinks.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/ops/derivative_study.h"

namespace dlg {
namespace {

constexpr int kDirections = 8;

bool is_differentiated(const OpDef& op) {
  return op.arity != 0 && &op != &ops::gradient;
}

void check_direction(DerivativeStudy& study, std::mt19937_64& random) {
  const auto [once, twice] = random_slopes(study, random);
  INFO(fmt::format("forward {:.17g}, reverse {:.17g}, scale {:g}", once.forward, once.reverse, once.scale));
  CHECK(agrees(once, 1e-12));
  INFO(fmt::format("second: forward {:.17g}, reverse {:.17g}", twice.forward, twice.reverse));
  CHECK(agrees(twice, 1e-11));
}

double value_at(const DerivativeStudy& study, const std::vector<Tensor<double>>& direction, double step) {
  Environment<double> moved = study.sample.environment;
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    Tensor<double>& values = leaf_values(moved, study.sample.graph[study.leaves[i]]);
    for (std::size_t k = 0; k < values.elements.size(); ++k) {
      values.elements[k] += step * direction[i].elements[k];
    }
  }
  return interpret(study.sample.graph, moved)[study.e].elements[0];
}

void check_differences(DerivativeStudy& study, std::mt19937_64& random) {
  randomize(study, study.weights, random);
  const std::vector<Tensor<double>> direction = random_direction(study, random);
  constexpr double kStep = 2e-4;
  AdjointSides comparison;
  comparison.forward = (8 * (value_at(study, direction, kStep) - value_at(study, direction, -kStep)) -
                        (value_at(study, direction, 2 * kStep) - value_at(study, direction, -2 * kStep))) /
                       (12 * kStep);
  const auto values = interpret(study.sample.graph, study.sample.environment);
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    add_terms(comparison, values[study.first[i]], direction[i]);
  }
  INFO(fmt::format("differences {:.17g}, symbolic {:.17g}", comparison.forward, comparison.reverse));
  CHECK(agrees(comparison, 1e-9));
}

void check_case(const OpDef& op, const SampleCase& sample) {
  for (const Regime regime : kRegimes) {
    DerivativeStudy study = study_of(make_sample({op, sample, regime}));
    std::mt19937_64 random(7);
    INFO(study.sample.title);
    for (int i = 0; i < kDirections; ++i) check_direction(study, random);
  }
}

}  // namespace

TEST_CASE("gradients agree with dual numbers for every op, case, regime and direction") {
  for (const OpDef* op : all_ops()) {
    if (!is_differentiated(*op)) continue;
    const std::vector<SampleCase> cases = sample_cases(*op);
    CHECK(cases.size() >= 3);
    for (const SampleCase& sample : cases) check_case(*op, sample);
  }
}

TEST_CASE("gradients agree with 5-point differences away from kinks") {
  for (const OpDef* op : all_ops()) {
    if (!is_differentiated(*op) || !op->sample.is_smooth) continue;
    for (const SampleCase& sample : sample_cases(*op)) {
      DerivativeStudy study = study_of(make_sample({*op, sample}));
      std::mt19937_64 random(11);
      INFO(study.sample.title);
      for (int i = 0; i < kDirections; ++i) check_differences(study, random);
    }
  }
}

}  // namespace dlg
