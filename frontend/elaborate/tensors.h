// Owns how a value of the language becomes a value of the graph: constants, fields of the data, layers.
#pragma once

#include <optional>

#include "frontend/elaborate/elaboration.h"
#include "ir/ops/expr.h"

namespace dlg {

/// The layer, or the model by its name once it is applied.
std::optional<InstanceId> instance_of(const Elaboration& e, const Value& value);

/// A layer or model that has no result because of errors of its own.
bool is_failed_instance(const Elaboration& e, const Value& value);

/// A graph value for `operand`. A number or list of numbers becomes a constant, a
/// list of values one value of them side by side; a field of the data takes
/// `dtype`; both default to the file's float type. Errors: not a value (a function, a text).
std::optional<TensorValue> tensor_of(Elaboration& e, const Operand& operand,
                                     std::optional<DType> dtype = std::nullopt);

/// Whether `tensor_of` would succeed, without making a node; the axes it would have.
std::optional<Axes> axes_if_tensor(const Elaboration& e, const Value& value);

/// The field as an input of `dtype`, made on first use.
TensorValue field_tensor(Elaboration& e, const FieldValue& field, DType dtype);

/// The number in every element of a value like `like`.
std::optional<TensorValue> constant_tensor(Elaboration& e, double number, const TensorValue& like,
                                           SourceRange range);

/// `tensor` repeated along missing leading axes and the batch.
TensorValue stretch(Elaboration& e, const TensorValue& tensor, const Axes& axes, Batching batching);

inline Expr expr_of(Elaboration& e, const TensorValue& tensor) {
  return {&e.builder, tensor.id};
}

/// A value of the same axes with another node.
TensorValue with_node(const TensorValue& like, Expr node);

/// Adds a node of one op. A type error of the user's values is reported at `range`.
std::optional<Expr> checked_node(Elaboration& e, const OpDef& op, const std::vector<TensorValue>& operands,
                                 const Attributes& attributes, SourceRange range);

/// A node that reads the state; its type must be the state's.
TensorValue state_tensor(Elaboration& e, const std::string& path, const Axes& axes, DType dtype);

}  // namespace dlg
