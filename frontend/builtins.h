// Owns the functions that the language cannot express itself: one table.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "frontend/elaboration.h"

namespace dlg {

/// One argument as written. `over = axis` is not evaluated: an axis may be no value.
struct CallArgument {
  std::optional<ast::Name> name;
  Operand operand;
  ast::ExprId expr;
};

/// A call with its arguments evaluated in the caller's frame.
struct Call {
  SourceRange range;
  SourceRange callee;
  std::vector<CallArgument> arguments;
};

struct Builtin {
  std::string_view name;
  std::string_view signature;  // "sum(x, over = axis)"
  std::string_view doc;
  std::size_t min_arguments = 1;
  std::size_t max_arguments = 1;
  std::string_view named = {};  // the one argument that is given by name, as `over`
  Value (*call)(Elaboration&, const Builtin&, const Call&) = nullptr;
  const OpDef* op = nullptr;           // of the graph, for those that are one op
  double (*number)(double) = nullptr;  // on numbers known at compile time
};

std::span<const Builtin> builtins();

/// Null if there is none.
const Builtin* find_builtin(std::string_view name);

/// Checks count and names of the arguments, then calls. Poison in, poison out.
Value call_builtin(Elaboration& e, const Builtin& builtin, const Call& call);

}  // namespace dlg
