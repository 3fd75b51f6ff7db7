// Owns the comparison of symbolic derivatives, first and second, with dual numbers: <w, J v> against
// <J^T w, v>.
#pragma once

#include <random>
#include <vector>

#include "tests/ops/op_samples.h"

namespace dlg {

/// e = sum(w * y), its gradients by the float operands, and the gradients of e2 = sum of u * de/dx.
struct DerivativeStudy {
  OpSample sample;
  std::vector<ValueId> leaves;   // float operands
  std::vector<ValueId> weights;  // w, then one u for each leaf
  ValueId e;
  ValueId e2;
  std::vector<ValueId> first;
  std::vector<ValueId> second;
};

/// Of the result of a sample. The weights are 0 until somebody looks at a direction.
DerivativeStudy study_of(OpSample sample);

/// Both sides of <w, J v> = <J^T w, v>, and the size of the terms that were added.
struct AdjointSides {
  double forward = 0;
  double reverse = 0;
  double scale = 0;
};
void add_terms(AdjointSides& comparison, const Tensor<double>& gradient, const Tensor<double>& direction);
/// To `tolerance` of the size of the terms.
bool agrees(const AdjointSides& comparison, double tolerance);

/// A random number in every element of these leaves.
void randomize(DerivativeStudy& study, const std::vector<ValueId>& leaves, std::mt19937_64& random);
/// One number for each element of each leaf.
std::vector<Tensor<double>> random_direction(DerivativeStudy& study, std::mt19937_64& random);

/// The slopes of e and of e2 along one direction.
struct Slopes {
  AdjointSides once;
  AdjointSides twice;
};
/// With random weights, by dual numbers and by the gradients.
Slopes random_slopes(DerivativeStudy& study, std::mt19937_64& random);

}  // namespace dlg
