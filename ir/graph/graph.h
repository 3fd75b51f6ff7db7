// Owns the graph: nodes in flat storage that only grows, states, outputs, effects; names and places beside
// the nodes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph/op_def.h"
#include "ir/graph/types.h"
#include "support/id.h"
#include "support/source.h"

namespace dlg {

/// What a value is. Operands precede their users: the id order is a topological order.
struct Node {
  const OpDef* op = nullptr;
  TensorType type;
  std::vector<ValueId> operands;
  Attributes attributes;
};

/// Where a value comes from; not part of its identity. A merged node keeps the origins of all.
struct NodeInfo {
  std::string name;                  // from the source: `h`, `dW2`; unique after unique_names
  std::vector<SourceRange> origins;  // the first is the place that is printed
  std::vector<std::string> aliases;  // names of nodes merged into this one
  std::vector<std::string> laws;     // rewrite laws that fired here
};

enum class StateKind : std::uint8_t {
  kParameter,  // trained
  kConstant,   // declared `const` in a model: never written
  kModel,      // written by the program's own effects, which no rule touches
  kOptimizer,  // a rule's `state`, one per parameter
  kStep,       // the step counter, f64 scalar; its value during a step is the number of updates made before
};

/// How a state starts. Random kinds draw from the stream of the state's path. An orthogonal one is a matrix
/// of the first axis and all others together, whose rows are orthonormal, or its columns where they are
/// fewer.
struct Initializer {
  enum class Kind : std::uint8_t { kConstant, kLiteral, kUniform, kNormal, kOrthogonal };
  Kind kind = Kind::kConstant;
  double a = 0;  // constant value | low | standard deviation | factor of an orthogonal one
  double b = 0;  // high | standard deviations at which a normal value is cut; 0: none
  std::vector<double> literal = {};  // row-major, kLiteral

  friend bool operator==(const Initializer&, const Initializer&) = default;
};

struct State {
  std::string path;  // `net.W1`; of an optimizer state `net.W1.s`
  TensorType type;
  StateKind kind = StateKind::kParameter;
  Initializer initial;
  SourceRange origin;
};

/// How an input lies in the data, if not in its own type: the program means (stored - subtract) / divide *
/// multiply. Step by step in the input's type these are the numbers that one rounding of the whole gives.
struct StoredAs {
  DType type = DType::kU8;
  double subtract = 0;
  double divide = 1;
  double multiply = 1;
};

/// A field of the data: what varies per sample and comes from outside. First axis of its type is kBatch.
struct Input {
  std::string path;  // `one.x`
  TensorType type;
  std::vector<double> literal;  // all rows, row-major, when the program writes the data in place; else empty
  SourceRange origin;
  /// What the reader of the data makes sure of: the elements of a row are indices below these numbers, one
  /// for each element or one for all; 0: no index. Empty: nothing is an index.
  std::vector<std::int64_t> below = {};
  bool is_weight = false;  // it makes sure as well that no element is negative or infinite
  std::optional<StoredAs> stored = {};

  Interval range() const;
};

/// The output that is not 0 where an index of the step lies outside, or the weights of an update do not sum
/// to a number above 0: such a step is not made.
inline constexpr std::string_view kFaultOutput = "fault";
/// What it is then; of both the larger.
inline constexpr double kIndexFault = 1;
inline constexpr double kWeightFault = 2;

/// The output that holds the sum of the weights of the batch's rows, where the program weighs its samples:
/// what the loss of the batch counts in a mean over several.
inline constexpr std::string_view kWeightOutput = "weight";

/// The input, i32 [*batch], of programs that draw random values: the number of the row in its data.
inline constexpr const char* kRowInput = "row";
/// Their state, f64[]: the micro-batches made so far.
inline constexpr const char* kDrawsState = "draws";

/// A run-time scalar of the optimizer, f64[]: lr, beta. Changing it never recompiles.
struct Hyper {
  std::string name;  // `optimizer.lr`
  double value = 0;
  SourceRange origin;
};

struct Output {
  std::string name;  // `loss`, `metric.accuracy`, `predict`, `d(net.W1)`
  ValueId value;
};

/// All effects are written together at the end of the step.
struct Effect {
  StateId state;
  ValueId value;
};

/// A fused kernel: the nodes it computes, in order.
struct Group {
  std::string name;
  std::vector<ValueId> nodes;
};

class Graph {
 public:
  std::int64_t batch = 1;  // capacity: the declared batch size; valid rows are 1 .. batch at run time

  IdVector<ValueId, Node> nodes;
  IdVector<ValueId, NodeInfo> infos;  // as long as nodes
  IdVector<StateId, State> states;
  std::vector<Input> inputs;
  std::vector<Hyper> hypers;
  std::vector<Output> outputs;
  std::vector<Effect> effects;
  IdVector<GroupId, Group> groups;  // empty before `fuse`; after it each computed node is in exactly one

  const Node& operator[](ValueId value) const { return nodes[value]; }
  const TensorType& type(ValueId value) const { return nodes[value].type; }
  const std::string& name(ValueId value) const { return infos[value].name; }

  std::optional<StateId> find_state(std::string_view path) const;
  const Input* find_input(std::string_view path) const;
  const Hyper* find_hyper(std::string_view name) const;
  std::optional<ValueId> find_output(std::string_view name) const;
};

/// What a leaf reads from outside: the path of a state or input, the name of a hyper; null: nothing.
const std::string* leaf_path(const Node& node);

/// What is looked at before a step writes anything: the loss, its weight and the fault, as far as there are
/// any.
std::vector<ValueId> tested_values(const Graph& graph);

/// Under which word the node is printed: `matmul` for a contraction that is one, else its op's name.
std::string_view word_of(const Node& node);

/// Users of each value within the graph (outputs and effects not counted), ascending.
IdVector<ValueId, std::vector<ValueId>> users_of(const Graph& graph);

/// Marks what `value` is computed from, itself included.
IdVector<ValueId, char> ancestors_of(const Graph& graph, ValueId value);

/// Marks what the outputs and effects need.
IdVector<ValueId, char> live_values(const Graph& graph);

/// Gives every node a unique readable name: unnamed ones `parent.op`, constants their number, collisions get
/// `'`.
void name_nodes(Graph& graph);

}  // namespace dlg
