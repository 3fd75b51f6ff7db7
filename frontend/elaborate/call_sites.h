// Owns which calls stand where in the text of a function: layers get their numbers from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/text/ast.h"

namespace dlg {

/// How often a `repeat` goes round, and how many rounds are over.
struct Rounds {
  std::int64_t count = 1;
  std::int64_t done = 0;
};

/// Of the `repeat`s of an open call that were reached so far.
using RoundsByRepeat = std::map<ast::ExprId, Rounds>;

/// The number of a layer among those of the same callee in its scope, from 0.
struct CallSite {
  std::int64_t number = 0;
  bool is_numbered = false;  // there are more of them than this one
};

/// The calls in the body of one function, in the order of the text. A call inside of `repeat` is one for
/// each round.
class CallSites {
 public:
  CallSites(const ast::File& file, const std::vector<ast::Statement>& body);

  /// Of the callee expression `id`, whose text is `callee`, in this round of the `repeat`s around it.
  CallSite at(ast::ExprId id, const std::string& callee, const RoundsByRepeat& rounds) const;

 private:
  struct Site {
    ast::ExprId callee;
    std::vector<ast::ExprId> repeats;  // around it, outermost first
  };

  struct Row {
    std::vector<Site> sites;
    std::size_t plain = 0;  // so many come before the first inside of a `repeat`
  };

  void collect(const ast::File& file, ast::ExprId root);

  std::map<std::string, Row> rows_;                      // by the callee's text
  std::unordered_map<ast::ExprId, std::size_t> places_;  // of a callee in its row
};

}  // namespace dlg
