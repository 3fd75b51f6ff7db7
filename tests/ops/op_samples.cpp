#include "tests/ops/op_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dlg {
namespace {

TensorType with_dtype(TensorType type, DType float_dtype) {
  if (type.dtype == DType::kF64) type.dtype = float_dtype;
  return type;
}

/// Distinct numbers of the domain in random order, away from 0: a permuted grid.
std::vector<double> spread_numbers(const SampleDomain& domain, std::size_t count, std::mt19937_64& random) {
  const double spacing = (domain.high - domain.low) / static_cast<double>(count);
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = domain.low + spacing * (static_cast<double>(i) + 0.5 + 0.2 * signed_unit(random));
    numbers.push_back(std::abs(x) < spacing / 4 ? spacing / 4 : x);
  }
  for (std::size_t i = count; i-- > 1;) std::swap(numbers[i], numbers[random() % (i + 1)]);
  return numbers;
}

double special_number(const SampleDomain& domain, std::mt19937_64& random) {
  const std::array<double, 6> numbers{0.0, -0.0, 1.0, -1.0, domain.low, domain.high};
  const double x = numbers[random() % numbers.size()];
  return x < domain.low ? domain.low : x;
}

double scaled_number(const SampleDomain& domain, double x, Regime regime) {
  const double factor = regime == Regime::kTiny ? 1e-8 : regime == Regime::kLarge ? 30 : 1;
  const bool is_symmetric = domain.low == -domain.high;
  return factor * (is_symmetric || factor == 1 ? x : std::abs(x));
}

std::vector<double> float_numbers(const SampleDomain& domain, std::size_t count, Regime regime,
                                  std::mt19937_64& random) {
  std::vector<double> numbers = spread_numbers(domain, count, random);
  for (double& x : numbers) {
    if (regime == Regime::kSpecial) {
      x = special_number(domain, random);
      continue;
    }
    if (domain.margin == 0) x = domain.low + (domain.high - domain.low) * (signed_unit(random) + 1) / 2;
    x = scaled_number(domain, x, regime);
  }
  return numbers;
}

/// Adds the leaf of one operand, with zeros.
void add_operand(OpSample& sample, Builder& builder, const SampleRequest& request, std::size_t operand) {
  const TensorType type = with_dtype(request.sample.operands[operand], request.float_dtype);
  const std::string path = fmt::format("x{}", operand);
  sample.operands.push_back(add_leaf(builder, path, type));
  Tensor<double> values{type.shape.at(request.rows), {}};
  values.elements.resize(static_cast<std::size_t>(values.shape.elements()));
  auto& home = type.shape.has_batch() ? sample.environment.inputs : sample.environment.states;
  home[path] = std::move(values);
}

/// The numbers that an integer operand is drawn from, 0 .. limit - 1: all of an index; nullopt: any.
std::optional<std::int64_t> integer_limit(const OpSample& sample, const OpDef& op, std::size_t operand) {
  if (op.index && op.index->operand == operand)
    return op.index->extent(sample.graph, sample.graph[sample.result]);
  const bool is_limited = op.sample.integers > 0 && op.sample.integer_operand == static_cast<int>(operand);
  return is_limited ? std::optional<std::int64_t>(op.sample.integers) : std::nullopt;
}

/// The elements of all operands as if they were integers or bools.
void fill_integers(OpSample& sample, const OpDef& op, std::mt19937_64& random) {
  for (std::size_t operand = 0; operand < sample.operands.size(); ++operand) {
    const Node& leaf = sample.graph[sample.operands[operand]];
    const std::optional<std::int64_t> limit = integer_limit(sample, op, operand);
    const bool is_free = !limit && is_integer(leaf.type.dtype);
    const auto count = static_cast<std::uint64_t>(is_free ? 2001 : limit.value_or(2));
    for (double& x : leaf_values(sample.environment, leaf).elements) {
      x = static_cast<double>((random() >> 8u) % count) - (is_free ? 1000 : 0);
    }
  }
}

