#include "tests/random_graphs/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/graph/rewriter.h"
#include "ir/ops/expr.h"
#include "ir/ops/ranges.h"
#include "ir/ops/registry.h"
#include "passes/derive/differentiate.h"
#include "tests/axes.h"
#include "tests/random_graphs/random.h"

namespace dlg::test {
namespace {

constexpr std::size_t kFewestNodes = 5;
constexpr std::size_t kMostNodes = 60;
/// Nodes that the operands of one op and the loss may add.
constexpr std::size_t kReserve = 24;
/// A longer literal than this is no text that anybody writes.
constexpr std::int64_t kLongestLiteral = 1000;
/// Values of more elements are left out where an extent is long.
constexpr std::int64_t kMostElements = std::int64_t{1} << 18;
/// The widest domain that counts as "anything": sums and products rarely leave it.
constexpr double kWide = 8;

double narrow(double value) {
  return static_cast<double>(static_cast<float>(value));
}

std::vector<SampleCase> generic_cases(const OpDef& op) {
  std::vector<SampleCase> cases;
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}, Shape{kBatch, 4}}) {
    cases.push_back({std::vector<TensorType>(static_cast<std::size_t>(op.arity), {DType::kF64, shape})});
  }
  return cases;
}

/// What one operand of an op may be.
struct Demand {
  TensorType type;
  double low = -kWide;
  double high = kWide;
};

class Generator {
 public:
  Generator(std::uint64_t seed, const Lengthening& lengthening)
      : random_(seed), builder_(result_.graph), lengthening_(lengthening) {
    result_.seed = seed;
    float_ = random_.chance(0.5) ? DType::kF64 : DType::kF32;
    is_batched_ = random_.chance(0.7);
    Graph& graph = result_.graph;
    graph.batch = is_batched_ ? static_cast<std::int64_t>(1 + random_.below(6)) : 1;
    const bool is_ragged = random_.chance(0.4);
    const auto most = static_cast<std::size_t>(graph.batch);
    result_.environment.rows = is_ragged ? static_cast<std::int64_t>(1 + random_.below(most)) : graph.batch;
  }

  RandomGraph generate() {
    const std::size_t target = kFewestNodes + random_.below(kMostNodes - kReserve - kFewestNodes);
    leaf({float_, lengthened(random_.chance(0.5) ? Shape{3, 5} : Shape{7}, lengthening_)});
    while (size() < target) add_op();
    finish();
    write_states();
    settle_indices();
    return std::move(result_);
  }

 private:
  std::size_t size() const { return result_.graph.nodes.size(); }
  const TensorType& type(ValueId value) const { return result_.graph.type(value); }
  Expr expr(ValueId value) { return {&builder_, value}; }

  // Values: each node is computed as soon as it is there.
  void compute_new();
  Tensor<double> compute(ValueId value);
  bool lies_in(ValueId value, double low, double high);

  // Leaves.
  ValueId bytes(const TensorType& type);
  ValueId leaf(const TensorType& type, std::size_t integers = 4);
  StateKind kind_of_state(const TensorType& type);
  ValueId neutral(const TensorType& type);
  ValueId read(const OpDef& op, const std::string& path, const TensorType& type);
  double number();
  Tensor<double> numbers(const TensorType& type, std::size_t integers);

  // Operands.
  std::vector<ValueId> candidates(const Demand& demand);
  ValueId operand(const Demand& demand);
  ValueId condition(const TensorType& type);
  ValueId adapted(const TensorType& type);
  ValueId fitted(ValueId value, const Demand& demand);
  ValueId integer(const TensorType& type, const SampleDomain& sample);

  // Ops.
  const OpDef& draw_op();
  void add_op();
  void add_leaf_op(const OpDef& op, const SampleCase& sample);
  void add_twin(const OpDef& op, const SampleCase& sample, const std::vector<ValueId>& operands);
  void add_gated(const OpDef& op, const SampleCase& sample);
  void add_gradient();
  std::optional<SampleCase> lengthened_case(const OpDef& op, SampleCase sample) const;
  std::vector<SampleCase> fitting_cases(const OpDef& op);
  std::optional<SampleCase> draw_case(const OpDef& op);
  void finish();
  void write_states();
  void settle_indices();

