#include "frontend/elaborate/tensors.h"

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/joining.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotAValue{DiagCode::NotAValue, Severity::kError,
                                       "found {}, expected a value to compute with"};
constexpr Diag<std::string, std::string> kBadOperands{DiagCode::ElementTypes, Severity::kError,
                                                      "`{}` does not take these operands: {}"};

std::optional<TensorValue> literal_tensor(Elaboration& e, const Operand& operand, DType dtype) {
  const std::optional<Literal> literal = literal_of(e, operand);
  if (!literal) return std::nullopt;
  for (const double value : literal->values) {
    if (!check_representable(e, value, dtype, operand.range)) return std::nullopt;
  }
  TensorValue tensor{{}, plain_axes(literal->sizes), Batching::kShared, dtype};
  tensor.id = e.builder.add(ops::constant, {}, ConstantElements{0, literal->values},
                            {dtype, graph_shape(tensor.axes, tensor.batching)});
  return tensor;
}

const TensorValue* result_tensor(const Elaboration& e, const Value& value) {
  if (const TensorValue* tensor = value.as<TensorValue>()) return tensor;
  const std::optional<InstanceId> instance = instance_of(e, value);
  if (!instance || !e.instances[*instance].result) return nullptr;
  return e.instances[*instance].result->as<TensorValue>();
}

/// The axes of `[a, b]` of values: those of the items, aligned, behind a new one.
std::optional<Axes> stacked_axes(const Elaboration& e, const Value& value) {
  const ListValue* list = value.as<ListValue>();
  if (!list || list->kind != ListKind::kPlain) return std::nullopt;
  Axes common;
  for (const Value& item : list->items) {
    const std::optional<Axes> axes = axes_if_tensor(e, item);
    const std::optional<Axes> both = axes ? broadcast_axes(common, *axes) : std::nullopt;
    if (!both) return std::nullopt;
    common = *both;
  }
  common.insert(common.begin(), Axis{"", static_cast<std::int64_t>(list->items.size()), 0});
  return common;
}

}  // namespace

bool is_failed_instance(const Elaboration& e, const Value& value) {
  const std::optional<InstanceId> instance = instance_of(e, value);
  return instance && !e.instances[*instance].result;
}

std::optional<InstanceId> instance_of(const Elaboration& e, const Value& value) {
  if (const InstanceValue* instance = value.as<InstanceValue>()) return instance->instance;
  const FunctionValue* function = value.as<FunctionValue>();
  if (!function || function->candidates.size() != 1) return std::nullopt;
  const auto found = e.models.find(function->candidates.front());
  if (found == e.models.end()) return std::nullopt;
  return found->second;
}

std::optional<TensorValue> tensor_of(Elaboration& e, const Operand& operand, std::optional<DType> dtype) {
  const DType wanted = dtype.value_or(e.dtype);
  if (operand.value.is_poison()) return std::nullopt;
  if (const TensorValue* tensor = result_tensor(e, operand.value)) return *tensor;
  if (is_failed_instance(e, operand.value)) {
    e.note_loss_of(operand.range);
    return std::nullopt;
  }
  if (const FieldValue* field = operand.value.as<FieldValue>()) return field_tensor(e, *field, wanted);
  if (const NumberValue* number = operand.value.as<NumberValue>()) {
    if (!check_representable(e, number->value, wanted, operand.range)) return std::nullopt;
    return TensorValue{constant(e.builder, number->value, {wanted, {}}).value, {}, Batching::kShared, wanted};
  }
  const ListValue* list = operand.value.as<ListValue>();
  if (list && list->kind == ListKind::kPlain) {
    return is_number_list(operand.value) ? literal_tensor(e, operand, wanted)
                                         : stacked(e, *list, operand.range);
  }
  Report report = e.error(operand.range, kNotAValue, kind_text(operand.value));
  e.label_origin(report, operand);
  if (operand.value.as<InitialValue>())
    report.note(
        "what is drawn is not computed with; a factor belongs into its arguments: `normal(std = 2 * 0.1)`, "
        "`orthogonal(gain = 2)`");
  if (operand.value.as<WholeValue>())
    report.note("it stands alone in `metrics`; what is computed of all rows belongs into a `whole fn`");
  return std::nullopt;
}

