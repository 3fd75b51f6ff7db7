// Owns the reading of EBNF and the derivation of sentences.
#include "tests/unit/frontend/grammar.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace dlg::test {
namespace {

constexpr int kUnknownDepth = 1000;

/// The tokens a sentence is made of; short lists, so that names meet often.
const std::map<std::string, std::vector<std::string>>& token_samples() {
  static const std::map<std::string, std::vector<std::string>> samples = {
      {"NAME", {"x", "W1", "theta", "loss", "data", "step", "_a9", "grad", "min"}},
      {"NUMBER", {"0", "1", "28", "0.5", "1e-4", "2.5E+3", "9007199254740992"}},
      {"STRING", {"\"\"", "\"digits.csv\"", "\"# no comment { (\"", "\"größe\""}},
      {"NEWLINE", {"\n", "\n\n", "  # comment ) } \"\n", "\r\n", "\n# θ\n  \t\n"}},
  };
  return samples;
}

const std::string& pick(const std::vector<std::string>& all, std::mt19937& random) {
  return all[std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random)];
}

}  // namespace

/// Recursive descent over the characters of the grammar.
class Grammar::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool is_at_end() {
    skip_blanks();
    return at_ == text_.size();
  }

  std::string word() {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    if (at_ == begin) throw std::runtime_error("a name is missing at " + std::string(text_.substr(at_, 20)));
    return std::string(text_.substr(begin, at_ - begin));
  }

  void take(char c) {
    if (peek() != c)
      throw std::runtime_error(std::string(1, c) + " is missing at " + std::string(text_.substr(at_, 20)));
    ++at_;
  }

  Node choice() {
    Node node{Kind::kChoice, "", {sequence()}};
    while (peek() == '|') {
      ++at_;
      node.parts.push_back(sequence());
    }
    return node.parts.size() == 1 ? node.parts[0] : node;
  }

 private:
  Node sequence() {
    Node node{Kind::kSequence, "", {}};
    while (std::string_view("|)]};").find(peek()) == std::string_view::npos) node.parts.push_back(element());
    return node;
  }

  Node element() {
    const char c = peek();
    if (c == '"') return text();
    if (c == '(') return enclosed(')', Kind::kSequence);
    if (c == '[') return enclosed(']', Kind::kOptional);
    if (c == '{') return enclosed('}', Kind::kRepeat);
    return {Kind::kName, word(), {}};
  }

  Node text() {
    const std::size_t end = text_.find('"', at_ + 1);
    Node node{Kind::kText, std::string(text_.substr(at_ + 1, end - at_ - 1)), {}};
    at_ = end + 1;
    return node;
  }

  Node enclosed(char closing, Kind kind) {
    ++at_;
    Node inner = choice();
    take(closing);
    return {kind, "", {std::move(inner)}};
  }

  char peek() {
    skip_blanks();
    if (at_ == text_.size()) throw std::runtime_error("the grammar ends inside a rule");
    return text_[at_];
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (text_.substr(at_, 2) == "(*") {
        at_ = text_.find("*)", at_) + 2;
      } else if (std::isspace(static_cast<unsigned char>(text_[at_]))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Grammar::Grammar(std::string_view text) {
  for (Reader reader(text); !reader.is_at_end();) {
    const std::string name = reader.word();
    reader.take('=');
    nodes_[name] = reader.choice();
    reader.take(';');
    names_.push_back(name);
  }
  for (const auto& [name, node] : nodes_) check_names(node);
  find_depths();
}

void Grammar::check_names(const Node& node) const {
  const bool is_known =
      node.kind != Kind::kName || nodes_.count(node.text) > 0 || token_samples().count(node.text) > 0;
  if (!is_known) throw std::runtime_error("no rule for " + node.text);
  for (const Node& part : node.parts) check_names(part);
}

/// Relaxes until nothing changes; every rule must come to an end.
void Grammar::find_depths() {
  for (const std::string& name : names_) depths_[name] = kUnknownDepth;
  for (bool is_changed = true; is_changed;) {
    is_changed = false;
    for (const std::string& name : names_) {
      const int found = 1 + depth(nodes_.at(name));
      is_changed = is_changed || found < depths_[name];
      depths_[name] = std::min(depths_[name], found);
    }
  }
  for (const std::string& name : names_) {
    if (depths_[name] >= kUnknownDepth) throw std::runtime_error(name + " has no end");
  }
}

int Grammar::depth(const Node& node) const {
  if (node.kind == Kind::kOptional || node.kind == Kind::kRepeat || node.kind == Kind::kText) return 0;
  if (node.kind == Kind::kName) return nodes_.count(node.text) > 0 ? depths_.at(node.text) : 0;
  int result = node.kind == Kind::kChoice ? kUnknownDepth : 0;
  for (const Node& part : node.parts) {
    result = node.kind == Kind::kChoice ? std::min(result, depth(part)) : std::max(result, depth(part));
  }
  return result;
}

std::string Grammar::derive(const std::string& rule, int budget, std::mt19937& random) const {
  std::string out;
  derive(nodes_.at(rule), budget, random, out);
  return out;
}

void Grammar::derive(const Node& node, int budget, std::mt19937& random, std::string& out) const {
  constexpr int kMostRepeats = 3;
  const auto upto = [&](int last) {
    return std::uniform_int_distribution<int>(0, budget > 0 ? last : 0)(random);
  };
  int repeats = 1;
  if (node.kind == Kind::kOptional) repeats = upto(1);
  if (node.kind == Kind::kRepeat) repeats = upto(kMostRepeats);
  const auto tokens = token_samples().find(node.text);
  if (node.kind == Kind::kChoice) return derive_choice(node, budget, random, out);
  if (node.kind == Kind::kText) {
    out += node.text + " ";
  } else if (node.kind == Kind::kName && tokens != token_samples().end()) {
    out += pick(tokens->second, random) + " ";
  } else if (node.kind == Kind::kName) {
    derive(nodes_.at(node.text), budget - 1, random, out);
  }
  for (int i = 0; i < repeats; ++i) {
    for (const Node& part : node.parts) derive(part, budget, random, out);
  }
}

void Grammar::derive_choice(const Node& node, int budget, std::mt19937& random, std::string& out) const {
  std::vector<const Node*> parts;
  for (const Node& part : node.parts) {
    if (budget > 0 || depth(part) == depth(node)) parts.push_back(&part);
  }
  const auto last = parts.size() - 1;
  derive(*parts[std::uniform_int_distribution<std::size_t>(0, last)(random)], budget, random, out);
}

}  // namespace dlg::test