  RandomGraph result_;
  Random random_;
  Builder builder_;
  IdVector<ValueId, Tensor<double>> values_;
  Lengthening lengthening_;
  DType float_ = DType::kF64;
  bool is_batched_ = true;
  int paths_ = 0;
  int gradients_ = 0;
};

/// The node alone, on states that hold its operands' numbers.
Tensor<double> Generator::compute(ValueId value) {
  const Node& node = result_.graph[value];
  const Environment<double>& environment = result_.environment;
  if (node.op == &ops::state) return environment.states.at(*leaf_path(node));
  if (node.op == &ops::input) return environment.inputs.at(*leaf_path(node));
  if (node.op == &ops::hyper) return {{}, {environment.hypers.at(*leaf_path(node))}};
  if (node.op == &ops::gradient) {
    Graph graph = result_.graph;
    graph.outputs = {{"it", value}};
    const Graph resolved = resolve_gradients(graph);
    return interpret(resolved, environment)[*resolved.find_output("it")];
  }
  Graph alone;
  Builder builder(alone);
  Environment<double> given;
  given.rows = environment.rows;
  std::vector<ValueId> operands;
  for (const ValueId operand : node.operands) {
    const std::string path = fmt::format("{}", operands.size());
    const TensorType read_type{type(operand).dtype, values_[operand].shape};
    alone.states.add({path, read_type, StateKind::kConstant, {}, {}});
    given.states[path] = values_[operand];
    operands.push_back(builder.add(ops::state, {}, LeafPath{path}, read_type));
  }
  const TensorType declared{node.type.dtype, node.type.shape.at(environment.rows)};
  const ValueId result = builder.add(*node.op, operands, node.attributes, declared);
  alone.outputs = {{"it", result}};
  return interpret(alone, given)[result];
}

void Generator::compute_new() {
  while (values_.size() < size()) {
    values_.add(compute(ValueId{static_cast<std::uint32_t>(values_.size())}));
  }
}

bool Generator::lies_in(ValueId value, double low, double high) {
  compute_new();
  const std::vector<double>& elements = values_[value].elements;
  return std::all_of(elements.begin(), elements.end(), [&](double x) { return x >= low && x <= high; });
}

/// Numbers at which laws and branches turn.
const std::vector<double>& turning_numbers() {
  static const std::vector<double> numbers{0.0, -0.0, 1, -1};
  return numbers;
}

double Generator::number() {
  return random_.chance(0.05) ? random_.pick(turning_numbers()) : narrow(random_.uniform(-2, 2));
}

ValueId Generator::neutral(const TensorType& type) {
  return constant(builder_, random_.pick(turning_numbers()), type).value;
}

Tensor<double> Generator::numbers(const TensorType& type, std::size_t integers) {
  Tensor<double> tensor{type.shape.at(result_.environment.rows), {}};
  for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
    tensor.elements.push_back(is_float(type.dtype) ? number() : static_cast<double>(random_.below(integers)));
  }
  return tensor;
}

ValueId Generator::read(const OpDef& op, const std::string& path, const TensorType& type) {
  const Attributes said = &op == &ops::hyper ? Attributes(HyperName{path}) : Attributes(LeafPath{path});
  const ValueId value = builder_.add(op, {}, said, type);
  builder_.set_name(value, path);
  return value;
}

/// Most numbers are trained; some belong to a model that writes them.
StateKind Generator::kind_of_state(const TensorType& type) {
  if (type.dtype != float_ || !random_.chance(0.85)) return StateKind::kConstant;
  return random_.chance(0.06) ? StateKind::kModel : StateKind::kParameter;
}

/// Numbers in 0 .. 1 that lie in the data as bytes.
ValueId Generator::bytes(const TensorType& type) {
  constexpr double kMost = 255;
  const Expr read = expr(leaf({DType::kU8, type.shape}, static_cast<std::size_t>(kMost) + 1));
  return (cast(read, type.dtype) * (1 / kMost)).value;
}

