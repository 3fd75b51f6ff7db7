// Owns calls of fn, loss and model: choosing the overload, elaborating the body, one instance per model.
#pragma once

#include "frontend/elaborate/builtins.h"
#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Elaborates the body of the first candidate whose signature fits. `site` numbers the layer in its scope.
Value call_function(Elaboration& e, const FunctionValue& function, const Call& call, CallSite site);

/// The arguments of a call expression, `piped` first where there is one.
Call evaluate_arguments(Elaboration& e, const ast::Expr& call, const std::optional<Operand>& piped);

/// A call or a pipe's right side: `callee` is a name, `call` the call expression or, for a bare name after
/// `|>`, the name itself.
Value evaluate_call(Elaboration& e, ast::ExprId callee, const Call& call);

/// Elaborates the statement `share name = layer`.
void elaborate_share(Elaboration& e, const ast::Statement& statement);

/// Elaborates the statement `names = value`.
void elaborate_let(Elaboration& e, const ast::Statement& statement);

/// Whether a `require` holds for the numbers of the open call; nullopt after an error.
std::optional<bool> requirement_holds(Elaboration& e, const ast::Statement& statement);

/// Reports one that does not hold; `when` is empty or as " in step 3".
Report report_requirement(Elaboration& e, const ast::Statement& statement, const std::string& when);

/// Reports a `require` that does not hold for numbers known at compile time; whether it holds.
bool elaborate_require(Elaboration& e, const ast::Statement& statement);

}  // namespace dlg
