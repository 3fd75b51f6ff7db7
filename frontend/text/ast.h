// Owns the syntax tree: what the text says, with a place for everything and no meaning yet. Flat storage,
// ids, no pointers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/id.h"
#include "support/source.h"

namespace dlg {

/// More than any model needs; every loop over axes is short.
inline constexpr std::size_t kMostAxes = 8;

}  // namespace dlg

namespace dlg::ast {

using ExprId = Id<struct ExprTag>;

/// A name with its place.
struct Name {
  std::string text;
  SourceRange range;
};

enum class ExprKind {
  kError,   // a piece that did not parse; silences what follows from it
  kNumber,  // 0.05: the number, and `text` as it is written
  kUnit,    // 20 epochs: number and `text` = "epochs"
  kString,  // "digits.csv": `text` without quotes
  kName,    // x
  kMember,  // args[0] . text        one.x, val.loss
  kNegate,  // - args[0]
  kBinary,  // args[0] op args[1]; `text` is one of + - * / @ ^ < <= > >= == !=
  kRange,   // args[0] .. args[1]
  kCall,    // args[0] ( arguments )
  kIndex,   // args[0] [ args[1..] ], each an expression or kRange
  kList,    // [ args... ]
  kAs,      // args[0] as [ axes ]
  kPipe,    // args[0] |> args[1], at whose right side stands a name or a call
  kSized,   // args[0] : args[1]        a letter and its size, in `over = [r: 2]`; a window and that of its
            // axis
  kRepeat,  // args[0] |> repeat args[1] { text -> args[2] }; op_range is the place of the name
};

/// One argument of a call: `lr = 0.5` has a name, `0.5` has none.
struct Argument {
  std::optional<Name> name;
  ExprId value;
};

/// One axis of a type or of `as`: `inp`, `28 * 28`, `chan: 1`, `...`.
struct Axis {
  std::optional<Name> label;  // before the colon
  ExprId size;                // invalid for `...` and for `name:`; of an element kSized too: `2 * p + r: 14`
  bool is_rest = false;       // `...`
  SourceRange range;
};

struct Expr {
  ExprKind kind = ExprKind::kError;
  SourceRange range;
  SourceRange op_range;  // the operator token, where there is one
  std::string text;
  double number = 0;
  std::vector<ExprId> args;
  std::vector<Argument> arguments;  // kCall
  std::vector<Axis> axes;           // kAs
};

/// `i32[T, D]`: optional dtype word, axes. `int` and other bare words come as `words` without brackets.
struct TypeText {
  std::optional<Name> dtype;
  std::vector<Axis> axes;
  SourceRange range;
};

/// "same or valid or int".
inline std::string words_text(const std::vector<Name>& words) {
  std::string text;
  for (const Name& word : words) text += (text.empty() ? "" : " or ") + word.text;
  return text;
}

/// One formal: `x: [n]`, `units: int`, `act = identity`, `lr`.
struct Formal {
  Name name;
  std::optional<TypeText> type;  // with brackets
  std::vector<Name> words;       // `int` in `units: int`; `same`, `int` in `pad: same or int`
  ExprId default_value;          // invalid: required
};

enum class StatementKind {
  kLet,      // names... = value
  kAssign,   // names[0] <- value        (only in an optimizer)
  kDeclare,  // param | const | state  names[0] : type = value
  kElement,  // names[0] [ type ] = value where guards    by its elements
  kShare,    // share names[0] = value    a name or a call
  kReturn,   // return value
  kRequire,  // require value
};

struct Statement {
  StatementKind kind = StatementKind::kLet;
  SourceRange range;
  std::vector<Name> names;
  std::string keyword;  // kDeclare: param, const or state
  std::optional<TypeText> type;
  ExprId value;
  std::vector<ExprId> guards;  // kElement
};

/// `key = value` inside data, train.
struct Setting {
  Name key;
  ExprId value;
  SourceRange range;
};

/// kWhole: `whole fn`, which sees all rows of a part of the data.
enum class FunctionKind { kFn, kWhole, kLoss, kModel };

struct Function {
  FunctionKind kind = FunctionKind::kFn;
  Name name;
  std::vector<Formal> formals;
  std::optional<TypeText> result;
  std::vector<Statement> body;  // `= expression` is a single kReturn
  SourceRange range;
};

struct Optimizer {
  Name name;
  std::vector<Formal> formals;
  std::vector<Statement> body;
  SourceRange range;
};

/// `dim inp = 2` or, at top level, `const k = 3`.
struct Definition {
  std::string keyword;
  Name name;
  std::optional<TypeText> type;
  ExprId value;
  SourceRange range;
};

/// `data one { ... }`, `train { ... }` (no name), `race "ravine" { ... }` (its name is the title).
struct SettingsBlock {
  Name name;
  std::vector<Setting> settings;
  SourceRange range;
};

enum class Comparison { kNear, kLess, kGreater };

/// `expect EXPR ~ VALUE +- TOL`. The last written digit of VALUE (Expr::text of a number) is the tolerance of
/// a bare `~`.
struct Expectation {
  ExprId actual;
  Comparison comparison = Comparison::kNear;
  ExprId expected;
  ExprId tolerance;  // invalid where none is written
  SourceRange range;
};

struct CheckBlock {
  std::string title;
  std::vector<Expectation> expectations;
  SourceRange range;
};

/// `import "rules/own.dlg"`. Whoever reads the files says which one it is.
struct Import {
  std::string path;  // as written
  FileId file;       // invalid: it could not be read, which is reported
  SourceRange path_range;
  SourceRange range;
};

/// One file. Blocks keep the order of the text within their kind.
struct File {
  FileId file;
  std::optional<Name> use;  // `use f64`
  std::vector<Import> imports;
  std::vector<Definition> definitions;
  std::vector<SettingsBlock> data;
  std::vector<Function> functions;
  std::vector<Optimizer> optimizers;
  std::vector<SettingsBlock> trains;
  std::vector<CheckBlock> checks;
  std::vector<SettingsBlock> races;
  IdVector<ExprId, Expr> exprs;
};

}  // namespace dlg::ast