/// An input where there is a leading batch, a constant elsewhere along a batch; else a parameter, a constant
/// state or a literal.
ValueId Generator::leaf(const TensorType& type, std::size_t integers) {
  const bool is_data = type.shape.batch_axis() == std::optional<std::size_t>(0);
  const bool has_bytes = result_.seed % 8 == 5;
  if (has_bytes && is_data && is_float(type.dtype) && random_.chance(0.5)) return bytes(type);
  Graph& graph = result_.graph;
  const std::string path = fmt::format("v{}", paths_++);
  if (is_data) {
    graph.inputs.push_back({path, type, {}, {}});
    result_.environment.inputs[path] = numbers(type, integers);
    return read(ops::input, path, type);
  }
  if (type.shape.has_batch()) {
    return constant(builder_, is_float(type.dtype) ? number() : 1, type).value;
  }
  if (type.shape.elements() <= kLongestLiteral && random_.chance(0.1)) {
    return builder_.add(ops::constant, {}, ConstantElements{0, numbers(type, integers).elements}, type);
  }
  graph.states.add({path, type, kind_of_state(type), {}, {}});
  result_.environment.states[path] = numbers(type, integers);
  return read(ops::state, path, type);
}

std::vector<ValueId> Generator::candidates(const Demand& demand) {
  std::vector<ValueId> found;
  for (const ValueId value : result_.graph.nodes.ids()) {
    if (type(value) == demand.type && lies_in(value, demand.low, demand.high)) found.push_back(value);
  }
  return found;
}

ValueId Generator::operand(const Demand& demand) {
  if (is_float(demand.type.dtype) && random_.chance(0.05)) return fitted(neutral(demand.type), demand);
  const std::vector<ValueId> found = candidates(demand);
  if (!found.empty() && random_.chance(0.8)) return random_.pick(found);
  if (demand.type.dtype == DType::kBool) return condition(demand.type);
  const bool is_number = is_float(demand.type.dtype);
  const bool is_fresh = !is_number || random_.chance(0.4) || size() + kReserve > kMostNodes;
  return fitted(is_fresh ? leaf(demand.type) : adapted(demand.type), demand);
}

ValueId Generator::condition(const TensorType& type) {
  const TensorType number{float_, type.shape};
  return compare("<", expr(operand({number})), expr(leaf(number))).value;
}

/// Some other value, averaged to a scalar and spread over a leaf of the type.
ValueId Generator::adapted(const TensorType& wanted) {
  std::vector<ValueId> numbers;
  for (const ValueId value : result_.graph.nodes.ids()) {
    if (is_float(type(value).dtype) && lies_in(value, -kWide, kWide)) numbers.push_back(value);
  }
  const ValueId fresh = leaf(wanted);
  if (numbers.empty()) return fresh;
  const Expr picked = expr(random_.pick(numbers));
  const Expr scalar = cast(mean(picked, all_axes(picked.shape())), wanted.dtype);
  return (broadcast_to(scalar, wanted.shape) * expr(fresh)).value;
}

/// The value itself where it lies in the domain; else squeezed into it.
ValueId Generator::fitted(ValueId value, const Demand& demand) {
  const bool is_number = is_float(demand.type.dtype);
  if (!is_number || lies_in(value, demand.low, demand.high)) return value;
  const double low = narrow(demand.low + 0.01);
  const double width = narrow(demand.high - 0.01 - low);
  return (sigmoid(expr(value)) * width + low).value;
}

ValueId Generator::integer(const TensorType& wanted, const SampleDomain& sample) {
  const auto count = static_cast<std::size_t>(std::max(sample.integers, 1));
  const std::vector<ValueId> found = candidates({wanted, 0, static_cast<double>(count) - 1});
  return !found.empty() && random_.chance(0.6) ? random_.pick(found) : leaf(wanted, count);
}

const OpDef& Generator::draw_op() {
  if (random_.chance(0.1)) return ops::contract;
  const auto all = all_ops();
  return *all[random_.below(all.size())];
}

/// The case with its longer extent, where the graph has one.
std::optional<SampleCase> Generator::lengthened_case(const OpDef& op, SampleCase sample) const {
  if (lengthening_.to == 0) return sample;
  return lengthened(op, std::move(sample), lengthening_, {result_.graph.batch, kMostElements});
}

