// Owns what an op sees when it is lowered: the element of its result to compute, its operands' elements,
// scalar arithmetic and reduction loops. `passes/lower_to_loops` implements it; ops use it.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ir/loop/loop_ir.h"
#include "ir/loop/sum_order.h"

namespace dlg::loop {

class ElementScope;

/// A register with its scope, so that element rules read like formulas.
struct Scalar {
  ElementScope* scope = nullptr;
  RegId reg;
  DType dtype = DType::kF32;
};

Scalar operator+(Scalar a, Scalar b);
Scalar operator-(Scalar a, Scalar b);
Scalar operator*(Scalar a, Scalar b);
Scalar operator/(Scalar a, Scalar b);
Scalar operator-(Scalar a);

/// An index without variables.
Index fixed_index(std::int64_t offset);
Index index_of(VarId var);
/// `index` moved by a constant.
Index shifted(Index index, std::int64_t offset);
/// Adds `index`, taken `factor` times, to `sum`. At most one of both is computed at run time.
void add_scaled(Index& sum, const Index& index, std::int64_t factor);

/// `fixed` + the sum of `factors` * indices of a reduction: only points count where it is 0 or more, and
/// below `below`.
struct SumCondition {
  Index fixed;
  std::vector<std::int64_t> factors;  // of the axes, then of those beside them
  bool is_from_zero = true;
  std::optional<std::int64_t> below = {};
};

/// An axis of a reduction that its order does not count: conditions leave one index of it or none. It runs
/// right inside of axis `behind`, or outside of all that a block runs over.
struct AxisBeside {
  std::int64_t extent = 1;
  std::optional<std::size_t> behind = {};
};

class ElementScope {
 public:
  using Scalars = std::vector<Scalar>;
  /// The body of a reduction: gets the indices of the reduced axes and the carried values, answers the next
  /// ones.
  using Step = std::function<Scalars(std::span<const Index> at, std::span<const Scalar> carried)>;
  using Combine = std::function<Scalars(std::span<const Scalar> left, std::span<const Scalar> right)>;

  struct Reduction {
    std::span<const std::int64_t> extents;  // kBatch: valid rows
    SumForm form = SumForm::kLanes;
    Scalars initial;  // of each chain
    Scalars none;     // what joins with any value and leaves it as it is
    const Step& step;
    const Combine& combine;
    std::span<const AxisBeside> beside = {};  // their indices stand behind those of the axes
    std::span<const SumCondition> conditions = {};
  };

  virtual ~ElementScope() = default;

  virtual const Node& node() const = 0;
  virtual const TensorType& operand_type(std::size_t operand) const = 0;
  /// Where in the result: one index per axis.
  virtual std::span<const Index> index() const = 0;
  /// The element of an operand at the same index (Map on operands of the result's shape), or anywhere.
  Scalar arg(std::size_t operand) { return arg(operand, std::vector<Index>(index().begin(), index().end())); }
  virtual Scalar arg(std::size_t operand, std::vector<Index> at) = 0;

  /// One scalar instruction. `dtype` is the result's.
  virtual Scalar emit(Op op, std::vector<Scalar> args, DType dtype) = 0;
  Scalar emit(Op op, std::vector<Scalar> args) { return emit(op, args, args.back().dtype); }
  virtual Scalar constant(double value, DType dtype) = 0;
  /// The value of an index expression, as i64.
  virtual Scalar index_value(const Index& index) = 0;
  /// The number of valid rows, as i64.
  virtual Scalar rows() = 0;

  /// Loops over the axes of a reduction in the order that `sum_order` says; answers the joined values.
  virtual Scalars reduce(const Reduction& reduction) = 0;
  /// A loop over `extent` (kBatch: valid rows) in ascending order, in one go.
  virtual Scalars chain(std::int64_t extent, const Scalars& initial, const Step& step) = 0;
};

}  // namespace dlg::loop
