// Owns the values of elaboration: what an expression of the text can be before it is a node of the graph.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "frontend/elaborate/axes.h"
#include "frontend/text/ast.h"
#include "ir/graph/graph.h"
#include "ir/graph/update_rule.h"
#include "support/source.h"

namespace dlg {

struct Builtin;
struct Value;
using InstanceId = Id<struct InstanceTag>;
using SharedLayerId = Id<struct SharedLayerTag>;

/// A function of one file: number of a unit of the library and index into its functions.
struct FunctionId {
  std::size_t unit = 0;
  std::size_t index = 0;

  friend auto operator<=>(const FunctionId&, const FunctionId&) = default;
};

/// What already has an error; it silences everything that follows from it.
struct Poison {};

/// A value of the graph.
struct TensorValue {
  ValueId id;
  Axes axes;  // of one sample
  Batching batching = Batching::kShared;
  DType dtype = DType::kF32;
  bool is_fraction = false;  // a share of rows, printed as percent
};

/// A number known at compile time, in f64. `axis` is set while it is a dim or an axis and nothing else.
struct NumberValue {
  double value = 0;
  std::optional<Axis> axis;
  bool is_rounded = false;  // a division on its way was not exact
};

/// The result of comparing numbers known at compile time.
struct TruthValue {
  bool value = false;
};

/// A text in quotation marks, or a word of the library that stands for itself, as `same`.
struct TextValue {
  std::string text;
};

/// Whether this stands for itself: a choice of functions of the library.
bool is_choice_word(std::string_view name);

/// `20 epochs`.
struct UnitValue {
  double number = 0;
  std::string unit;
};

/// A function, loss or model by name; several candidates are overloads of std.
struct FunctionValue {
  std::string name;
  std::vector<FunctionId> candidates;
  const Builtin* builtin = nullptr;
  SharedLayerId shared = {};  // of `share`
};

/// kPlain: written in brackets, or the parts of `chunk`. kParameters: `params(m)`; element-wise functions
/// apply to each and `sum` adds all. kLockstep: one value per parameter in an update rule; everything
/// applies to each.
enum class ListKind { kPlain, kParameters, kLockstep };

struct ListValue {
  ListKind kind = ListKind::kPlain;
  std::vector<Value> items;
};

/// A field of the data before its element type is known.
struct FieldValue {
  std::size_t dataset = 0;
  std::size_t field = 0;
};

struct DataValue {
  std::size_t dataset = 0;
};

/// `uniform(-0.1, 0.1)` as the initial value of a parameter.
struct InitialValue {
  Initializer initializer;
};

/// `val` in a schedule: a part of the data.
struct PartValue {
  std::string part;
};

/// `val.loss` in a schedule.
struct MeasuredValue {
  WatchedValue watched;
};

/// What a call of a `whole fn` in `metrics` gives: a value of the graph of whole parts, not of the program's.
struct WholeValue {
  std::string name;  // of the function
  TensorValue result;
};

/// An instance of a model or function: `mlp.dense[0]`.
struct InstanceValue {
  InstanceId instance;
};

/// `mlp.dense` where there are several: it wants an index.
struct FamilyValue {
  InstanceId parent;
  std::string callee;
};

struct Value {
  std::variant<Poison, TensorValue, NumberValue, TruthValue, TextValue, UnitValue, FunctionValue, ListValue,
               FieldValue, DataValue, InitialValue, PartValue, MeasuredValue, WholeValue, InstanceValue,
               FamilyValue>
      data;
  SourceRange origin = {};  // where it was declared or given its name; may be invalid

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  bool is_poison() const { return as<Poison>() != nullptr; }
};

/// A value with the place where it is used.
struct Operand {
  Value value;
  SourceRange range;
};

/// One argument as written. `over = axis` is not evaluated: an axis may be no value.
struct CallArgument {
  std::optional<ast::Name> name;
  Operand operand;
  ast::ExprId expr;
};

/// `share enc = dense(units = 32)`: one instance, and what its calls are given besides their own arguments.
struct SharedLayer {
  InstanceId instance;
  std::vector<CallArgument> given;
};

Value number_value(double value);

/// A value whose items are all numbers or lists of such.
bool is_number_list(const Value& value);

/// "a number", "a function", "a value [mid: 2]".
std::string kind_text(const Value& value);

}  // namespace dlg