std::optional<Axes> axes_if_tensor(const Elaboration& e, const Value& value) {
  if (const TensorValue* tensor = result_tensor(e, value)) return tensor->axes;
  if (const FieldValue* field = value.as<FieldValue>())
    return e.data[field->dataset].fields[field->field].axes;
  if (value.as<NumberValue>()) return Axes{};
  if (!is_number_list(value)) return stacked_axes(e, value);
  std::vector<std::int64_t> sizes;
  const Value* first = &value;
  while (const ListValue* list = first->as<ListValue>()) {
    sizes.push_back(static_cast<std::int64_t>(list->items.size()));
    if (list->items.empty()) break;
    first = &list->items.front();
  }
  return plain_axes(sizes);
}

TensorValue field_tensor(Elaboration& e, const FieldValue& value, DType dtype) {
  DeclaredData& data = e.data[value.dataset];
  DeclaredField& field = data.fields[value.field];
  data.is_used = true;
  field.is_used = true;
  field.is_open = false;
  const bool is_integer_anywhere = e.integer_fields.count(field.field.path) > 0;
  if (dtype == DType::kI32 && field.dtype && *field.dtype != DType::kI32) {
    e.integer_fields.insert(field.field.path);
    e.wants_restart = true;
  }
  if (!field.dtype) field.dtype = is_integer_anywhere ? DType::kI32 : dtype;
  const TensorType type{*field.dtype, graph_shape(field.axes, data.batching)};
  if (!e.builder.graph().find_input(field.field.path)) {
    e.builder.graph().inputs.push_back(
        {field.field.path, type, field.field.source.values, field.field.range});
  }
  const ValueId id = e.builder.add(ops::input, {}, LeafPath{field.field.path}, type);
  e.builder.set_name(id, field.field.name);
  return {cast({&e.builder, id}, dtype).value, field.axes, data.batching, dtype};
}

std::optional<TensorValue> constant_tensor(Elaboration& e, double number, const TensorValue& like,
                                           SourceRange range) {
  if (!check_representable(e, number, like.dtype, range)) return std::nullopt;
  return with_node(like, constant_like(expr_of(e, like), number));
}

TensorValue stretch(Elaboration& e, const TensorValue& tensor, const Axes& axes, Batching batching) {
  std::vector<std::int64_t> positions = last_positions(axes, batching, tensor.axes.size());
  if (tensor.batching == Batching::kPerSample) positions.insert(positions.begin(), 0);
  const Expr node = broadcast_at_once(expr_of(e, tensor), graph_shape(axes, batching), positions);
  return {node.value, axes, batching, tensor.dtype, tensor.is_fraction};
}

TensorValue with_node(const TensorValue& like, Expr node) {
  return {node.value, like.axes, like.batching, node.type().dtype, false};
}

std::optional<Expr> checked_node(Elaboration& e, const OpDef& op, const std::vector<TensorValue>& operands,
                                 const Attributes& attributes, SourceRange range) {
  std::vector<ValueId> ids;
  for (const TensorValue& operand : operands) ids.push_back(operand.id);
  const TypeResult result = e.builder.infer(op, ids, attributes);
  if (const std::string* reason = std::get_if<std::string>(&result)) {
    e.error(range, kBadOperands, std::string(op.name), *reason);
    return std::nullopt;
  }
  return Expr{&e.builder, e.builder.add(op, std::move(ids), attributes)};
}

TensorValue state_tensor(Elaboration& e, const std::string& path, const Axes& axes, DType dtype) {
  const TensorType type{dtype, graph_shape(axes, Batching::kShared)};
  return {e.builder.add(ops::state, {}, LeafPath{path}, type), axes, Batching::kShared, dtype};
}

}  // namespace dlg
