// Owns the writing of graphs as text.
#include <fmt/format.h>

#include "ir/graph/attributes_text.h"
#include "ir/graph/text.h"
#include "ir/graph/text_comment.h"
#include "ir/graph/text_cursor.h"
#include "ir/graph/text_words.h"
#include "support/text.h"

namespace dlg {
namespace {

std::string initializer_text(const Initializer& initial) {
  const std::string_view word = initializer_word(initial.kind);
  switch (initial.kind) {
    case Initializer::Kind::kLiteral:
      return fmt::format("{} {}", word, list_text(initial.literal));
    case Initializer::Kind::kNormal:
      if (initial.b == 0) break;
      [[fallthrough]];
    case Initializer::Kind::kUniform:
      return fmt::format("{} {}", word, list_text(std::vector<double>{initial.a, initial.b}));
    case Initializer::Kind::kConstant:
    case Initializer::Kind::kOrthogonal:
      break;
  }
  return fmt::format("{} {}", word, number_text(initial.a));
}

std::string stored_text(const Input& input) {
  if (!input.stored) return "";
  const StoredAs& stored = *input.stored;
  std::string text = fmt::format(" stored {}", dtype_name(stored.type));
  if (stored.subtract != 0) text += " - " + number_text(stored.subtract);
  if (stored.divide != 1) text += " / " + number_text(stored.divide);
  if (stored.multiply != 1) text += " * " + number_text(stored.multiply);
  return text;
}

/// Collects the text of one graph.
class Printer {
 public:
  Printer(const Graph& graph, const Sources& sources) : graph_(graph), sources_(sources) {}

  std::string print() {
    text_ = fmt::format("graph 1\nbatch {}\n", graph_.batch);
    print_interface();
    text_ += '\n';
    print_nodes();
    text_ += '\n';
    for (const Output& output : graph_.outputs) print_sink("output", output.name, output.value);
    for (const Effect& effect : graph_.effects) {
      print_sink("effect", graph_.states[effect.state].path, effect.value);
    }
    return std::move(text_);
  }

 private:
  void print_interface() {
    for (const State& state : graph_.states) {
      text_ += fmt::format("state {} : {} {} = {}{}\n", quoted_name(state.path), type_text(state.type),
                           state_kind_word(state.kind), initializer_text(state.initial),
                           place_comment(state.origin, sources_));
    }
    for (const Input& input : graph_.inputs) {
      const std::string literal = input.literal.empty() ? "" : " = " + list_text(input.literal);
      const std::string below = input.below.empty() ? "" : " below " + list_text(input.below);
      text_ += fmt::format("input {} : {}{}{}{}{}\n", quoted_name(input.path), type_text(input.type), below,
                           stored_text(input), literal, place_comment(input.origin, sources_));
    }
    for (const Hyper& hyper : graph_.hypers) {
      text_ += fmt::format("hyper {} = {}{}\n", quoted_name(hyper.name), number_text(hyper.value),
                           place_comment(hyper.origin, sources_));
    }
  }

  /// Nodes outside groups first, then the groups in their order.
  void print_nodes() {
    IdVector<ValueId, char> is_grouped(graph_.nodes.size(), 0);
    for (const Group& group : graph_.groups) {
      for (const ValueId value : group.nodes) is_grouped[value] = 1;
    }
    for (const ValueId value : graph_.nodes.ids()) {
      if (!is_grouped[value]) print_node(value, "");
    }
    for (const Group& group : graph_.groups) {
      text_ += fmt::format("\nkernel {} {{\n", quoted_name(group.name));
      for (const ValueId value : group.nodes) print_node(value, "  ");
      text_ += "}\n";
    }
  }

  void print_node(ValueId value, std::string_view indent) {
    const Node& node = graph_[value];
    std::vector<std::string> operands;
    for (const ValueId operand : node.operands) operands.push_back(quoted_name(graph_.name(operand)));
    text_ +=
        fmt::format("{}{} = {}{}{}{} : {}{}\n", indent, quoted_name(graph_.name(value)), word_of(node),
                    operands.empty() ? "" : " ", join_text(operands, ", "), attributes_text(node.attributes),
                    type_text(node.type), node_comment(graph_.infos[value], sources_));
  }

  void print_sink(std::string_view word, std::string_view name, ValueId value) {
    text_ += fmt::format("{} {} = {}\n", word, quoted_name(name), quoted_name(graph_.name(value)));
  }

  const Graph& graph_;
  const Sources& sources_;
  std::string text_;
};

}  // namespace

std::string print_graph(const Graph& graph, const Sources& sources) {
  Graph named = graph;
  name_nodes(named);
  return Printer(named, sources).print();
}

}  // namespace dlg
