#include "frontend/text/print_expression.h"

#include <variant>
#include <vector>

#include "support/text.h"

namespace dlg {
namespace {

using ast::Expr;
using ast::ExprId;
using ast::ExprKind;

constexpr std::size_t kLongestText = 4000;
constexpr std::size_t kMostPieces = 100000;

/// True for what needs brackets as an operand.
bool is_operation(ExprKind kind) {
  return kind == ExprKind::kNegate || kind == ExprKind::kBinary || kind == ExprKind::kRange ||
         kind == ExprKind::kAs || kind == ExprKind::kPipe || kind == ExprKind::kRepeat;
}

/// Writes from a stack of pieces, so that a deep tree needs no deep recursion.
class ExpressionPrinter {
 public:
  explicit ExpressionPrinter(const ast::File& file) : file_(file) {}

  std::string run(ExprId id) {
    push_node(id);
    return finish();
  }

  std::string run_axes(const std::vector<ast::Axis>& axes) {
    std::vector<Piece> pieces;
    append_axes(axes, pieces);
    push(std::move(pieces));
    return finish();
  }

 private:
  using Piece = std::variant<std::string, ExprId>;

  std::string finish() {
    while (!stack_.empty()) {
      Piece piece = std::move(stack_.back());
      stack_.pop_back();
      if (out_.size() > kLongestText || ++count_ > kMostPieces) return out_ + " ...";
      if (const auto* text = std::get_if<std::string>(&piece)) {
        out_ += *text;
      } else {
        push_node(std::get<ExprId>(piece));
      }
    }
    return std::move(out_);
  }

  void push(std::vector<Piece> pieces) {
    for (std::size_t i = pieces.size(); i > 0; --i) stack_.push_back(std::move(pieces[i - 1]));
  }

  void push_node(ExprId id) {
    if (!id.is_valid()) return;
    std::vector<Piece> pieces;
    append_node(file_.exprs[id], pieces);
    push(std::move(pieces));
  }

  void append_node(const Expr& e, std::vector<Piece>& pieces) const {
    switch (e.kind) {
      case ExprKind::kError:
        pieces.emplace_back("<error>");
        return;
      case ExprKind::kNumber:
      case ExprKind::kName:
        pieces.emplace_back(e.text);
        return;
      case ExprKind::kUnit:
        pieces.emplace_back(number_text(e.number) + " " + e.text);
        return;
      case ExprKind::kString:
        pieces.emplace_back("\"" + e.text + "\"");
        return;
      case ExprKind::kMember:
        append_member(e, pieces);
        return;
      case ExprKind::kNegate:
        pieces.emplace_back("-");
        append_operand(e.args[0], pieces);
        return;
      case ExprKind::kBinary:
        return append_infix(e, " " + e.text + " ", pieces);
      case ExprKind::kRange:
        return append_infix(e, "..", pieces);
      case ExprKind::kSized:
        return append_infix(e, ": ", pieces);
      case ExprKind::kPipe:
        return append_infix(e, " |> ", pieces);
      case ExprKind::kRepeat:
        append_operand(e.args[0], pieces);
        pieces.insert(pieces.end(), {" |> repeat ", e.args[1], " { " + e.text + " -> ", e.args[2], " }"});
        return;
      case ExprKind::kCall:
        return append_call(e, pieces);
      case ExprKind::kIndex:
        return append_elements(e, 1, pieces);
      case ExprKind::kList:
        return append_elements(e, 0, pieces);
      case ExprKind::kAs:
        append_operand(e.args[0], pieces);
        pieces.emplace_back(" as ");
        return append_axes(e.axes, pieces);
    }
  }

  void append_operand(ExprId id, std::vector<Piece>& pieces) const {
    if (!is_operation(file_.exprs[id].kind)) {
      pieces.emplace_back(id);
      return;
    }
    pieces.emplace_back("(");
    pieces.emplace_back(id);
    pieces.emplace_back(")");
  }

  /// A number before the point would take it for its own.
  void append_member(const Expr& e, std::vector<Piece>& pieces) const {
    const bool is_number = file_.exprs[e.args[0]].kind == ExprKind::kNumber;
    if (is_number) pieces.emplace_back("(");
    append_operand(e.args[0], pieces);
    pieces.emplace_back((is_number ? ")." : ".") + e.text);
  }

  void append_infix(const Expr& e, std::string sign, std::vector<Piece>& pieces) const {
    append_operand(e.args[0], pieces);
    pieces.emplace_back(std::move(sign));
    append_operand(e.args[1], pieces);
  }

  void append_call(const Expr& e, std::vector<Piece>& pieces) const {
    append_operand(e.args[0], pieces);
    pieces.emplace_back("(");
    for (std::size_t i = 0; i < e.arguments.size(); ++i) {
      const ast::Argument& argument = e.arguments[i];
      pieces.emplace_back((i > 0 ? ", " : "") +
                          (argument.name ? argument.name->text + " = " : std::string()));
      pieces.emplace_back(argument.value);
    }
    pieces.emplace_back(")");
  }

  /// The list of the operands from `first` on, behind the operand before it, if there is one.
  void append_elements(const Expr& e, std::size_t first, std::vector<Piece>& pieces) const {
    if (first > 0) append_operand(e.args[0], pieces);
    pieces.emplace_back("[");
    for (std::size_t i = first; i < e.args.size(); ++i) {
      if (i > first) pieces.emplace_back(", ");
      pieces.emplace_back(e.args[i]);
    }
    pieces.emplace_back("]");
  }

  void append_axes(const std::vector<ast::Axis>& axes, std::vector<Piece>& pieces) const {
    pieces.emplace_back("[");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (i > 0) pieces.emplace_back(", ");
      if (axes[i].is_rest) pieces.emplace_back("...");
      if (axes[i].label) pieces.emplace_back(axes[i].label->text + (axes[i].size.is_valid() ? ": " : ":"));
      if (axes[i].size.is_valid()) pieces.emplace_back(axes[i].size);
    }
    pieces.emplace_back("]");
  }

  const ast::File& file_;
  std::vector<Piece> stack_;
  std::string out_;
  std::size_t count_ = 0;
};

}  // namespace

std::string expression_text(const ast::File& file, ExprId id) {
  return ExpressionPrinter(file).run(id);
}

std::string type_text(const ast::File& file, const ast::TypeText& type) {
  return (type.dtype ? type.dtype->text : "") + ExpressionPrinter(file).run_axes(type.axes);
}

}  // namespace dlg