/// The op's cases in the graph's element type; in a batched graph those with a batch three times.
std::vector<SampleCase> Generator::fitting_cases(const OpDef& op) {
  std::vector<SampleCase> fitting;
  const auto retype = [&](TensorType& type) { type.dtype = type.dtype == DType::kF64 ? float_ : type.dtype; };
  for (SampleCase& sample : op.cases == nullptr ? generic_cases(op) : op.cases()) {
    bool has_batch = sample.declared.shape.has_batch();
    for (const TensorType& operand : sample.operands) has_batch |= operand.shape.has_batch();
    if (has_batch && !is_batched_) continue;
    for (TensorType& operand : sample.operands) retype(operand);
    retype(sample.declared);
    const std::optional<SampleCase> longer = lengthened_case(op, std::move(sample));
    if (!longer) continue;
    for (int i = has_batch ? 3 : 1; i > 0; --i) fitting.push_back(*longer);
  }
  return fitting;
}

std::optional<SampleCase> Generator::draw_case(const OpDef& op) {
  const std::vector<SampleCase> fitting = fitting_cases(op);
  return fitting.empty() ? std::nullopt : std::optional(random_.pick(fitting));
}

void Generator::add_leaf_op(const OpDef& op, const SampleCase& sample) {
  const bool is_read = leaf_path(Node{&op, {}, {}, sample.attributes}) != nullptr;
  if (!is_read) {
    builder_.add(op, {}, sample.attributes, sample.declared);
  } else if (&op == &ops::hyper) {
    const std::string name = fmt::format("hyper{}", paths_++);
    result_.graph.hypers.push_back({name, 0.5, {}});
    result_.environment.hypers[name] = 0.5;
    read(op, name, {DType::kF64, {}});
  } else {
    leaf(sample.declared);
  }
}

/// The derivative of a mean by one of the values it comes from.
void Generator::add_gradient() {
  if (++gradients_ > 1 || size() + kReserve > kMostNodes) return;
  const ValueId e = adapted({float_, {}});
  Graph cone = result_.graph;
  cone.outputs = {{"e", e}};
  const IdVector<ValueId, char> live = live_values(cone);
  std::vector<ValueId> sources;
  for (const ValueId value : cone.nodes.ids()) {
    if (live[value] && is_float(type(value).dtype)) sources.push_back(value);
  }
  gradient(expr(e), expr(random_.pick(sources)));
}

void Generator::add_op() {
  const OpDef& op = draw_op();
  if (&op == &ops::gradient) return add_gradient();
  const std::optional<SampleCase> sample = draw_case(op);
  if (!sample) return;
  if (op.arity == 0) return add_leaf_op(op, *sample);
  const SampleDomain& domain = op.sample;
  const bool is_wide = domain.low == -2 && domain.high == 2;
  if (!is_wide && is<Map>(op) && random_.chance(0.4)) return add_gated(op, *sample);
  std::vector<ValueId> operands;
  for (const TensorType& wanted : sample->operands) {
    const bool is_index = domain.integer_operand == static_cast<int>(operands.size());
    const Demand demand{wanted, is_wide ? -kWide : domain.low, is_wide ? kWide : domain.high};
    const ValueId value = is_index ? integer(wanted, domain) : operand(demand);
    operands.push_back(value);
  }
  builder_.add(op, operands, sample->attributes, sample->declared);
  if (op.cases != nullptr && random_.chance(0.25)) add_twin(op, *sample, operands);
}

/// An element-wise op of operands that lie outside its domain in part, chosen where they lie inside: there
/// the derivative goes through a gate, and elsewhere what is not chosen may be infinite or no number.
void Generator::add_gated(const OpDef& op, const SampleCase& sample) {
  std::vector<ValueId> operands;
  for (const TensorType& wanted : sample.operands) operands.push_back(operand({wanted}));
  Expr chosen = expr(builder_.add(op, operands, sample.attributes, sample.declared));
  if (random_.chance(0.6)) chosen = chosen * expr(operand({chosen.type()}));
  if (random_.chance(0.4)) chosen = tanh(chosen);
  const Expr other = expr(operand({chosen.type()}));
  for (const ValueId operand : operands) {
    const Expr x = expr(operand);
    if (!is_float(x.type().dtype)) continue;
    chosen = select(compare(">", x, constant_like(x, op.sample.low)), chosen, other);
    chosen = select(compare("<", x, constant_like(x, op.sample.high)), chosen, other);
  }
}

