// Owns the reading of graphs: a parser that goes line by line and leaves out lines with errors.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "ir/graph/attributes_text.h"
#include "ir/graph/builder.h"
#include "ir/graph/text.h"
#include "ir/graph/text_comment.h"
#include "ir/graph/text_cursor.h"
#include "ir/graph/text_words.h"
#include "ir/graph/verify.h"
#include "ir/ops/registry.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

constexpr Diag<std::string_view, std::string> kUnexpected{DiagCode::GraphTextSyntax, Severity::kError,
                                                          "expected {}, found {}"};
constexpr Diag<std::string> kUnknownOp{DiagCode::GraphTextUnknownOp, Severity::kError,
                                       "no op is called `{}`"};
constexpr Diag<std::string_view, std::string> kUnknownName{DiagCode::GraphTextUnknownName, Severity::kError,
                                                           "no {} is called `{}`"};
constexpr Diag<std::string_view, std::string> kDuplicate{DiagCode::GraphTextDuplicate, Severity::kError,
                                                         "a second {} is called `{}`"};
constexpr Diag<std::string> kIllTyped{DiagCode::GraphTextType, Severity::kError, "{}"};

/// What a line says of a node before its op has typed it.
struct NodeText {
  std::string name;
  const OpDef* op = nullptr;
  std::vector<ValueId> operands;
  Attributes attributes;
  TensorType type;
};

/// Reads line by line; a line with an error is left out and the next one read.
class GraphParser {
 public:
  GraphParser(Sources& sources, FileId file, Diagnostics& diagnostics)
      : text_(sources.text(file)),
        file_(file),
        diagnostics_(diagnostics),
        places_(places_of_comments(sources, text_)),
        builder_(graph_),
        cursor_("", file, 0) {}

  std::optional<Graph> parse() {
    std::size_t begin = 0;
    while (begin < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      const std::string_view line = text_.substr(begin, end - begin);
      const std::size_t comment = comment_start(line);
      comment_ = comment == line.size() ? Comment{} : read_comment(line.substr(comment + 1));
      cursor_ = TextCursor(line.substr(0, comment), file_, static_cast<std::uint32_t>(begin));
      if (!cursor_.at_end()) parse_line();
      begin = end + 1;
    }
    if (open_group_) unexpected("`}` at the end of the kernel");
    if (diagnostics_.has_errors()) return std::nullopt;
    return std::move(graph_);
  }

 private:
  using LineRule = bool (GraphParser::*)();
  struct Keyword {
    std::string_view word;
    LineRule rule;
  };
  static const std::array<Keyword, 8> kKeywords;

  /// Without an error the whole line has been read.
  void parse_line() {
    const TextCursor start = cursor_;
    if (cursor_.eat("}")) {
      if (close_group()) expect_end();
      return;
    }
    const std::optional<std::string> word = cursor_.name();
    if (!word) {
      unexpected("a name or a word like `state`");
      return;
    }
    const bool is_node = TextCursor(cursor_).eat("=");
    const auto keyword =
        std::find_if(kKeywords.begin(), kKeywords.end(), [&](const Keyword& k) { return k.word == *word; });
    if (!is_node && keyword == kKeywords.end()) {
      unexpected("`=` after the name of a value");
      return;
    }
    if (is_node) cursor_ = start;
    const bool is_good = is_node ? parse_node() : (this->*keyword->rule)();
    if (is_good) expect_end();
    if (!is_good && is_node) failed_.insert(*word);
  }

  bool unexpected(std::string_view wanted) {
    diagnostics_.report(cursor_.next_range(), kUnexpected, wanted, cursor_.next_text());
    return false;
  }
  bool expect(std::string_view symbol) {
    return cursor_.eat(symbol) || unexpected(fmt::format("`{}`", symbol));
  }
  bool expect_end() { return cursor_.at_end() || unexpected("the end of the line"); }
  template <class T>
  bool take(std::optional<T> found, T& into, std::string_view wanted) {
    if (!found) return unexpected(wanted);
    into = *std::move(found);
    return true;
  }

  bool parse_type(TensorType& type, std::string_view wanted);
  bool parse_header();
  bool parse_batch();
  bool parse_state();
  bool parse_initializer(Initializer& initial);
  bool parse_stored(StoredAs& stored);
  bool parse_input();
  bool parse_hyper();
  bool open_group();
  bool close_group();
  bool parse_output();
  bool parse_effect();
  bool parse_sink(std::string_view what, std::string& name, ValueId& value);

  bool parse_node();
  bool parse_op(NodeText& node);
  bool parse_operands(NodeText& node);
  bool parse_attributes(NodeText& node);
  bool parse_attribute(NodeText& node, std::vector<AttributeDoc>& open);
  bool parse_value(ValueId& value);
  bool add_node(const NodeText& node, SourceRange range);

