#include "frontend/elaborate/values.h"

#include <algorithm>
#include <array>

#include "support/text.h"

namespace dlg {
namespace {

constexpr std::array<std::string_view, 5> kChoiceWords{"macro", "micro", "none", "same", "valid"};

struct KindText {
  std::string operator()(const Poison&) const { return "an error"; }
  std::string operator()(const TensorValue& tensor) const { return "a value " + axes_text(tensor.axes); }
  std::string operator()(const NumberValue& number) const {
    return "the number " + number_text(number.value);
  }
  std::string operator()(const TruthValue&) const { return "a truth value"; }
  std::string operator()(const TextValue& text) const {
    return is_choice_word(text.text) ? "the word `" + text.text + "`" : "a text";
  }
  std::string operator()(const UnitValue& unit) const {
    return "`" + number_text(unit.number) + " " + unit.unit + "`";
  }
  std::string operator()(const FunctionValue& function) const {
    return "the function `" + function.name + "`";
  }
  std::string operator()(const ListValue& list) const {
    return "a list of " + std::to_string(list.items.size());
  }
  std::string operator()(const FieldValue&) const { return "a field of the data"; }
  std::string operator()(const DataValue&) const { return "a data block"; }
  std::string operator()(const InitialValue&) const { return "an initialiser"; }
  std::string operator()(const PartValue& part) const { return "the part `" + part.part + "`"; }
  std::string operator()(const MeasuredValue& measured) const {
    return "the measured value `" + measured.watched.text() + "`";
  }
  std::string operator()(const WholeValue& whole) const {
    return "the metric `" + whole.name + "` of a whole part";
  }
  std::string operator()(const InstanceValue&) const { return "a layer"; }
  std::string operator()(const FamilyValue& family) const { return "several layers `" + family.callee + "`"; }
};

}  // namespace

bool is_choice_word(std::string_view name) {
  return std::find(kChoiceWords.begin(), kChoiceWords.end(), name) != kChoiceWords.end();
}

Value number_value(double value) {
  return {NumberValue{value, std::nullopt, false}};
}

bool is_number_list(const Value& value) {
  if (value.as<NumberValue>()) return true;
  const ListValue* list = value.as<ListValue>();
  return list && list->kind == ListKind::kPlain &&
         std::all_of(list->items.begin(), list->items.end(), is_number_list);
}

std::string kind_text(const Value& value) {
  return std::visit(KindText{}, value.data);
}

}  // namespace dlg