/// The same op on the same operands with other attributes.
void Generator::add_twin(const OpDef& op, const SampleCase& sample, const std::vector<ValueId>& operands) {
  for (SampleCase other : fitting_cases(op)) {
    if (other.operands != sample.operands || other.attributes == sample.attributes) continue;
    builder_.add(op, operands, other.attributes, other.declared);
    return;
  }
}

/// The loss is a sum over values that nothing uses yet, each squeezed and averaged; some values of all kinds
/// but bytes are outputs of their own.
void Generator::finish() {
  const auto users = users_of(result_.graph);
  Expr loss{};
  for (const ValueId value : result_.graph.nodes.ids()) {
    if (value.index >= users.size() || !users[value].empty() || size() + 6 > kMostNodes) continue;
    if (type(value).dtype != float_ || !lies_in(value, -1e30, 1e30)) continue;
    Expr term = tanh(expr(value));
    if (term.shape().rank() > 0) term = mean(term, all_axes(term.shape()));
    loss = loss.builder == nullptr ? term : loss + term;
  }
  if (loss.builder == nullptr) loss = mean(expr(ValueId{0}), all_axes(type(ValueId{0}).shape));
  builder_.set_name(loss.value, "loss");
  compute_new();
  result_.graph.outputs.push_back({"loss", loss.value});
  for (const ValueId value : result_.graph.nodes.ids()) {
    const bool is_end = value.index >= users.size() || users[value].empty();
    const bool is_shown = is_end || random_.chance(0.1);
    if (is_shown && type(value).dtype != DType::kU8)
      result_.graph.outputs.push_back({fmt::format("value.{}", value.index), value});
  }
}

/// Each state of a model becomes another value of its type, or half of what it was.
void Generator::write_states() {
  Graph& graph = result_.graph;
  for (const StateId id : graph.states.ids()) {
    const State state = graph.states[id];
    if (state.kind != StateKind::kModel) continue;
    const std::vector<ValueId> found = candidates({state.type, -1e30, 1e30});
    ValueId written = random_.pick(found);
    if (random_.chance(0.2)) written = (expr(written) * 0.5).value;
    graph.effects.push_back({id, written});
  }
  compute_new();
}

/// In some of the graphs the reader of the data has looked at the indices; in most of the others that have
/// whole numbers some lie outside, on either end. The graph stays what it would be without.
void Generator::settle_indices() {
  Random random(result_.seed + 3);
  if (random.chance(0.4)) return limit_inputs(result_.graph);
  const auto put_outside = [&](const TensorType& type, std::vector<double>& elements) {
    if (!is_integer(type.dtype) || !random.chance(0.4)) return;
    elements[random.below(elements.size())] =
        random.pick(std::vector<double>{-1, 4, -2147483647, 2147483647});
  };
  for (const Input& input : result_.graph.inputs) {
    put_outside(input.type, result_.environment.inputs.at(input.path).elements);
  }
  for (const State& state : result_.graph.states) {
    const auto found = result_.environment.states.find(state.path);
    if (found != result_.environment.states.end()) put_outside(state.type, found->second.elements);
  }
}

}  // namespace

Lengthening lengthening_of(std::uint64_t seed) {
  Random random(seed + 5);
  return {random.pick(std::vector<std::int64_t>{3, 4, 5, 7}),
          random.pick(std::vector(kLongExtents.begin(), kLongExtents.end()))};
}

RandomGraph random_graph(std::uint64_t seed, const Lengthening& lengthening) {
  return Generator(seed, lengthening).generate();
}

void count_ops(const Graph& graph, Histogram& histogram) {
  for (const Node& node : graph.nodes) ++histogram[node.op->name];
}

bool has_sharing(const Graph& graph) {
  const auto users = users_of(graph);
  return std::any_of(users.begin(), users.end(), [](const auto& all) { return all.size() > 1; });
}

}  // namespace dlg::test
