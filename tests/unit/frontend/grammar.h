// Owns a grammar read from EBNF, and random texts derived from it.
#pragma once

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace dlg::test {

/// A grammar in the notation of docs/language_grammar.ebnf.
class Grammar {
 public:
  /// Throws std::runtime_error where `text` is no EBNF or names a rule that it does not define.
  explicit Grammar(std::string_view text);

  /// A random sentence of `rule`, tokens separated by blanks. `budget` bounds the depth up to which choices
  /// are free; below it the shortest way to the end is taken.
  std::string derive(const std::string& rule, int budget, std::mt19937& random) const;

  const std::vector<std::string>& rules() const { return names_; }

 private:
  enum class Kind { kText, kName, kSequence, kChoice, kOptional, kRepeat };
  struct Node {
    Kind kind = Kind::kSequence;
    std::string text;
    std::vector<Node> parts;
  };
  class Reader;

  /// The least depth of rules below `node`.
  int depth(const Node& node) const;
  void find_depths();
  void check_names(const Node& node) const;
  void derive(const Node& node, int budget, std::mt19937& random, std::string& out) const;
  void derive_choice(const Node& node, int budget, std::mt19937& random, std::string& out) const;

  std::map<std::string, Node> nodes_;
  std::map<std::string, int> depths_;
  std::vector<std::string> names_;
};

}  // namespace dlg::test
