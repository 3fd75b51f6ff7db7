// Owns the letters of index notation: where each is bound, its axis, and the index expressions made of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/elaborate/tensors.h"

namespace dlg {

/// A letter of one statement.
struct Letter {
  std::string name;
  SourceRange range;
  char label = 'a';  // in the labels of a contraction
  bool is_left = false;
  bool is_summed = false;         // stands in `over`
  std::optional<Axis> axis = {};  // once its size is known
  bool is_used = false;           // by an operand
};

/// stride * letter + dilation * letter + constant, as far as there are letters.
struct LetterIndex {
  struct Term {
    std::size_t letter;
    std::int64_t factor;
  };
  std::vector<Term> terms;
  std::int64_t constant = 0;
};

/// The window and the size of an axis of the left side, args[0] and args[1]; null: it is a letter.
const ast::Expr* window_of(const Elaboration& e, const ast::Axis& place);

class Letters {
 public:
  explicit Letters(Elaboration& e) : e_(e) {}

  /// Adds those of the left side or of `over`. Errors: a letter twice, a number of the program.
  bool add_left(const ast::Axis& axis);
  bool add_summed(ast::ExprId id);

  std::vector<Letter>& all() { return all_; }
  const std::vector<Letter>& all() const { return all_; }
  std::optional<std::size_t> find(std::string_view name) const;

  /// What an index of an operand or one side of a guard is. Errors: another form.
  std::optional<LetterIndex> index_of(ast::ExprId id) const { return index_at(id, 0); }

  /// The label of a letter that stands nowhere in the text.
  char fresh_label();

 private:
  bool is_taken(char label) const;
  char label_of(const std::string& name);
  /// Where a letter is bound: on the left, or in `over`.
  enum class Side : std::uint8_t { kLeft, kOver };
  bool add(const ast::Name& name, std::optional<ast::ExprId> size, Side side);
  std::optional<LetterIndex> number_index(ast::ExprId id) const;
  /// Whether `stride[0]` is a number: an element of a list of such.
  bool is_of_numbers(const ast::Expr& index) const;
  std::optional<LetterIndex> index_at(ast::ExprId id, int depth) const;
  std::optional<LetterIndex> product_index(const ast::Expr& expr, int depth) const;
  std::optional<LetterIndex> sum_index(const ast::Expr& expr, int depth) const;

  Elaboration& e_;
  std::vector<Letter> all_;
  int labels_ = 0;
};

}  // namespace dlg
