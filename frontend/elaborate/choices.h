// Owns arguments that are declared by words, as `pad: same or valid or pair` says: what they take, and what a
// word means among them.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// What the formal of the open function takes of what it is given: a number for `int`, a list of two for
/// `pair`, a truth value for `bool`, a word. nullopt after an error.
std::optional<Value> chosen_value(Elaboration& e, const ast::Formal& formal, const Operand& given);

/// Where an argument of a call lands: it has a name or a position.
struct ArgumentPlace {
  std::optional<ast::Name> name;
  std::size_t position = 0;
};

/// A bare name as an argument for which `callee` declares words. The word of this name stands for itself,
/// though a function or a data block may be called like it; a name without a meaning is an error that says
/// what the argument takes. nullopt: the argument is an expression like any other.
std::optional<Value> word_argument(Elaboration& e, const ast::Expr& callee, const ArgumentPlace& place,
                                   ast::ExprId argument);

/// Where all of these functions that have an argument at a place declare words for it, and none of them takes
/// what is given: "the word `none`, expected `same`, `valid` or a whole number". Else nullopt.
std::optional<std::string> misfit_text(const Elaboration& e, const FunctionValue& function,
                                       const ArgumentPlace& place, const Value& given);

}  // namespace dlg