  SourceRange comment_origin() const {
    return comment_.places.empty() ? SourceRange{} : places_.range(comment_.places.front());
  }
  template <class T>
  bool is_new(const T& known, std::string_view what, const std::string& name, SourceRange range) {
    if (!known) return true;
    diagnostics_.report(range, kDuplicate, what, name);
    return false;
  }

  std::string_view text_;
  FileId file_;
  Diagnostics& diagnostics_;
  NamedPlaces places_;
  Graph graph_;
  Builder builder_;
  TextCursor cursor_;
  Comment comment_;
  std::map<std::string, ValueId> values_;
  std::set<std::string> failed_;  // names of lines with errors: their users are not errors of their own
  std::optional<Group> open_group_;
};

const std::array<GraphParser::Keyword, 8> GraphParser::kKeywords{{
    {"graph", &GraphParser::parse_header},
    {"batch", &GraphParser::parse_batch},
    {"state", &GraphParser::parse_state},
    {"input", &GraphParser::parse_input},
    {"hyper", &GraphParser::parse_hyper},
    {"kernel", &GraphParser::open_group},
    {"output", &GraphParser::parse_output},
    {"effect", &GraphParser::parse_effect},
}};

bool GraphParser::parse_header() {
  constexpr std::string_view kWanted = "`1`, the version of the textual form";
  const TextCursor start = cursor_;
  if (cursor_.integer() == 1) return true;
  cursor_ = start;
  return unexpected(kWanted);
}

bool GraphParser::parse_batch() {
  const SourceRange range = cursor_.next_range();
  if (!take(cursor_.integer(), graph_.batch, "a number of rows")) return false;
  if (graph_.batch >= 1 && graph_.batch <= kMostElements) return true;
  diagnostics_.report(range, kUnexpected, "1 to 2^40 rows", fmt::format("`{}`", graph_.batch));
  return false;
}

/// What is read with a type has elements that can be counted: type rules may multiply them.
bool GraphParser::parse_type(TensorType& type, std::string_view wanted) {
  const std::size_t begin = (cursor_.at_end(), cursor_.position());
  if (!take(cursor_.type(), type, wanted)) return false;
  std::int64_t elements = 1;
  for (const std::int64_t dim : type.shape.dims()) {
    elements = checked_mul(elements, dim == kBatch ? 1 : dim).value_or(kMostElements + 1);
    if (elements > kMostElements) break;
  }
  if (elements <= kMostElements) return true;
  diagnostics_.report(cursor_.range_since(begin), kIllTyped,
                      fmt::format("`{}` has more than 2^40 elements", type_text(type)));
  return false;
}

bool GraphParser::parse_state() {
  State state;
  const SourceRange range = cursor_.next_range();
  if (!take(cursor_.name(), state.path, "the path of a state") || !expect(":")) return false;
  if (!parse_type(state.type, "a type like `f32[2, 3]`")) return false;
  const SourceRange kind_range = cursor_.next_range();
  const std::optional<std::string> word = cursor_.name();
  const std::optional<StateKind> kind = word ? parse_state_kind(*word) : std::nullopt;
  if (!kind) {
    diagnostics_.report(kind_range, kUnexpected, "`parameter`, `constant`, `optimizer` or `step`",
                        fmt::format("`{}`", word.value_or("")));
    return false;
  }
  state.kind = *kind;
  state.origin = comment_origin();
  if (!expect("=") || !parse_initializer(state.initial)) return false;
  if (!is_new(graph_.find_state(state.path), "state", state.path, range)) return false;
  graph_.states.add(std::move(state));
  return true;
}

bool GraphParser::parse_initializer(Initializer& initial) {
  constexpr std::string_view kWanted =
      "`fill 0`, `literal [...]`, `uniform [low, high]`, `normal 0.1`, `normal [0.1, 2]` or `orthogonal 1`";
  const SourceRange range = cursor_.next_range();
  const std::optional<std::string> word = cursor_.name();
  const std::optional<Initializer::Kind> kind = word ? parse_initializer_kind(*word) : std::nullopt;
  if (!kind) {
    diagnostics_.report(range, kUnexpected, kWanted, fmt::format("`{}`", word.value_or("")));
    return false;
  }
  initial.kind = *kind;
  if (*kind == Initializer::Kind::kLiteral)
    return take(cursor_.numbers(), initial.literal, "a list of numbers");
  const bool is_one = *kind == Initializer::Kind::kConstant || *kind == Initializer::Kind::kOrthogonal;
  const std::optional<std::vector<double>> bounds = is_one ? std::nullopt : cursor_.numbers();
  if (!bounds && *kind != Initializer::Kind::kUniform) return take(cursor_.number(), initial.a, "a number");
  if (!bounds || bounds->size() != 2) return unexpected("two bounds like `[-1, 1]`");
  const bool is_cut = *kind == Initializer::Kind::kNormal;
  if (is_cut && !(bounds->back() >= 0.1)) return unexpected("0.1 standard deviations or more to cut at");
  initial.a = bounds->front();
  initial.b = bounds->back();
  return true;
}