/// The elements of all float operands together: distinct where the domain asks for a margin.
void fill_floats(OpSample& sample, const SampleRequest& request, std::mt19937_64& random) {
  std::vector<double*> elements;
  std::vector<DType> dtypes;
  for (const ValueId leaf : sample.operands) {
    const DType dtype = sample.graph.type(leaf).dtype;
    if (!is_float(dtype)) continue;
    for (double& x : leaf_values(sample.environment, sample.graph[leaf]).elements) {
      elements.push_back(&x);
      dtypes.push_back(dtype);
    }
  }
  const std::vector<double> numbers =
      float_numbers(request.op.sample, elements.size(), request.regime, random);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const bool is_single = dtypes[i] == DType::kF32;
    *elements[i] = is_single ? static_cast<double>(static_cast<float>(numbers[i])) : numbers[i];
  }
}

/// What a leaf op reads from outside becomes part of the graph and of the environment.
void declare_leaf(OpSample& sample, const SampleRequest& request) {
  const Node leaf{&request.op, {}, {}, request.sample.attributes};
  if (leaf_path(leaf) == nullptr) return;
  const std::string& path = *leaf_path(leaf);
  const TensorType type = with_dtype(request.sample.declared, request.float_dtype);
  const Shape shape = type.shape.at(request.rows);
  std::vector<double> elements;
  for (std::int64_t i = 0; i < shape.elements(); ++i) elements.push_back(0.25 * static_cast<double>(i) - 1);
  if (&request.op == &ops::state) {
    sample.graph.states.add({path, type, StateKind::kParameter, {}, {}});
    sample.environment.states[path] = {shape, std::move(elements)};
  } else if (&request.op == &ops::input) {
    sample.graph.inputs.push_back({path, type, {}, {}});
    sample.environment.inputs[path] = {shape, std::move(elements)};
  } else if (&request.op == &ops::hyper) {
    sample.graph.hypers.push_back({path, 0.125, {}});
    sample.environment.hypers[path] = 0.125;
  }
}

}  // namespace

std::string_view regime_name(Regime regime) {
  constexpr std::array<std::string_view, 4> kNames{"ordinary", "tiny", "large", "special"};
  return kNames[static_cast<std::size_t>(regime)];
}

double signed_unit(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11u) * 0x1p-52 - 1;
}

std::vector<SampleCase> sample_cases(const OpDef& op) {
  if (op.cases != nullptr) return op.cases();
  std::vector<SampleCase> cases;
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}, Shape{kBatch, 4}}) {
    const std::vector<TensorType> operands(static_cast<std::size_t>(op.arity),
                                           TensorType{DType::kF64, shape});
    cases.push_back({operands, {}, {}});
  }
  return cases;
}

ValueId add_leaf(Builder& builder, const std::string& path, const TensorType& type) {
  Graph& graph = builder.graph();
  const bool has_batch = type.shape.has_batch();
  if (has_batch) graph.inputs.push_back({path, type, {}, {}});
  if (!has_batch) graph.states.add({path, type, StateKind::kParameter, {}, {}});
  const OpDef& op = has_batch ? ops::input : ops::state;
  const ValueId leaf = builder.add(op, {}, LeafPath{path}, type);
  builder.set_name(leaf, path);
  return leaf;
}

OpSample make_sample(const SampleRequest& request) {
  OpSample sample;
  sample.graph.batch = request.batch;
  sample.environment.rows = request.rows;
  Builder builder(sample.graph);
  for (std::size_t i = 0; i < request.sample.operands.size(); ++i) add_operand(sample, builder, request, i);
  declare_leaf(sample, request);
  sample.result = builder.add(request.op, sample.operands, request.sample.attributes,
                              with_dtype(request.sample.declared, request.float_dtype));
  builder.set_name(sample.result, "y");
  sample.graph.outputs = {{"y", sample.result}};
  std::mt19937_64 random(request.seed);
  fill_integers(sample, request.op, random);
  fill_floats(sample, request, random);
  sample.title = fmt::format("{} {} -> {}", request.op.name, regime_name(request.regime),
                             type_text(sample.graph.type(sample.result)));
  return sample;
}

}  // namespace dlg
