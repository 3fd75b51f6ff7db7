// Owns how a call meets a signature: arguments find their formals, axes bind the variables.
#pragma once

#include <optional>
#include <vector>

#include "frontend/elaborate/builtins.h"
#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// What a function, an optimizer or a built-in function says of one of its arguments.
struct CalleeFormal {
  enum class Way { kRequired, kDefaulted, kByName };  // kByName: by its name or not at all
  std::string name;
  Way way = Way::kRequired;
  SourceRange declared;  // nowhere for a built-in function
};

/// What is called: its name and arguments, and a note for a call that gives an argument of another name.
struct Callee {
  std::string name;
  std::vector<CalleeFormal> formals;
  std::string note;
};

Callee callee_of(const std::string& name, const std::vector<ast::Formal>& formals);

/// Which argument each formal gets (null: none). nullopt after errors: unknown, missing, duplicate or too
/// many arguments.
std::optional<std::vector<const CallArgument*>> assign_arguments(Elaboration& e, const Callee& callee,
                                                                 const Call& call);

/// The axes that a type in brackets declares in the open frame. Unknown names are errors.
std::optional<Axes> declared_axes(Elaboration& e, const ast::TypeText& type);

/// Gives each formal of the open function its argument and binds the variables of the signature. Errors:
/// unknown, missing or duplicate arguments, shapes that do not fit. Makes no node unless all fits.
bool bind_arguments(Elaboration& e, const std::vector<ast::Formal>& formals, const Call& call);

/// The value as the declared result of the open function: its axes take the declared names.
std::optional<TensorValue> fit_result(Elaboration& e, const ast::TypeText& type, const TensorValue& value,
                                      SourceRange range);

/// "cross_entropy(y: [..., cls], t: i32[...])" as written.
std::string signature_text(const Elaboration& e, const ast::Function& function);

}  // namespace dlg
