// Owns the tests that hold parser and grammar together: what the grammar derives is accepted, printed and
// read again; what is broken afterwards is refused without a crash.
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "frontend/text/print_ast.h"
#include "tests/catch.h"
#include "tests/source_dir.h"
#include "tests/unit/frontend/grammar.h"
#include "tests/unit/frontend/parsing.h"

namespace dlg::test {
namespace {

constexpr unsigned kSeed = 20;

Grammar language_grammar() {
  std::ifstream stream(test::source_dir() + "/docs/language_grammar.ebnf");
  REQUIRE(stream);
  return Grammar(std::string(std::istreambuf_iterator<char>(stream), {}));
}

/// The printed tree without the places at the ends of its lines: again a program.
std::string printed_program(const Parsed& parsed) {
  std::istringstream lines(print_ast(parsed.file, parsed.sources));
  std::string text;
  for (std::string line; std::getline(lines, line);) text += line.substr(0, line.rfind("  ; ")) + "\n";
  return text;
}

TEST_CASE("every program that the grammar derives is accepted, and its printed tree reads back the same") {
  const Grammar grammar = language_grammar();
  std::mt19937 random(kSeed);
  std::size_t longest = 0;
  int read_again = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string text = grammar.derive("file", 4 + i % 8, random);
    longest = std::max(longest, text.size());
    const Parsed parsed = parse(text);
    INFO("seed " << kSeed << ", program " << i << "\n" << text);
    const bool is_expected =
        messages(parsed).empty() || messages(parsed)[0].find("DLG0122") != std::string::npos;
    REQUIRE((is_expected ? Lines{} : messages(parsed)) == Lines{});
    const std::string printed = printed_program(parsed);
    const bool is_cut = printed.find(" ...\n") != std::string::npos;
    if (is_cut) continue;
    ++read_again;
    const Parsed again = parse(printed);
    REQUIRE(messages(again) == Lines{});
    REQUIRE(printed_program(again) == printed);
  }
  CHECK(longest > 1000);
  CHECK(read_again > 1500);
}

TEST_CASE("a program with a token lost, doubled or exchanged ends in messages, never in a crash") {
  const Grammar grammar = language_grammar();
  std::mt19937 random(kSeed + 1);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::vector<std::string> strays = {"(",  ")",  "[",  "]",  "{",  "}", "<-",
                                           "+-", "..", "\n", "fn", "\"", "−", ","};
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string text = grammar.derive("file", 9, random);
    const std::size_t at = text.find(' ', below(text.size()));
    if (at == std::string::npos) continue;
    text.replace(at, below(3), " " + strays[below(strays.size())] + " ");
    refused += parse(text).diagnostics.has_errors() ? 1 : 0;
  }
  CHECK(refused > 1500);
}

}  // namespace
}  // namespace dlg::test
