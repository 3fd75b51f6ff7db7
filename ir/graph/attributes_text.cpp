#include "ir/graph/attributes_text.h"

#include <fmt/format.h>

#include "support/check.h"
#include "support/text.h"

namespace dlg {
namespace {

using Problem = std::optional<AttributeError>;

template <class Value>
Problem taken(std::optional<Value> found, Value& into, std::string_view wanted) {
  if (!found) return AttributeError{wanted};
  into = *std::move(found);
  return std::nullopt;
}

// For each type of a field: its kind in words, its text, its reader.

std::string_view kind_of(double) {
  return "a number";
}

std::string value_text(double value) {
  return number_text(value);
}

Problem read_value(TextCursor& cursor, double& value) {
  return taken(cursor.number(), value, "a number");
}

std::string_view kind_of(const std::vector<double>&) {
  return "numbers";
}

std::string value_text(const std::vector<double>& values) {
  return list_text(values);
}

Problem read_value(TextCursor& cursor, std::vector<double>& values) {
  return taken(cursor.numbers(), values, "a list of numbers");
}

std::string_view kind_of(std::int64_t) {
  return "an integer";
}

std::string value_text(std::int64_t value) {
  return std::to_string(value);
}

Problem read_value(TextCursor& cursor, std::int64_t& value) {
  return taken(cursor.integer(), value, "an integer");
}

std::string_view kind_of(const std::vector<std::int64_t>&) {
  return "integers";
}

std::string value_text(const std::vector<std::int64_t>& values) {
  return list_text(values);
}

Problem read_value(TextCursor& cursor, std::vector<std::int64_t>& values) {
  return taken(cursor.integers(), values, "a list of integers like `[0, 1]`");
}

std::string_view kind_of(const std::string&) {
  return "text";
}

std::string value_text(const std::string& text) {
  return quoted_name(text);
}

Problem read_value(TextCursor& cursor, std::string& text) {
  return taken(cursor.name(), text, "a word");
}

std::string_view kind_of(Relation) {
  return "a relation";
}

std::string value_text(Relation relation) {
  return quoted_name(relation_word(relation));
}

Problem read_value(TextCursor& cursor, Relation& relation) {
  std::string word;
  if (Problem problem = read_value(cursor, word)) return problem;
  const std::optional<Relation> found = find_relation(word);
  if (!found)
    return AttributeError{{}, fmt::format("a relation `{}`, expected ==, !=, <, <=, > or >=", word)};
  relation = *found;
  return std::nullopt;
}

std::string_view kind_of(const ContractLabels&) {
  return "labels of both operands and the result";
}

std::string value_text(const ContractLabels& labels) {
  return quoted_name(contract_text(labels));
}

Problem read_value(TextCursor& cursor, ContractLabels& labels) {
  std::string text;
  if (Problem problem = read_value(cursor, text)) return problem;
  auto parsed = parse_contract(text);
  if (std::string* reason = std::get_if<std::string>(&parsed)) return AttributeError{{}, std::move(*reason)};
  labels = std::get<ContractLabels>(std::move(parsed));
  return std::nullopt;
}

/// Calls `visit(field, value)` for each field of the struct that `attributes` are.
template <class SomeAttributes, class Visit>
void for_each_field(SomeAttributes& attributes, const Visit& visit) {
  const auto visit_fields = [&visit](auto& said) {
    std::apply([&](const auto&... field) { (visit(said, field), ...); }, said.fields());
  };
  std::visit(visit_fields, attributes);
}

}  // namespace

std::string attributes_text(const Attributes& attributes) {
  std::vector<std::string> parts;
  for_each_field(attributes, [&](const auto& said, const auto& field) {
    if (field.is_said != nullptr && !(said.*field.is_said)()) return;
    parts.push_back(fmt::format("{} = {}", field.name, value_text(said.*field.member)));
  });
  return parts.empty() ? "" : fmt::format(" {{{}}}", join_text(parts, ", "));
}

std::vector<AttributeDoc> attribute_docs(const Attributes& attributes) {
  std::vector<AttributeDoc> docs;
  for_each_field(attributes, [&](const auto& said, const auto& field) {
    docs.push_back({field.name, kind_of(said.*field.member), field.is_said != nullptr});
  });
  return docs;
}

std::optional<AttributeError> read_attribute(TextCursor& cursor, std::string_view name,
                                             Attributes& attributes) {
  bool is_found = false;
  Problem problem;
  for_each_field(attributes, [&](auto& said, const auto& field) {
    if (field.name != name) return;
    is_found = true;
    problem = read_value(cursor, said.*field.member);
  });
  DLG_CHECK(is_found, fmt::format("no attribute is called `{}`", name));
  return problem;
}

}  // namespace dlg
