#include "tests/ops/op_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dlg {
namespace {

constexpr std::int64_t kCapacity = 19;
constexpr std::int64_t kRows = 18;

TensorType with_dtype(TensorType type, DType float_dtype) {
  if (type.dtype == DType::kF64) type.dtype = float_dtype;
  return type;
}

bool is_operand_of(const SampleDomain& domain, std::size_t operand) {
  return domain.integers > 0 && domain.integer_operand == static_cast<int>(operand);
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
  const ValueId leaf = builder.add(op, {}, {.text = path}, type);
  builder.set_name(leaf, path);
  return leaf;
}

OpSample make_sample(const SampleRequest& request) {
  OpSample sample;
  sample.graph.batch = kCapacity;
  sample.environment.rows = kRows;
  Builder builder(sample.graph);
  std::vector<ValueId> floats;
  std::size_t float_count = 0;
  std::mt19937_64 random(request.seed);
  const SampleDomain& domain = request.op.sample;
  for (std::size_t i = 0; i < request.sample.operands.size(); ++i) {
    const TensorType type = with_dtype(request.sample.operands[i], request.float_dtype);
    const ValueId leaf = add_leaf(builder, fmt::format("x{}", i), type);
    sample.operands.push_back(leaf);
    Tensor<double> values{type.shape.at(kRows), {}};
    values.elements.resize(static_cast<std::size_t>(values.shape.elements()));
    const std::uint64_t limit = is_operand_of(domain, i) ? static_cast<std::uint64_t>(domain.integers) : 2;
    for (double& x : values.elements) x = static_cast<double>((random() >> 8u) % limit);
    if (is_float(type.dtype)) {
      floats.push_back(leaf);
      float_count += values.elements.size();
    }
    auto& home = type.shape.has_batch() ? sample.environment.inputs : sample.environment.states;
    home[fmt::format("x{}", i)] = std::move(values);
  }
  const std::vector<double> numbers = float_numbers(domain, float_count, request.regime, random);
  std::size_t next = 0;
  for (const ValueId leaf : floats) {
    const bool is_single = sample.graph.type(leaf).dtype == DType::kF32;
    for (double& x : leaf_values(sample.environment, sample.graph[leaf]).elements) {
      x = is_single ? static_cast<double>(static_cast<float>(numbers[next])) : numbers[next];
      ++next;
    }
  }
  sample.result = builder.add(request.op, sample.operands, request.sample.attributes,
                              with_dtype(request.sample.declared, request.float_dtype));
  builder.set_name(sample.result, "y");
  sample.graph.outputs = {{"y", sample.result}};
  sample.title = fmt::format("{} {} -> {}", request.op.name, regime_name(request.regime),
                             type_text(sample.graph.type(sample.result)));
  return sample;
}

}  // namespace dlg