/// `u8 - 128 / 127.5 * 2`: what does nothing is left out.
bool GraphParser::parse_stored(StoredAs& stored) {
  const std::optional<std::string> type = cursor_.name();
  const std::optional<DType> dtype = type ? parse_dtype(*type) : std::nullopt;
  if (!dtype) return unexpected("an element type such as `u8`");
  stored.type = *dtype;
  if (cursor_.eat("-") && !take(cursor_.number(), stored.subtract, "a number")) return false;
  if (cursor_.eat("/") && !take(cursor_.number(), stored.divide, "a number")) return false;
  return !cursor_.eat("*") || take(cursor_.number(), stored.multiply, "a number");
}

bool GraphParser::parse_input() {
  Input input;
  const SourceRange range = cursor_.next_range();
  if (!take(cursor_.name(), input.path, "the path of an input") || !expect(":")) return false;
  if (!parse_type(input.type, "a type like `f32[*batch, 3]`")) return false;
  if (cursor_.eat("below") && !take(cursor_.integers(), input.below, "a list of integers like `[3]`")) {
    return false;
  }
  if (cursor_.eat("stored") && !parse_stored(input.stored.emplace())) return false;
  if (cursor_.eat("=") && !take(cursor_.numbers(), input.literal, "a list of numbers")) return false;
  if (!is_new(graph_.find_input(input.path), "input", input.path, range)) return false;
  input.origin = comment_origin();
  graph_.inputs.push_back(std::move(input));
  return true;
}

bool GraphParser::parse_hyper() {
  Hyper hyper;
  const SourceRange range = cursor_.next_range();
  if (!take(cursor_.name(), hyper.name, "the name of a hyper-parameter") || !expect("=")) return false;
  if (!take(cursor_.number(), hyper.value, "a number")) return false;
  if (!is_new(graph_.find_hyper(hyper.name), "hyper", hyper.name, range)) return false;
  hyper.origin = comment_origin();
  graph_.hypers.push_back(std::move(hyper));
  return true;
}

bool GraphParser::open_group() {
  if (open_group_) return unexpected("`}` before the next kernel");
  Group group;
  if (!take(cursor_.name(), group.name, "the name of a kernel") || !expect("{")) return false;
  open_group_ = std::move(group);
  return true;
}

bool GraphParser::close_group() {
  if (!open_group_) return unexpected("a kernel before its `}`");
  graph_.groups.add(*std::move(open_group_));
  open_group_.reset();
  return true;
}

bool GraphParser::parse_sink(std::string_view what, std::string& name, ValueId& value) {
  return take(cursor_.name(), name, what) && expect("=") && parse_value(value);
}

bool GraphParser::parse_output() {
  Output output;
  const SourceRange range = cursor_.next_range();
  if (!parse_sink("the name of an output", output.name, output.value)) return false;
  if (!is_new(graph_.find_output(output.name), "output", output.name, range)) return false;
  graph_.outputs.push_back(std::move(output));
  return true;
}

bool GraphParser::parse_effect() {
  std::string path;
  ValueId value;
  const SourceRange range = cursor_.next_range();
  if (!parse_sink("the path of a state", path, value)) return false;
  const std::optional<StateId> state = graph_.find_state(path);
  if (!state) {
    diagnostics_.report(range, kUnknownName, "state", path);
    return false;
  }
  graph_.effects.push_back({*state, value});
  return true;
}

bool GraphParser::parse_node() {
  NodeText node;
  const SourceRange range = cursor_.next_range();
  if (!take(cursor_.name(), node.name, "the name of a value") || !expect("=")) return false;
  if (!is_new(values_.contains(node.name), "value", node.name, range)) return false;
  if (!parse_op(node) || !parse_operands(node) || !parse_attributes(node) || !expect(":")) return false;
  const std::size_t type_begin = (cursor_.at_end(), cursor_.position());
  if (!parse_type(node.type, "a type like `f32[*batch, 64]`")) return false;
  return add_node(node, cursor_.range_since(type_begin));
}

