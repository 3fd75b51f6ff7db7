// Owns what nodes say beside their operands and type: one struct for each kind of attributes, and the
// description of its fields, from which its text, its identity and its hash follow.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "ir/graph/contract_labels.h"
#include "ir/graph/relation.h"

namespace dlg {

/// One field of a struct of attributes: its name in the text, and when it is said there (null: always).
template <class Struct, class Value>
struct AttributeField {
  std::string_view name;
  Value Struct::*member;
  bool (Struct::*is_said)() const;
};

template <class Struct, class Value>
constexpr AttributeField<Struct, Value> attribute_field(std::string_view name, Value Struct::*member,
                                                        bool (Struct::*is_said)() const = nullptr) {
  return {name, member, is_said};
}

/// Most ops have none.
struct NoAttributes {
  static constexpr auto fields() { return std::tuple<>(); }
};

/// Of a constant: the number in every element, or the elements one by one.
struct ConstantElements {
  double value = 0;
  std::vector<double> elements = {};  // row-major; empty: `value` in each

  bool is_splat() const { return elements.empty(); }
  bool is_listed() const { return !elements.empty(); }
  static constexpr auto fields() {
    return std::tuple(attribute_field("value", &ConstantElements::value, &ConstantElements::is_splat),
                      attribute_field("elements", &ConstantElements::elements, &ConstantElements::is_listed));
  }
};

/// Of a state or input: where it is found.
struct LeafPath {
  std::string path;
  static constexpr auto fields() { return std::tuple(attribute_field("path", &LeafPath::path)); }
};

/// Of a run-time scalar.
struct HyperName {
  std::string name;
  static constexpr auto fields() { return std::tuple(attribute_field("name", &HyperName::name)); }
};

/// Axes that are worked on, ascending: reduced, turned round, normalised over.
struct OverAxes {
  std::vector<std::int64_t> axes;
  static constexpr auto fields() { return std::tuple(attribute_field("axes", &OverAxes::axes)); }
};

/// Which axis belongs to which: of the result that operand axis i goes to (broadcast), of the operand that
/// result axis i comes from (transpose).
struct AxisMap {
  std::vector<std::int64_t> axes;
  static constexpr auto fields() { return std::tuple(attribute_field("axes", &AxisMap::axes)); }
};

/// One axis: counted, joined or searched along.
struct AlongAxis {
  std::int64_t axis = 0;

  std::size_t index() const { return static_cast<std::size_t>(axis); }
  static constexpr auto fields() { return std::tuple(attribute_field("axis", &AlongAxis::axis)); }
};

/// Where a box begins, one number for each axis.
struct BoxStarts {
  std::vector<std::int64_t> starts;
  static constexpr auto fields() { return std::tuple(attribute_field("starts", &BoxStarts::starts)); }
};

/// The number that an index stays below.
struct IndexLimit {
  std::int64_t below = 0;
  static constexpr auto fields() { return std::tuple(attribute_field("below", &IndexLimit::below)); }
};

/// What a comparison asks.
struct ComparedBy {
  Relation relation = Relation::kEqual;
  static constexpr auto fields() { return std::tuple(attribute_field("relation", &ComparedBy::relation)); }
};

/// Which axes a contraction joins.
struct ContractedAxes {
  ContractLabels labels;
  static constexpr auto fields() { return std::tuple(attribute_field("labels", &ContractedAxes::labels)); }
};

/// Of random numbers: which half of what is drawn, and which of several nodes of one meaning this is.
struct DrawSource {
  std::int64_t half = 0;
  std::int64_t copy = 0;

  bool is_copy() const { return copy != 0; }
  static constexpr auto fields() {
    return std::tuple(attribute_field("half", &DrawSource::half),
                      attribute_field("copy", &DrawSource::copy, &DrawSource::is_copy));
  }
};

/// The attributes of a node. Its op says which struct it is (OpDef::attributes).
using Attributes = std::variant<NoAttributes, ConstantElements, LeafPath, HyperName, OverAxes, AxisMap,
                                AlongAxis, BoxStarts, IndexLimit, ComparedBy, ContractedAxes, DrawSource>;

/// What an op's nodes say before anything is said: the struct with its defaults.
template <class Struct>
Attributes attributes_like() {
  return Struct{};
}

/// Bits, not value: -0 and +0 are different constants, and a NaN equals itself.
inline bool same_attribute(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
bool same_attribute(const std::vector<double>& a, const std::vector<double>& b);
template <class Value>
bool same_attribute(const Value& a, const Value& b) {
  return a == b;
}

/// The same bits in every field.
template <class Struct>
requires requires {
  Struct::fields();
}
bool operator==(const Struct& a, const Struct& b) {
  return std::apply(
      [&](const auto&... field) { return (same_attribute(a.*field.member, b.*field.member) && ...); },
      Struct::fields());
}

/// Equal attributes have equal hashes.
std::size_t hash_of(const Attributes& attributes);

}  // namespace dlg
