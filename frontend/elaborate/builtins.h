// Owns the functions that the language cannot express itself: one table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// A call with its arguments evaluated in the caller's frame. A row of the table gets them in the order of
/// its signature.
struct Call {
  SourceRange range;
  SourceRange callee;
  std::vector<CallArgument> arguments;
};

/// One row of the table. Its signature in the notation of the language: "sum(x: [..., axis, ...], over =
/// axis) -> [..., ...]". An argument with `=` is given by its name or not at all; a second form stands behind
/// "` or `".
struct Builtin {
  std::string_view name;
  std::string_view group;  // under which the library's page shows it
  std::string_view signature;
  std::string_view doc;
  std::string_view example;  // as in frontend/library_reference.h
  std::size_t min_arguments = 1;
  std::size_t max_arguments = 1;
  Value (*call)(Elaboration&, const Builtin&, const Call&) = nullptr;
  const OpDef* op = nullptr;           // of the graph, for those that are one op
  double (*number)(double) = nullptr;  // on numbers known at compile time
};

std::span<const Builtin> builtins();

/// Null if there is none.
const Builtin* find_builtin(std::string_view name);

/// The signature without types, as messages show it: "sum(x, over = axis)".
std::string call_form(const Builtin& builtin);

/// Checks count and names of the arguments, puts them in order, then calls. Poison in, poison out.
Value call_builtin(Elaboration& e, const Builtin& builtin, const Call& call);

}  // namespace dlg
