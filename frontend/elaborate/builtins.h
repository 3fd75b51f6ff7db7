// Owns the functions that the language cannot express itself: one table.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// One argument as written. `over = axis` is not evaluated: an axis may be no value.
struct CallArgument {
  std::optional<ast::Name> name;
  Operand operand;
  ast::ExprId expr;
};

/// A call with its arguments evaluated in the caller's frame. A row of the table gets them in the order of
/// its signature.
struct Call {
  SourceRange range;
  SourceRange callee;
  std::vector<CallArgument> arguments;
};

struct Builtin {
  std::string_view name;
  std::string_view signature;  // "sum(x, over = axis)": the names of the arguments; with `=` by name only
  std::string_view doc;
  std::size_t min_arguments = 1;
  std::size_t max_arguments = 1;
  Value (*call)(Elaboration&, const Builtin&, const Call&) = nullptr;
  const OpDef* op = nullptr;           // of the graph, for those that are one op
  double (*number)(double) = nullptr;  // on numbers known at compile time
};

std::span<const Builtin> builtins();

/// Null if there is none.
const Builtin* find_builtin(std::string_view name);

/// Checks count and names of the arguments, puts them in order, then calls. Poison in, poison out.
Value call_builtin(Elaboration& e, const Builtin& builtin, const Call& call);

}  // namespace dlg