bool GraphParser::parse_op(NodeText& node) {
  const SourceRange range = cursor_.next_range();
  std::string word;
  if (!take(cursor_.name(), word, "the name of an op")) return false;
  node.op = find_op(word);
  if (node.op != nullptr) return true;
  std::vector<std::string> names;
  for (const OpDef* op : all_ops()) names.emplace_back(op->name);
  Report report = diagnostics_.report(range, kUnknownOp, word);
  const std::optional<std::string> near = nearest_name(word, names);
  if (near) report.suggest(range, *near, fmt::format("did you mean `{}`?", *near));
  return false;
}

bool GraphParser::parse_operands(NodeText& node) {
  if (TextCursor(cursor_).eat("{") || TextCursor(cursor_).eat(":")) return true;
  do {
    ValueId operand;
    if (!parse_value(operand)) return false;
    node.operands.push_back(operand);
  } while (cursor_.eat(","));
  return true;
}

bool GraphParser::parse_value(ValueId& value) {
  const SourceRange range = cursor_.next_range();
  std::string name;
  if (!take(cursor_.name(), name, "the name of a value")) return false;
  const auto known = values_.find(name);
  if (known != values_.end()) {
    value = known->second;
    return true;
  }
  if (failed_.contains(name)) return false;
  std::vector<std::string> names;
  for (const auto& entry : values_) names.push_back(entry.first);
  Report report = diagnostics_.report(range, kUnknownName, "value above this line", name);
  const std::optional<std::string> near = nearest_name(name, names);
  if (near) report.suggest(range, quoted_name(*near), fmt::format("did you mean `{}`?", *near));
  return false;
}

bool GraphParser::parse_attributes(NodeText& node) {
  node.attributes = node.op->attributes();
  std::vector<AttributeDoc> open = attribute_docs(node.attributes);
  if (cursor_.eat("{") && !cursor_.eat("}")) {
    do {
      if (!parse_attribute(node, open)) return false;
    } while (cursor_.eat(","));
    if (!expect("}")) return false;
  }
  for (const AttributeDoc& field : open) {
    if (!field.is_optional) return unexpected(fmt::format("`{{{} = ...}}`, {}", field.name, field.kind));
  }
  return true;
}

/// One attribute, which is not among the `open` ones from then on.
bool GraphParser::parse_attribute(NodeText& node, std::vector<AttributeDoc>& open) {
  const SourceRange range = cursor_.next_range();
  std::string name;
  if (!take(cursor_.name(), name, "the name of an attribute") || !expect("=")) return false;
  const auto field =
      std::find_if(open.begin(), open.end(), [&](const AttributeDoc& f) { return f.name == name; });
  if (field == open.end()) {
    diagnostics_.report(range, kUnknownName, fmt::format("attribute of `{}`", node.op->name), name);
    return false;
  }
  open.erase(field);
  const SourceRange value = cursor_.next_range();
  const std::optional<AttributeError> error = read_attribute(cursor_, name, node.attributes);
  if (!error) return true;
  if (error->reason.empty()) return unexpected(error->wanted);
  diagnostics_.report(value, kIllTyped, fmt::format("`{}`: {}", node.op->name, error->reason));
  return false;
}

bool GraphParser::add_node(const NodeText& node, SourceRange range) {
  const TypeResult inferred = builder_.infer(*node.op, node.operands, node.attributes, node.type);
  if (const std::string* reason = std::get_if<std::string>(&inferred)) {
    diagnostics_.report(range, kIllTyped, fmt::format("`{}`: {}", node.op->name, *reason));
    return false;
  }
  const TensorType& type = std::get<TensorType>(inferred);
  if (type != node.type) {
    diagnostics_
        .report(range, kIllTyped,
                fmt::format("`{}` has type `{}` here, not `{}`", node.name, type_text(type),
                            type_text(node.type)))
        .suggest(range, type_text(type), "write the type that the operands give");
    return false;
  }
  const ValueId value = builder_.add(*node.op, node.operands, node.attributes, node.type);
  builder_.set_name(value, node.name);
  for (const NamedPlace& place : comment_.places) builder_.add_origin(value, places_.range(place));
  for (const std::string& alias : comment_.aliases) builder_.set_name(value, alias);
  for (const std::string& law : comment_.laws) builder_.add_law(value, law);
  values_.emplace(node.name, value);
  const bool is_listed = open_group_ && std::find(open_group_->nodes.begin(), open_group_->nodes.end(),
                                                  value) != open_group_->nodes.end();
  if (open_group_ && !is_listed) open_group_->nodes.push_back(value);
  return true;
}

}  // namespace

std::optional<Graph> parse_graph(Sources& sources, FileId file, Diagnostics& diagnostics) {
  return GraphParser(sources, file, diagnostics).parse();
}

}  // namespace dlg
